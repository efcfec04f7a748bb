"""A small HTTP server in a thread of its own, under the stand-ins for the other ends of the service's connectors."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Protocol

MOST_BYTES: Final = 4 << 20
IDLE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer with a JSON body."""

    status: int
    content: Mapping[str, Any] = field(default_factory=dict)


class Listening(Protocol):
    """What stands on a port, in threads of its own."""

    port: int

    def start(self) -> None:
        """Begin to answer."""

    def stop(self) -> None:
        """Stop listening."""


class Listener:
    """Answers every request with what `answer` returns; None closes the connection without an answer.

    `answer` runs in the connection's own thread, several at once.
    """

    def __init__(
        self,
        answer: Callable[[Request], Reply | None],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._answer = answer
        self._server = _Server((host, port), self._handler())
        if tls is not None:
            # The handshake happens in the connection's thread, so that a silent client does not stop the others.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="listener", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; connections still open get no further answer."""
        self._server.stopping = True
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or each body waits 40 ms, until its head is acknowledged
            timeout = IDLE_S
            server: _Server

            def _serve(self) -> None:
                length = self.headers.get("content-length", "0")
                if self.server.stopping or not length.isdecimal() or int(length) > MOST_BYTES:
                    self.close_connection = True
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = answer(Request(self.command, self.path, headers, self.rfile.read(int(length))))
                if reply is None:
                    self.close_connection = True
                    return
                content = json.dumps(reply.content, ensure_ascii=False).encode()
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  names http.server looks for

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Log nothing: the report lists what came."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    stopping = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or speaks no TLS, is its own affair."""
