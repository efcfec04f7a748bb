"""The HTTP server in the service's own event loop: it takes its address early and stops within seconds."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import uvicorn
from anyio import to_thread

from ingest.api.app import build_api
from ingest.api.config import ApiConfig
from ingest.api.errors import CannotListen
from ingest.api.ports import Ports

SHUTDOWN_S: Final = 2
"""How long requests under way may take once the server stops; streams notice sooner."""


READERS: Final = 4
"""Requests that compute or read a database at the same moment; the engine shares the interpreter with them."""


class _Uvicorn(uvicorn.Server):
    """Uvicorn that leaves signals to the service."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class ApiServer:
    """The API and console, served. Use once: `bind`, then `serve` as a task; cancel the task or call `stop` to end."""

    def __init__(self, ports: Ports, config: ApiConfig) -> None:
        """Build the application.

        Raises:
            InvalidConfig: a token's secret cannot be used.
        """
        self._config = config
        self._socket: socket.socket | None = None
        self._port: int | None = None
        self._server = _Uvicorn(
            uvicorn.Config(
                build_api(ports, config, closing=lambda: self._server.should_exit),
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # an address that anyone may write is no address to brake sign-ins by
                limit_concurrency=config.max_connections,
                timeout_graceful_shutdown=SHUTDOWN_S,
                ssl_certfile=config.tls_cert,
                ssl_keyfile=config.tls_key,
            )
        )

    def bind(self) -> str:
        """Take the address; from here on connections wait until `serve` answers them. Returns the URL.

        Raises:
            CannotListen: the address is taken or not ours, or the certificate cannot be read.
        """
        self._listen()
        return self.url

    @property
    def port(self) -> int:
        """The port bound (the one that was free if 0 was asked for), known also after the end."""
        if self._port is None:
            raise RuntimeError("not bound yet")
        return self._port

    @property
    def url(self) -> str:
        """Where the console is."""
        host = f"[{self._config.host}]" if ":" in self._config.host else self._config.host
        return f"http{'s' if self._config.tls else ''}://{host}:{self.port}"

    async def serve(self) -> None:
        """Answer requests until `stop` or until cancelled; either way done within about `SHUTDOWN_S`.

        Raises:
            CannotListen: as `bind`, if it was not called before.
        """
        to_thread.current_default_thread_limiter().total_tokens = READERS
        serving = asyncio.create_task(self._server.serve(sockets=[self._listen()]), name="api-http")
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self.stop()
            await serving
            raise

    def stop(self) -> None:
        """Ask the server to stop."""
        self._server.should_exit = True

    def _listen(self) -> socket.socket:
        if self._socket is None:
            host, port = self._config.host, self._config.port
            try:
                self._server.config.load()  # reads the certificate
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                self._socket = socket.create_server((host, port), family=family, backlog=256)
                # Or the end of each answer waits 40 ms for the client to say that it has the beginning: asyncio sees
                # to that itself only on sockets that say they are TCP, which the ones made this way do not.
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except (OSError, ssl.SSLError) as error:
                raise CannotListen(host, port, error.strerror or str(error)) from error
            self._port = self._socket.getsockname()[1]
        return self._socket
