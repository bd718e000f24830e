"""ccTalk bytes typed by hand (PROTOCOL.md §: examples of specification and product manuals)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cashbox.codec import (
    FRAME_BYTES_MAX,
    BillEvents,
    Frame,
    FrameReader,
    crc16,
    parse_bill_events,
    parse_bill_id,
)
from drivers.errors import ProtocolError

SERIAL_REQUEST = bytes([2, 0, 1, 242, 11])
SERIAL_REPLY = bytes([1, 3, 2, 0, 78, 97, 188, 143])
EVENTS_REQUEST = bytes([2, 0, 1, 229, 24])
EVENTS_REPLY = bytes([1, 11, 2, 0, 6, 6, 4, 0, 20, 0, 23, 6, 4, 13, 2, 158])
CRC_REPLY = bytes([1, 2, 116, 0, 31, 0, 84])


def test_requests_are_the_frames_of_the_manuals() -> None:
    assert Frame(2, 1, 242).encode() == SERIAL_REQUEST
    assert Frame(2, 1, 229).encode() == EVENTS_REQUEST


def test_replies_are_read_as_the_manuals_read_them() -> None:
    (serial,) = FrameReader(1).feed(SERIAL_REPLY)
    assert int.from_bytes(serial.data, "little") == 12_345_678
    (events,) = FrameReader(1).feed(EVENTS_REPLY)
    assert parse_bill_events(events.data) == BillEvents(
        6, ((6, 4), (0, 20), (0, 23), (6, 4), (13, 2))
    )


def test_a_reply_with_crc_is_read() -> None:
    (reply,) = FrameReader(1, crc=True).feed(CRC_REPLY)
    assert reply.data == bytes([31, 0])
    assert Frame(1, 40, 0, bytes([31, 0])).encode(crc=True) == CRC_REPLY
    assert crc16(b"123456789") == 0x31C3  # the check value of CRC-16/XMODEM


def test_our_own_echo_is_passed_over() -> None:
    echo = Frame(40, 1, 254).encode()
    reply = Frame(1, 40, 0).encode()
    assert FrameReader(1).feed(echo + reply) == [Frame(1, 40, 0)]


def test_a_reply_is_read_however_it_is_cut() -> None:
    for cut in range(len(EVENTS_REPLY)):
        reader = FrameReader(1)
        frames = reader.feed(EVENTS_REPLY[:cut]) + reader.feed(EVENTS_REPLY[cut:])
        assert len(frames) == 1


@pytest.mark.parametrize(("frame", "crc"), [(EVENTS_REPLY, False), (CRC_REPLY, True)])
def test_no_flipped_bit_passes(frame: bytes, crc: bool) -> None:
    (good,) = FrameReader(1, crc).feed(frame)
    for bit in range(8 * len(frame)):
        spoilt = bytearray(frame)
        spoilt[bit // 8] ^= 1 << bit % 8
        assert good not in FrameReader(1, crc).feed(bytes(spoilt))


@given(st.binary(max_size=300))
def test_noise_is_survived_and_kept_short(noise: bytes) -> None:
    reader = FrameReader(1)
    reader.feed(noise)
    reader.skip()
    (events,) = FrameReader(1).feed(EVENTS_REPLY)
    assert events in reader.feed(EVENTS_REPLY)
    assert len(reader) <= FRAME_BYTES_MAX


def test_bill_ids_are_country_value_and_issue() -> None:
    assert parse_bill_id(b"CN0010A") == ("CN", 10)
    assert parse_bill_id(b".......") is None
    with pytest.raises(ProtocolError):
        parse_bill_id(b"CN10")


def test_bill_events_of_another_length_are_refused() -> None:
    with pytest.raises(ProtocolError):
        parse_bill_events(bytes(10))
