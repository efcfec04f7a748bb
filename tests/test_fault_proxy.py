"""Each fault of the proxy is what it says, seen from both ends of a connection to an echo server."""

from __future__ import annotations

import errno
import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from tests.fault_proxy import FaultProxy

PATIENCE_S = 10.0


class _Echo(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        self.heard = bytearray()
        self.ends: list[str] = []  # how each connection ended, seen from here
        self.ended = threading.Event()
        super().__init__(("127.0.0.1", 0), _EchoHandler)


class _EchoHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _Echo)
        try:
            while data := self.request.recv(1 << 16):
                server.heard += data
                self.request.sendall(data)
            server.ends.append("FIN")
        except OSError as error:
            server.ends.append(errno.errorcode[error.errno or 0])
        server.ended.set()


@pytest.fixture
def echo() -> Iterator[_Echo]:
    with _Echo() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(echo: _Echo) -> Iterator[FaultProxy]:
    with FaultProxy(("127.0.0.1", echo.server_address[1])) as made:
        yield made


def connect(proxy: FaultProxy) -> socket.socket:
    """A connection that has been there and back once."""
    sock = socket.create_connection(proxy.address, timeout=PATIENCE_S)
    assert ask(sock, b"hello") == b"hello"
    return sock


def ask(sock: socket.socket, data: bytes) -> bytes:
    """Send and wait for as much to come back."""
    sock.sendall(data)
    return receive(sock, len(data))


def receive(sock: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count and (more := sock.recv(count - len(got))):
        got += more
    return got


def test_a_healthy_network_changes_nothing(proxy: FaultProxy) -> None:
    """Every byte passes, in order, over several connections at once."""
    payload = bytes(range(256)) * 4000
    with connect(proxy) as first, connect(proxy) as other:
        sending = threading.Thread(target=first.sendall, args=(payload,))
        sending.start()
        assert ask(other, b"meanwhile") == b"meanwhile"
        assert receive(first, len(payload)) == payload
        sending.join()
    assert proxy.accepted == 2


def test_the_end_of_a_connection_is_passed_on(proxy: FaultProxy, echo: _Echo) -> None:
    """A client's goodbye reaches the server as one."""
    connect(proxy).close()
    assert echo.ended.wait(PATIENCE_S)
    assert echo.ends == ["FIN"]


def test_latency_delays_both_ways_and_keeps_the_order(proxy: FaultProxy) -> None:
    """Each direction takes at least the latency; `restore` takes it away again."""
    with connect(proxy) as sock:
        proxy.latency(100)
        began = time.monotonic()
        assert ask(sock, b"a") == b"a"
        delayed = time.monotonic() - began
        proxy.restore()
        assert delayed >= 0.2
        restored = []
        for _ in range(5):
            began = time.monotonic()
            assert ask(sock, b"bc") == b"bc"
            restored.append(time.monotonic() - began)
        assert min(restored) < delayed / 2


def test_a_cut_closes_everything_and_refuses_the_next(proxy: FaultProxy) -> None:
    """Who is connected reads the end; who connects is refused until the network is back, on the same port."""
    with connect(proxy) as sock:
        proxy.cut()
        assert sock.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(proxy.address, timeout=PATIENCE_S)
    proxy.restore()
    connect(proxy).close()


def test_a_reset_is_an_rst_to_both_sides(proxy: FaultProxy, echo: _Echo) -> None:
    """Client and server get ECONNRESET, not an orderly end; the next connection is served."""
    with connect(proxy) as sock:
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    assert echo.ended.wait(PATIENCE_S)
    assert echo.ends == ["ECONNRESET"]
    connect(proxy).close()


def test_a_half_open_connection_delivers_nothing(proxy: FaultProxy, echo: _Echo) -> None:
    """Bytes vanish both ways, no connection ends, and a new one is answered by nobody; `restore` resets them."""
    with connect(proxy) as sock:
        proxy.half_open()
        heard = bytes(echo.heard)
        sock.sendall(b"into the dark")  # succeeds
        sock.settimeout(0.3)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        with socket.create_connection(proxy.address, timeout=PATIENCE_S) as late:
            late.sendall(b"anyone?")
            late.settimeout(0.3)
            with pytest.raises(TimeoutError):
                late.recv(1)
        assert bytes(echo.heard) == heard
        assert echo.ends == [], "the server was not told"
        assert proxy.swallowed == len(b"into the dark" + b"anyone?")
        proxy.restore()
        sock.settimeout(PATIENCE_S)
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    connect(proxy).close()


def test_a_slow_link_drips(proxy: FaultProxy) -> None:
    """So many bytes a second and no more, and none is lost."""
    with connect(proxy) as sock:
        proxy.slow(10_000)
        began = time.monotonic()
        payload = bytes(range(250)) * 20
        assert ask(sock, payload) == payload
        assert time.monotonic() - began >= 0.45, "5,000 bytes at 10,000 a second"


def test_drop_after_ends_in_the_middle_of_a_message(proxy: FaultProxy, echo: _Echo) -> None:
    """Exactly so many bytes arrive, then both sides are reset; once."""
    with connect(proxy) as sock:
        proxy.drop_after(7)
        sock.sendall(b"0123456789")
        with pytest.raises(ConnectionResetError):
            receive(sock, 10)
    assert echo.ended.wait(PATIENCE_S)
    assert bytes(echo.heard) == b"hello" + b"0123456"
    connect(proxy).close()
