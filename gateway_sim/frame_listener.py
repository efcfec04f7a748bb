"""A TCP server in a thread of its own that takes frames with an end mark, under the stand-ins that speak no HTTP."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Callable
from typing import Final

MOST_BYTES: Final = 65_536
IDLE_S: Final = 30.0


class FrameListener:
    """Answers every frame with the bytes that `answer` returns, none of them being silence; None ends the connection.

    `answer` runs in the connection's own thread. `tls`: None is plain TCP.
    """

    def __init__(
        self, answer: Callable[[bytes], bytes | None], *, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        class Handler(socketserver.StreamRequestHandler):
            timeout = IDLE_S

            def handle(self) -> None:
                """Answer until one side ends it."""
                while frame := self.rfile.readline(MOST_BYTES):
                    reply = answer(frame)
                    if reply is None:
                        return
                    self.wfile.write(reply)

        self._server = _Server(("127.0.0.1", port), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="frames", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; connections still open end with their next frame."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, or speaks no TLS, is its own affair."""
