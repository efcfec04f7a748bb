"""A plain answer is read without h11, and is what h11 makes of the same bytes: the same reply, and a reusable end."""

from __future__ import annotations

import random

import h11
import pytest

from ingest.delivery.posting import Reply, _plain

MOST = 100
USUAL = [
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    b"HTTP/1.1 204 No Content\r\nServer: nginx/1.24.0\r\nDate: Mon, 30 Nov 2026 10:00:00 GMT\r\n\r\n",
    b"HTTP/1.1 200 \r\nConnection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 202 Accepted\r\nRetry-After: 30\r\nContent-Length: 4\r\n\r\n\r\n\r\n",
]
OTHERS = [
    b"HTTP/1.1 200 OK\r\n\r\n",  # as long as the connection lasts
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nconnection: keep-alive, close\r\ncontent-length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok more",
    b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\ncontent-length: 101\r\n\r\n" + b"x" * 101,
    b"HTTP/1.1 200 OK\r\ncontent-length: " + b"0" * 5000 + b"2\r\n\r\nok",
    b"HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nok",
    b"HTTP/1.1 204 No Content\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nx: a\r\n b\r\ncontent-length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok",
    b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n",
    b"220 smtp.example ESMTP\r\n\r\n",
    b"",
]


def by_h11(answer: bytes) -> Reply | None:
    """What h11 makes of these bytes; None: no whole answer after which the connection can be used again."""
    http = h11.Connection(h11.CLIENT)
    http.send(h11.Request(method="POST", target="/", headers=[("host", "x"), ("content-length", "0")]))
    http.send(h11.EndOfMessage())
    head, found = None, b""
    try:
        http.receive_data(answer)
        while (event := http.next_event()) is not h11.NEED_DATA and type(event) is not h11.EndOfMessage:
            if isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                found += event.data
            elif not isinstance(event, h11.InformationalResponse):
                return None
    except h11.RemoteProtocolError:
        return None
    if head is None or (http.our_state, http.their_state) != (h11.DONE, h11.DONE) or http.trailing_data[0]:
        return None
    return Reply(head.status_code, dict(head.headers), found)


@pytest.mark.parametrize("answer", USUAL)
def test_what_servers_usually_answer_is_plain(answer: bytes) -> None:
    reply = _plain(answer, MOST)
    assert reply is not None
    assert reply == by_h11(answer)


@pytest.mark.parametrize("answer", OTHERS)
def test_whatever_needs_more_than_its_length_is_for_h11(answer: bytes) -> None:
    assert _plain(answer, MOST) is None


def test_no_answer_is_read_otherwise_than_by_h11() -> None:
    """Of all answers, whole, cut, and with any byte changed, added or missing."""
    chance, plain = random.Random(5), 0  # noqa: S311  which bytes, not secrets
    for answer in [*USUAL, *(other for other in OTHERS if len(other) < 1000)]:
        for at in range(len(answer) + 1):
            new = bytes([chance.choice(b"\0\t\n\r :;,-05Aa\x7f\xe9")])
            for changed in (
                answer[:at],
                answer[:at] + answer[at + 1 :],
                answer[:at] + new + answer[at:],
                answer[:at] + new + answer[at + 1 :],
            ):
                if (reply := _plain(changed, MOST)) is not None:
                    plain += 1
                    assert reply == by_h11(changed), changed
    assert plain > 100
