"""Who asks the emulated printer over HTTP: only what is posted counts, however much else comes."""

from __future__ import annotations

from drivers.ipp.http_requests import HttpRequests


def test_any_number_of_other_requests_is_passed_over() -> None:
    gets = b"GET / HTTP/1.1\r\n\r\n" * 5000
    posted = b"POST /ipp HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
    assert list(HttpRequests().feed(gets + posted + gets)) == [b"abc"]
