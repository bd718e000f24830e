"""IPP messages as bytes and back (RFC 8010); pure, both directions.

Rule: every length is checked before it is believed, and whatever is wrong is a ProtocolError.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from drivers.errors import ProtocolError

VERSION = b"\x02\x00"
MESSAGE_BYTES_MAX = 1 << 20
ATTRIBUTES_MAX = 4096
DEPTH_MAX = 8


class Operation(IntEnum):
    PRINT_JOB = 0x0002
    CANCEL_JOB = 0x0008
    GET_JOB_ATTRIBUTES = 0x0009
    GET_JOBS = 0x000A
    GET_PRINTER_ATTRIBUTES = 0x000B


class Status(IntEnum):
    """Only those that mean something of their own here; below 0100 is success."""

    OK = 0x0000
    NOT_POSSIBLE = 0x0404
    NOT_FOUND = 0x0406
    FORMAT_NOT_SUPPORTED = 0x040A
    INTERNAL_ERROR = 0x0500
    NOT_ACCEPTING_JOBS = 0x0506
    BUSY = 0x0507


class GroupTag(IntEnum):
    OPERATION = 0x01
    JOB = 0x02
    END = 0x03
    PRINTER = 0x04
    UNSUPPORTED = 0x05


class Tag(IntEnum):
    NO_VALUE = 0x13
    INTEGER = 0x21
    BOOLEAN = 0x22
    ENUM = 0x23
    OCTETS = 0x30
    BEGIN_COLLECTION = 0x34
    TEXT_WITH_LANGUAGE = 0x35
    NAME_WITH_LANGUAGE = 0x36
    END_COLLECTION = 0x37
    TEXT = 0x41
    NAME = 0x42
    KEYWORD = 0x44
    URI = 0x45
    URI_SCHEME = 0x46
    CHARSET = 0x47
    LANGUAGE = 0x48
    MIME_TYPE = 0x49
    MEMBER_NAME = 0x4A


Value = int | bool | str | bytes
STRINGS = range(0x40, 0x60)


@dataclass(frozen=True)
class Attribute:
    """One name with one or more values; all of the kind `tag`, that of the first."""

    name: str
    tag: int
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Group:
    tag: int
    attributes: tuple[Attribute, ...]

    def values(self, name: str) -> tuple[Value, ...]:
        """All values of an attribute; none when it is not there."""
        return next((one.values for one in self.attributes if one.name == name), ())

    def words(self, name: str) -> tuple[str, ...]:
        """Those values that are text or keywords."""
        return tuple(value for value in self.values(name) if isinstance(value, str))

    def number(self, name: str) -> int | None:
        """The first value, if it is a number."""
        first = next(iter(self.values(name)), None)
        return first if isinstance(first, int) else None


@dataclass(frozen=True)
class Message:
    """A request (`code` is an operation) or an answer (a status). `data` is the document."""

    code: int
    request_id: int
    groups: tuple[Group, ...]
    data: bytes = b""
    version: bytes = VERSION

    def group(self, tag: GroupTag) -> Group:
        """The first group of this kind; an empty one when there is none."""
        return next((one for one in self.groups if one.tag == tag), Group(tag, ()))

    def all(self, tag: GroupTag) -> tuple[Group, ...]:
        """Every group of this kind: one a job."""
        return tuple(one for one in self.groups if one.tag == tag)


def encode(message: Message) -> bytes:
    """The message as it travels in the body of an HTTP request or answer."""
    out = [message.version, message.code.to_bytes(2, "big"), message.request_id.to_bytes(4, "big")]
    for group in message.groups:
        out.append(bytes([group.tag]))
        out += [_encode_attribute(attribute) for attribute in group.attributes]
    return b"".join([*out, bytes([GroupTag.END]), message.data])


def _encode_attribute(attribute: Attribute) -> bytes:
    out = b""
    name = attribute.name.encode("ascii")
    for value in attribute.values:
        raw = _encode_value(attribute.tag, value)
        out += bytes([attribute.tag]) + _sized(name) + _sized(raw)
        name = b""  # further values of a set carry no name
    return out


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _encode_value(tag: int, value: Value) -> bytes:
    match value:
        case bool():
            return bytes([value])
        case int():
            return value.to_bytes(4, "big", signed=True)
        case str():
            return value.encode()
    return value


def decode(body: bytes) -> Message:
    """The message in an HTTP body. Values of collections are left out: nothing here needs them."""
    if len(body) < 9:
        raise ProtocolError("an IPP message without its head")
    reader = _Reader(body, 8)
    groups: list[Group] = []
    tag = reader.byte()
    while tag != GroupTag.END:
        if tag == 0 or tag > 0x0F:
            raise ProtocolError(f"{tag:02x}: no IPP group")
        attributes, following = _decode_group(reader)
        groups.append(Group(tag, attributes))
        tag = following
    return Message(
        code=int.from_bytes(body[2:4], "big"),
        request_id=int.from_bytes(body[4:8], "big"),
        groups=tuple(groups),
        data=reader.rest(),
        version=body[:2],
    )


def _decode_group(reader: _Reader) -> tuple[tuple[Attribute, ...], int]:
    """The attributes up to the next group, and that group's tag."""
    attributes: list[Attribute] = []
    while (tag := reader.byte()) > 0x0F:
        name = reader.sized().decode("ascii", "replace")
        value = _decode_value(reader, tag)
        if name:
            attributes.append(Attribute(name, tag, (value,)))
        elif attributes:
            last = attributes[-1]
            attributes[-1] = Attribute(last.name, last.tag, (*last.values, value))
        else:
            raise ProtocolError("an IPP value that belongs to no attribute")
        if len(attributes) > ATTRIBUTES_MAX:
            raise ProtocolError("more IPP attributes than any printer has")
    return tuple(attributes), tag


