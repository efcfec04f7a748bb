"""Messages share a reused connection one after the other, and no answer is taken for that of another message."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from ingest.delivery import posting
from ingest.delivery.errors import Unreachable
from ingest.delivery.posting import Posting, Reply

PATIENCE_S = 60
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
END = b"(the server ends the connection)"


Answer = Callable[[int, int], bytes]
"""By the number of the connection and that of the message on it, from 0; `END` at its end ends the connection."""


@pytest.fixture(autouse=True)
def slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection is let go of for its age: that would hide what else ends it."""
    monkeypatch.setattr(posting, "KEEP_S", 1000.0)


class Server:
    """Answers as a test has it."""

    def __init__(self, answer: Answer) -> None:
        self.connections = self.ended = 0
        self.newest: asyncio.StreamWriter | None = None
        self.heads: list[bytes] = []
        self._answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, message = self.connections, 0
        self.connections, self.newest = self.connections + 1, writer
        try:
            while True:
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                head = self.heads[-1].lower()
                await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
                answer = self._answer(number, message)
                message += 1
                writer.write(answer.removesuffix(END))
                if answer.endswith(END):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()
        self.ended += 1


class Client:
    """Posts to it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._url = f"http://127.0.0.1:{port}/hook"
        self.posting = Posting(ssl.create_default_context())

    async def __call__(self) -> Reply:
        return await self.posting.post(self._url, b"{}", {}, most=100)

    async def rests(self) -> None:
        """Return once it has seen that none of its connections can be used again."""
        while any(line.usable for lines in self.posting._kept.values() for line in lines):
            await asyncio.sleep(0.001)


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[tuple[Server, Client]]:
    server = Server(answer)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    post = Client(listening.sockets[0].getsockname()[1])
    async with asyncio.timeout(PATIENCE_S):
        yield server, post
        await post.posting.close()
        while server.ended < server.connections:
            await asyncio.sleep(0.001)
    listening.close()
    await listening.wait_closed()


async def test_a_request_bears_what_it_is_given_and_nothing_that_is_no_header() -> None:
    async with served(lambda _connection, _message: OK) as (server, post):
        url = f"http://127.0.0.1:{post.port}/hook?企业=南安"
        await post.posting.post(url, b"{}", {"webhook-id": "1", "content-type": "a/b; charset=utf-8"}, most=100)
        host = f"127.0.0.1:{post.port}"
        assert server.heads == [
            b"POST /hook?%E4%BC%81%E4%B8%9A=%E5%8D%97%E5%AE%89 HTTP/1.1\r\nhost: "
            + host.encode()
            + b"\r\naccept: */*\r\ncontent-length: 2\r\nwebhook-id: 1\r\ncontent-type: a/b; charset=utf-8\r\n\r\n"
        ]
        for name, value in (("appSecret", "a b\tc"), ("X_App-Secret.1", ""), ("a", "~!")):
            await post.posting.post(url, b"{}", {name: value}, most=100)
            assert server.heads[-1].endswith(f"\r\n{name}: {value}\r\n\r\n".encode())
        broken = (("a", "1\r\nb: 2"), ("a", "1\n"), ("a", " 1"), ("a", "1 "), ("a b", "1"), ("a", "值"))
        ours = (("Host", "b"), ("Content-Length", "1"), ("transfer-encoding", "chunked"))
        for name, value in (*broken, *ours):
            with pytest.raises(Unreachable):
                await post.posting.post(url, b"{}", {name: value}, most=100)
        assert len(server.heads) == 4


async def test_messages_share_a_connection() -> None:
    async with served(lambda _connection, _message: OK) as (server, post):
        assert [(await post()).body for _ in range(3)] == [b"ok"] * 3
        assert server.connections == 1


async def test_a_connection_that_was_idle_for_long_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "KEEP_S", 0.0)
    async with served(lambda _connection, _message: OK) as (server, post):
        for count in (1, 2):
            assert (await post()).status == 200
            assert server.connections == count


async def test_messages_under_way_at_once_have_a_connection_each() -> None:
    async with served(lambda _connection, _message: OK) as (server, post):
        await asyncio.gather(post(), post())
        await asyncio.gather(post(), post())
        assert server.connections == 2


async def test_unsolicited_data_does_not_answer_the_next_request() -> None:
    async with served(lambda _connection, _message: OK) as (server, post):
        await post()
        assert server.newest is not None
        server.newest.write(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nnot you")
        await post.rests()
        assert (await post()).body == b"ok"
        assert server.connections == 2


@pytest.mark.parametrize("more", [OK, b"HTTP/1.1 408 Request Timeout\r\n\r\n"], ids=["an answer", "a goodbye"])
async def test_what_comes_without_a_message_answers_none(more: bytes) -> None:
    """Whether it comes with the answer before, or after it."""
    async with served(lambda connection, _message: OK + more if connection == 0 else OK) as (server, post):
        assert [(await post()).status for _ in range(3)] == [200] * 3
        assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n" + END,
        b"HTTP/1.0 200 OK\r\n\r\nto the end" + END,
        OK + END,
    ],
    ids=["said before", "of old", "unsaid"],
)
async def test_a_receiver_that_ends_its_connections_is_given_another_each_time(answer: bytes) -> None:
    async with served(lambda _connection, _message: answer) as (server, post):
        for count in (1, 2, 3):
            assert (await post()).status in {200, 204}
            assert server.connections == count
            await post.rests()


async def test_an_interim_answer_is_not_the_answer() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    async with served(lambda _connection, _message: early + OK) as (_, post):
        assert (await post()).status == 200


@pytest.mark.parametrize(
    "answer",
    [b"220 smtp.example ESMTP\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok" + END, END],
    ids=["no HTTP", "half", "none"],
)
async def test_what_is_no_whole_answer_is_none(answer: bytes) -> None:
    async with served(lambda connection, _message: answer if connection == 0 else OK) as (_, post):
        with pytest.raises(Unreachable, match="broken before the answer was complete"):
            await post()
        assert (await post()).status == 200


async def test_a_long_answer_is_cut_and_its_connection_ends() -> None:
    long = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + b"x" * 1000
    async with served(lambda _connection, _message: long) as (server, post):
        assert [len((await post()).body) for _ in range(2)] == [100, 100]
        assert server.connections == 2
