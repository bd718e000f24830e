"""ZVT bytes against frames typed by hand from PROTOCOLS §4.1 (PA00P015, PA00P016)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import ProtocolError
from drivers.zvt.codec import (
    DATA_BYTES_MAX,
    FRAME_BYTES_MAX,
    Acknowledged,
    Apdu,
    Damaged,
    FrameReader,
    NotAcknowledged,
    encode_frame,
    parse_apdu,
    take_apdu,
)

FRAMES = {
    "registration in EUR": (
        "10 02 06 00 06 12 34 56 BA 09 78 10 03 24 C3",
        "06 00 06 12 34 56 BA 09 78",
    ),
    "registration in CNY": (
        "10 02 06 00 06 12 34 56 BA 01 56 10 03 C5 BC",
        "06 00 06 12 34 56 BA 01 56",
    ),
    "initialisation": ("10 02 06 93 03 12 34 56 10 03 CA A4", "06 93 03 12 34 56"),
    "authorise 110.00, with a doubled 10": (
        "10 02 06 01 0A 04 00 00 00 01 10 10 00 49 09 78 10 03 F2 FF",
        "06 01 0A 04 00 00 00 01 10 00 49 09 78",
    ),
    "authorise CNY 12.50": (
        "10 02 06 01 0A 04 00 00 00 00 12 50 49 01 56 10 03 F2 62",
        "06 01 0A 04 00 00 00 00 12 50 49 01 56",
    ),
    "diagnosis": ("10 02 06 70 00 10 03 D9 F9", "06 70 00"),
    "reset": ("10 02 06 18 00 10 03 56 3A", "06 18 00"),
    "status enquiry": ("10 02 05 01 03 12 34 56 10 03 E0 43", "05 01 03 12 34 56"),
    "positive acknowledgement": ("10 02 80 00 00 10 03 F5 1F", "80 00 00"),
    "need time": ("10 02 84 9C 00 10 03 C3 41", "84 9C 00"),
    "completion": (
        "10 02 06 0F 0B F0 F0 F7 32 2E 31 34 2E 31 35 00 10 03 B1 11",
        "06 0F 0B F0 F0 F7 32 2E 31 34 2E 31 35 00",
    ),
}

every_frame = pytest.mark.parametrize(("frame", "content"), FRAMES.values(), ids=FRAMES)

apdus = st.builds(Apdu, st.integers(0, 0xFFFF), st.binary(max_size=600))


@every_frame
def test_an_apdu_becomes_the_manuals_frame(frame: str, content: str) -> None:
    apdu = parse_apdu(bytes.fromhex(content))
    assert encode_frame(apdu) == bytes.fromhex(frame)
    assert apdu.encode() == bytes.fromhex(content)


@every_frame
def test_the_manuals_frame_is_read_however_it_is_cut(frame: str, content: str) -> None:
    data = bytes.fromhex(frame)
    wanted = [parse_apdu(bytes.fromhex(content))]
    for cut in range(len(data)):
        reader = FrameReader()
        assert reader.feed(data[:cut]) + reader.feed(data[cut:]) == wanted
    reader = FrameReader()
    assert [signal for byte in data for signal in reader.feed(bytes([byte]))] == wanted


@every_frame
def test_no_flipped_bit_passes_and_the_next_frame_is_read(frame: str, content: str) -> None:
    data, good = bytes.fromhex(frame), parse_apdu(bytes.fromhex(content))
    for bit in range(8 * len(data)):
        spoilt = bytearray(data)
        spoilt[bit // 8] ^= 1 << bit % 8
        reader = FrameReader()
        first = reader.feed(bytes(spoilt))
        assert not any(isinstance(signal, Apdu) for signal in first)
        # A frame whose end was spoilt swallows the next one's start: the second gets through.
        heard = reader.feed(data) + reader.feed(data)
        apdus_heard = [signal for signal in heard if isinstance(signal, Apdu)]
        assert apdus_heard and set(apdus_heard) == {good}


@given(st.lists(apdus, max_size=5), st.randoms(use_true_random=False))
def test_frames_arrive_in_order_in_any_pieces(sent: list[Apdu], chance: object) -> None:
    data = b"".join(encode_frame(apdu) for apdu in sent)
    reader, heard, at = FrameReader(), [], 0
    while at < len(data):
        end = at + chance.randint(1, 40)  # type: ignore[attr-defined]
        heard += reader.feed(data[at:end])
        at = end
    assert heard == sent


@given(st.binary(max_size=400), apdus)
def test_noise_is_survived_and_never_becomes_a_command(noise: bytes, apdu: Apdu) -> None:
    reader = FrameReader()
    reader.feed(noise)
    frame = encode_frame(apdu)
    heard = reader.feed(frame) + reader.feed(frame)
    assert apdu in heard
    assert len(reader) <= FRAME_BYTES_MAX


def test_a_frame_without_end_is_given_up() -> None:
    reader = FrameReader()
    heard = reader.feed(b"\x10\x02" + b"\x55" * (3 * FRAME_BYTES_MAX))
    assert Damaged() in heard
    assert len(reader) <= FRAME_BYTES_MAX
    assert reader.feed(bytes.fromhex("10 02 80 00 00 10 03 F5 1F")) == [Apdu(0x8000)]


def test_a_cut_frame_is_reported_when_the_next_one_starts() -> None:
    reader = FrameReader()
    heard = reader.feed(bytes.fromhex("10 02 06 70 00  10 02 84 9C 00 10 03 C3 41"))
    assert heard == [Damaged(), Apdu(0x849C)]


def test_ack_and_nak_stand_between_frames() -> None:
    reader = FrameReader()
    heard = reader.feed(bytes.fromhex("06 10 02 80 00 00 10 03 F5 1F 15"))
    assert heard == [Acknowledged(), Apdu(0x8000), NotAcknowledged()]


def test_ack_and_nak_inside_a_frame_are_data() -> None:
    apdu = Apdu(0x0615, bytes([0x06, 0x15, 0x10, 0x03, 0x02]))
    assert FrameReader().feed(encode_frame(apdu)) == [apdu]


def test_a_frame_that_holds_no_whole_apdu_is_damaged() -> None:
    # The CRC is right, the length byte says four.
    assert FrameReader().feed(bytes.fromhex("10 02 06 70 04 10 03 B9 9E")) == [Damaged()]


@pytest.mark.parametrize(
    ("size", "head"), [(254, "06 D3 FE"), (255, "06 D3 FF FF 00"), (300, "06 D3 FF 2C 01")]
)
def test_long_data_has_a_length_of_two_bytes_low_first(size: int, head: str) -> None:
    encoded = Apdu(0x06D3, bytes(size)).encode()
    assert encoded == bytes.fromhex(head) + bytes(size)
    assert parse_apdu(encoded) == Apdu(0x06D3, bytes(size))


@given(st.lists(apdus, max_size=5), st.integers(1, 50))
def test_a_tcp_stream_is_read_in_any_pieces(sent: list[Apdu], step: int) -> None:
    data = b"".join(apdu.encode() for apdu in sent)
    buffer, heard = bytearray(), []
    for at in range(0, len(data), step):
        buffer += data[at : at + step]
        while (apdu := take_apdu(buffer)) is not None:
            heard.append(apdu)
    assert heard == sent
    assert not buffer


def test_a_hostile_length_on_tcp_is_refused_before_anything_is_kept() -> None:
    buffer = bytearray.fromhex("06 D3 FF FF FF") + bytes(100)
    with pytest.raises(ProtocolError):
        take_apdu(buffer)
    assert DATA_BYTES_MAX < 0xFFFF


def test_an_apdu_in_a_log_shows_no_data() -> None:
    assert "1234" not in repr(Apdu(0x040F, bytes.fromhex("22F0F41234")))