def _decode_value(reader: _Reader, tag: int) -> Value:
    raw = reader.sized()
    if tag == Tag.BEGIN_COLLECTION:
        _skip_collection(reader, DEPTH_MAX)
        return b""
    if tag in (Tag.INTEGER, Tag.ENUM) and len(raw) == 4:
        return int.from_bytes(raw, "big", signed=True)
    if tag == Tag.BOOLEAN and len(raw) == 1:
        return raw != b"\0"
    if tag in (Tag.INTEGER, Tag.ENUM, Tag.BOOLEAN):
        raise ProtocolError(f"an IPP number of {len(raw)} bytes")
    if tag in (Tag.TEXT_WITH_LANGUAGE, Tag.NAME_WITH_LANGUAGE):
        inner = _Reader(raw, 0)
        inner.sized()
        return inner.sized().decode(errors="replace")
    return raw.decode(errors="replace") if tag in STRINGS else raw


def _skip_collection(reader: _Reader, depth: int) -> None:
    if depth == 0:
        raise ProtocolError("IPP collections in collections without end")
    while True:
        tag = reader.byte()
        reader.sized()
        reader.sized()
        if tag == Tag.END_COLLECTION:
            return
        if tag == Tag.BEGIN_COLLECTION:
            _skip_collection(reader, depth - 1)
        elif tag <= 0x0F:
            raise ProtocolError("an IPP collection that does not end")


class _Reader:
    """A cursor that never runs over the end."""

    def __init__(self, data: bytes, at: int) -> None:
        if len(data) > MESSAGE_BYTES_MAX:
            raise ProtocolError("an IPP message of more than a megabyte")
        self._data = data
        self._at = at

    def byte(self) -> int:
        return self._take(1)[0]

    def sized(self) -> bytes:
        return self._take(int.from_bytes(self._take(2), "big"))

    def rest(self) -> bytes:
        return self._data[self._at :]

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise ProtocolError("an IPP message that breaks off")
        self._at += count
        return taken
