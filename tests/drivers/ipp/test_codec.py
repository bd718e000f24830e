"""IPP messages, held against the example in RFC 8010 and against every way to break them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import ProtocolError
from drivers.ipp.codec import (
    Attribute,
    Group,
    GroupTag,
    Message,
    Operation,
    Tag,
    decode,
    encode,
)

# RFC 8010, appendix A.1: a Print-Job request, typed from its table.
PRINT_JOB = (
    bytes.fromhex(
        "0101 0002 00000001"
        "01"
        "47 0012 617474726962757465732d63686172736574 0005 7574662d38"
        "48 001b 617474726962757465732d6e61747572616c2d6c616e6775616765 0005 656e2d7573"
        "45 000b 7072696e7465722d757269"
        "002c 6970703a2f2f7072696e7465722e6578616d706c652e636f6d"
        "2f6970702f7072696e742f70696e6574726565"
        "42 0008 6a6f622d6e616d65 0006 666f6f626172"
        "22 0016 6970702d6174747269627574652d666964656c697479 0001 01"
        "02"
        "21 0006 636f70696573 0004 00000014"
        "44 0005 7369646573 0013 74776f2d73696465642d6c6f6e672d65646765"
        "03"
    )
    + b"%!PDF..."
)

PRINT_JOB_MEANS = Message(
    code=Operation.PRINT_JOB,
    request_id=1,
    groups=(
        Group(
            GroupTag.OPERATION,
            (
                Attribute("attributes-charset", Tag.CHARSET, ("utf-8",)),
                Attribute("attributes-natural-language", Tag.LANGUAGE, ("en-us",)),
                Attribute(
                    "printer-uri", Tag.URI, ("ipp://printer.example.com/ipp/print/pinetree",)
                ),
                Attribute("job-name", Tag.NAME, ("foobar",)),
                Attribute("ipp-attribute-fidelity", Tag.BOOLEAN, (True,)),
            ),
        ),
        Group(
            GroupTag.JOB,
            (
                Attribute("copies", Tag.INTEGER, (20,)),
                Attribute("sides", Tag.KEYWORD, ("two-sided-long-edge",)),
            ),
        ),
    ),
    data=b"%!PDF...",
    version=b"\x01\x01",
)

# RFC 2565 §9.7, the same encoding: a Get-Jobs request with a set of three keywords.
GET_JOBS = bytes.fromhex(
    "0100 000a 00000123 01"
    "47 0012 617474726962757465732d63686172736574 0008 75732d6173636969"
    "48 001b 617474726962757465732d6e61747572616c2d6c616e6775616765 0005 656e2d7573"
    "45 000b 7072696e7465722d757269 001a 687474703a2f2f666f726573743a3633312f70696e6574726565"
    "21 0005 6c696d6974 0004 00000032"
    "44 0014 7265717565737465642d61747472696275746573 0006 6a6f622d6964"
    "44 0000 0008 6a6f622d6e616d65"
    "44 0000 000f 646f63756d656e742d666f726d6174"
    "03"
)


def test_the_example_of_the_rfc_is_read() -> None:
    assert decode(PRINT_JOB) == PRINT_JOB_MEANS


def test_the_example_of_the_rfc_is_written() -> None:
    assert encode(PRINT_JOB_MEANS) == PRINT_JOB


def test_further_values_of_a_set_carry_no_name() -> None:
    asked = decode(GET_JOBS).group(GroupTag.OPERATION)
    assert asked.number("limit") == 50
    assert asked.words("requested-attributes") == ("job-id", "job-name", "document-format")
    assert encode(decode(GET_JOBS)) == GET_JOBS


def test_a_collection_is_passed_over() -> None:
    wire = bytes.fromhex(
        "0200 0000 00000001 04"
        "34 0009 6d656469612d636f6c 0000"  # media-col begins
        "4a 0000 0001 78 34 0000 0000 4a 0000 0001 79 21 0000 0004 00000001 37 0000 0000"
        "37 0000 0000"
        "23 000d 7072696e7465722d7374617465 0004 00000003"
        "03"
    )
    assert decode(wire).group(GroupTag.PRINTER).number("printer-state") == 3


def test_a_name_with_its_language_is_a_name() -> None:
    wire = bytes.fromhex("0200 0000 00000001 02 36 0008 6a6f622d6e616d65 0007 0002 656e 0001 78 03")
    assert decode(wire).group(GroupTag.JOB).words("job-name") == ("x",)


def test_every_beginning_of_a_message_is_refused() -> None:
    head = PRINT_JOB.removesuffix(b"\x03%!PDF...")
    for length in range(len(head) + 1):
        with pytest.raises(ProtocolError):
            decode(head[:length])


@given(st.integers(0, len(PRINT_JOB) - 1), st.integers(0, 7))
@settings(max_examples=300)
def test_a_flipped_bit_is_read_or_refused(at: int, bit: int) -> None:
    flipped = PRINT_JOB[:at] + bytes([PRINT_JOB[at] ^ 1 << bit]) + PRINT_JOB[at + 1 :]
    with suppress(ProtocolError):
        decode(flipped)


@given(st.binary(max_size=400))
@settings(max_examples=300)
def test_noise_is_read_or_refused(noise: bytes) -> None:
    with suppress(ProtocolError):
        decode(b"\x02\x00\x00\x00\x00\x00\x00\x01" + noise)


@pytest.mark.parametrize(
    "wire",
    [
        "0200 0000 00000001 21 0000 0004 00000001 03",  # a value in no group
        "0200 0000 00000001 01 21 0000 0004 00000001 03",  # a value of no attribute
        "0200 0000 00000001 01 21 0001 61 0002 0001 03",  # a number of two bytes
        "0200 0000 00000001 01 21 0001 61 ffff 00",  # a length beyond the end
        "0200 0000 00000001 01 34 0001 61 0000 03",  # a collection that does not end
        "0200 0000 00000001 01 34 0001 61 0000" + " 34 0000 0000" * 20,  # too deep
    ],
)
def test_what_the_rfc_does_not_allow_is_refused(wire: str) -> None:
    with pytest.raises(ProtocolError):
        decode(bytes.fromhex(wire))
