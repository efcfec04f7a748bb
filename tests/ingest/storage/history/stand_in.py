"""Stand-ins for InfluxDB servers this machine does not have: loopback HTTP servers in a thread."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrived, its body unpacked; `broken`: it was declared packed and is not."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def http_server(answer: Callable[[Asked], Answer]) -> Iterator[str]:
    """The URL of a server that answers by `answer`, and fails the test if a client leaves its connection open."""
    left_open: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or each body waits 40 ms, until its head is acknowledged
        timeout = 30  # for a connection left open, or idle on a loaded machine; a closed one ends at once

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            packed = self.headers.get("Content-Encoding") == "gzip"
            if packed:
                with suppress(OSError, EOFError, zlib.error):
                    body, packed = gzip.decompress(body), False
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            reply = answer(Asked(self.command, url.path, query, dict(self.headers), body, broken=packed))
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = handle_any  # noqa: N815  the base class's name
        do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            """Keep quiet."""

        def log_error(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            left_open.append(format % args)

    class Server(ThreadingHTTPServer):
        daemon_threads = False  # the end waits for every connection

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="stand-in")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert left_open == []


@contextmanager
def scripted(answers: Sequence[Answer]) -> Iterator[tuple[str, list[Asked]]]:
    """A server that gives these answers in turn, the last one for ever; and its requests."""
    asked: list[Asked] = []

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return answers[min(len(asked), len(answers)) - 1]

    with http_server(answer) as url:
        yield url, asked
