"""HTTP server in the service's event loop: binds its address early and stops within seconds."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any, Final

import uvicorn
from anyio import to_thread
from uvicorn.server import ServerState

from ingest.domain.model.fault import Refuse, refuse_all
from ingest.plants.saved_files import SavedFiles
from ingest.services.config import ApiConfig
from ingest.services.errors import CannotListen
from ingest.services.ports import Ports
from ingest.web.app import build_api
from ingest.web.connections import RESERVE, Connections, Place
from ingest.web.listener import Listener
from ingest.web.protocol import PATIENCE_S, Connection, NewConnection
from ingest.web.tls import RenewedContext

SHUTDOWN_S: Final = 2
"""How long requests under way may take once the server stops; streams end sooner."""

READERS: Final = 4
"""Threads for requests that compute or read a database: the engine shares the interpreter with them."""

_WAITING: Final = 256
"""Connections that wait in the kernel to be accepted."""


class _State(ServerState):
    """State shared by uvicorn's connections; computes the date header per response, not by a timer each second."""

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        """The date header (RFC 9110, 6.6.1)."""
        return [(b"date", formatdate(usegmt=True).encode())]

    @default_headers.setter
    def default_headers(self, headers: list[tuple[bytes, bytes]]) -> None:
        """Ignore the headers uvicorn sets at its start."""


class _Uvicorn(uvicorn.Server):
    """Uvicorn without its signal handlers and its periodic wake-ups."""

    def __init__(self, config: uvicorn.Config, connections: Connections) -> None:
        super().__init__(config)
        self.server_state = _State()
        self._connections = connections
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """End `serve`. Call on the event loop."""
        self.should_exit = True
        self._stopped.set()

    async def main_loop(self) -> None:
        """Wait for `stop`, where uvicorn polls ten times a second."""
        await self._stopped.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        def protocol() -> asyncio.Protocol:
            return self.config.http_protocol_class(  # type: ignore[call-arg]  # as uvicorn calls it
                config=self.config, server_state=self.server_state, app_state={}
            )

        self.servers = [Listener(listening, protocol) for listening in sockets or ()]  # type: ignore[misc]  # closed, waited for
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._connections.end_silent()  # uvicorn does not track them
        await super().shutdown(sockets)


class ApiServer:
    """Serves the API and console. Use once: `bind`, then `serve` as a task; cancel the task or call `stop` to end."""

    def __init__(
        self,
        ports: Ports,
        config: ApiConfig,
        *,
        most: int | None = None,
        patience_s: float = PATIENCE_S,
        refused: Refuse = refuse_all,
        kept: SavedFiles | None = None,
    ) -> None:
        """Build the application.

        Args:
            ports: the parts of the service it calls.
            config: its part of the settings.
            most: limit of connections, the reserve included, where the system allows fewer than the settings.
            patience_s: timeout of clients (`ingest.web.protocol`).
            refused: receives the faults of tokens that cannot be used.
            kept: files that keep sessions of the console over a restart; None: they end with the process.

        Raises:
            InvalidConfig: a token's secret cannot be used, by `refuse_all`.
        """
        self._config = config
        self._socket: socket.socket | None = None
        self._port: int | None = None
        self._tls: ssl.SSLContext | None = None
        self._patience_s = patience_s
        reserve, places = RESERVE, config.max_connections + RESERVE
        if most is not None and most < places:
            reserve, places = min(RESERVE, most // 4), most
        self._connections = Connections(places - reserve, reserve)
        self._server = _Uvicorn(
            uvicorn.Config(
                build_api(ports, config, closing=lambda: self._server.should_exit, refused=refused, kept=kept),
                http=self._protocol,  # type: ignore[arg-type]  # called as a class would be
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,  # the guard knows which proxies are trusted
                timeout_graceful_shutdown=SHUTDOWN_S,
            ),
            self._connections,
        )

    def bind(self) -> str:
        """Bind the address; from here on connections wait until `serve` answers them. Returns the URL.

        Raises:
            CannotListen: the address is taken or not ours, or the certificate cannot be read.
        """
        self._listen()
        return self.url

    @property
    def port(self) -> int:
        """The bound port (a free one if the settings say 0); still known after the server stopped."""
        if self._port is None:
            raise RuntimeError("not bound yet")
        return self._port

    @property
    def url(self) -> str:
        """The console's URL."""
        host = f"[{self._config.host}]" if ":" in self._config.host else self._config.host
        return f"http{'s' if self._config.tls else ''}://{host}:{self.port}"

    async def serve(self) -> None:
        """Answer requests until `stop` or until cancelled; then ends within about `SHUTDOWN_S`.

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
        """Ask the server to stop. Call on the event loop."""
        self._server.stop()

    def close(self) -> None:
        """Give the address up, also if `serve` was never awaited. Harmless when repeated."""
        if self._socket is not None:
            self._socket.close()

    @property
    def stopped(self) -> bool:
        """Whether the server was asked to stop."""
        return self._server.should_exit

    def _protocol(self, **uvicorn_arguments: Any) -> asyncio.Protocol:
        def connection(place: Place) -> Connection:
            return Connection(self._connections, place, patience_s=self._patience_s, **uvicorn_arguments)

        return NewConnection(self._connections, self._tls, connection, patience_s=self._patience_s)

    def _listen(self) -> socket.socket:
        if self._socket is None:
            host, port = self._config.host, self._config.port
            try:
                self._tls = _tls(self._config)
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                self._socket = socket.create_server((host, port), family=family, backlog=_WAITING)
                # Or the end of each answer waits 40 ms for the client to say that it has the beginning: asyncio sees
                # to that itself only on sockets that say they are TCP, which the ones made this way do not.
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except (OSError, UnicodeError) as error:  # of a certificate, too; a name that can be none
                raise CannotListen(host, port, getattr(error, "strerror", None) or str(error)) from error
            self._port = self._socket.getsockname()[1]
        return self._socket


def _tls(config: ApiConfig) -> ssl.SSLContext | None:
    if config.tls_cert is None or config.tls_key is None:
        return None
    return RenewedContext(config.tls_cert, config.tls_key).context
