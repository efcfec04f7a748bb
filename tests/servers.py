"""Real servers for tests: child processes on free loopback ports, stopped by pid, killed and restarted on demand.

`influxd(tmp)`, `victoria_metrics(tmp)` and `mosquitto(tmp)` are context managers that yield an address that answers.
A test that needs to kill and restart takes the `Server` itself: `influxd_server(tmp)` and its sisters, or `PostgreSQL`.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx
import psycopg

from gateway_sim.certificates import make_certificates
from tests.postgresql_cluster import ROLE, ROLE_PASSWORD, as_owner, binaries, cluster, owner
from tests.programs import find

LOOPBACK: Final = "127.0.0.1"
START_TIMEOUT_S: Final = 180.0
STOP_TIMEOUT_S: Final = 60.0

HTTP: Final = httpx.Client(trust_env=False, timeout=START_TIMEOUT_S, limits=httpx.Limits(max_keepalive_connections=0))
"""For every request over a connection of its own: a client made for one, as by `httpx.get`, reads all certificates
there are each time, and who asks again and again until a service answers keeps a processor busy with that."""

Session = psycopg.Connection[tuple[object, ...]]

_PORTS: Final = range(10_000, 32_000)
"""Below those that clients are lent, on Linux and elsewhere."""

_first: Final = os.getpid() * 9_973 % len(_PORTS)  # processes begin far from one another
_ports: Final[Iterator[int]] = itertools.cycle([*_PORTS[_first:], *_PORTS[:_first]])


class Server:
    """A child process that listens on one loopback port and keeps its data in one folder.

    `kill` and `start` again: the same port, the same data, as after a power cut.
    """

    def __init__(self, command: Sequence[str], port: int, log: Path, ready: Callable[[], bool]) -> None:
        self.host: Final = LOOPBACK
        self.port: Final = port
        self._command = command
        self._log = log
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of a server that speaks HTTP."""
        return f"http://{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        """The process, while it runs."""
        if self._process is None:
            raise RuntimeError(f"{self._command[0]} is not running")
        return self._process.pid

    def start(self) -> None:
        """Start and return once it answers; raise RuntimeError with the end of its log if it does not."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._process = process
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._ready():
            if process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                tail = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise RuntimeError(f"{self._command[0]} did not start (exit {process.returncode}):\n{tail}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop in good order; kill it if that takes too long."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, and nobody is notified."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def influxd_server(tmp: Path) -> Server:
    """InfluxDB 1.x, not yet started; every write is on disk before it is answered."""
    home = _folder(tmp, "influxdb")
    port = free_port()
    config = home / "influxdb.conf"
    config.write_text(
        f"""
reporting-disabled = true
bind-address = "{LOOPBACK}:0"
[meta]
  dir = "{home}/meta"
[data]
  dir = "{home}/data"
  wal-dir = "{home}/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "{LOOPBACK}:{port}"
  log-enabled = false
""",
        encoding="utf-8",
    )
    command = [find("influxd"), "run", "-config", str(config)]
    return Server(command, port, home / "log", _answers(f"http://{LOOPBACK}:{port}/ping"))


def victoria_metrics_server(tmp: Path) -> Server:
    """VictoriaMetrics, not yet started; it keeps readings of any age and drops repeated ones."""
    home = _folder(tmp, "victoria-metrics")
    port = free_port()
    command = [
        find("victoria-metrics"),
        f"-httpListenAddr={LOOPBACK}:{port}",
        f"-storageDataPath={home}/data",
        "-retentionPeriod=100y",
        "-dedup.minScrapeInterval=1ms",
        "-search.latencyOffset=0s",
        "-memory.allowedBytes=256MB",
    ]
    return Server(command, port, home / "log", _answers(f"http://{LOOPBACK}:{port}/health"))


def mosquitto_server(tmp: Path, config_lines: Sequence[str] = ()) -> Server:
    """Mosquitto, not yet started. A setting given in `config_lines` replaces ours of the same name."""
    home = _folder(tmp, "mosquitto")
    port = free_port()
    ours = [
        f"listener {port} {LOOPBACK}",
        "allow_anonymous true",
        "persistence true",
        f"persistence_location {home}/",
        "log_dest stderr",
        *(["user root"] if os.geteuid() == 0 else []),
    ]
    theirs = {line.split()[0] for line in config_lines if line.strip()}
    config = home / "mosquitto.conf"
    lines = [*(line for line in ours if line.split()[0] not in theirs), *config_lines]
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Server([find("mosquitto"), "-c", str(config)], port, home / "log", lambda: _accepts(port))


class PostgreSQL(Server):
    """PostgreSQL with one ordinary role, that signs in by password and may own databases; syncs as in production.

    Its data lie in a folder of its own that goes with it: as root the server runs as another user, whom the folders of
    tests are closed to.
    """

    ROLE: Final = ROLE
    PASSWORD: Final = ROLE_PASSWORD

    def __init__(self, settings: Sequence[str] = ()) -> None:
        """Make the cluster. `settings` such as "fsync=off" are added to ours; TLS is spoken to who asks for it."""
        self.home: Final = Path(tempfile.mkdtemp(prefix="yujing-postgresql-"))
        certificates = make_certificates(self.home)
        self.ca: Final = certificates.ca
        if os.geteuid() == 0:
            for each in (self.home, certificates.key):
                shutil.chown(each, *owner())
        data, port = self.home / "data", free_port()
        subprocess.run(["cp", "-a", cluster(), data], check=True)
        ours = [
            f"listen_addresses={LOOPBACK}",
            f"port={port}",
            f"unix_socket_directories={self.home}",
            "ssl=on",
            f"ssl_cert_file={certificates.server}",
            f"ssl_key_file={certificates.key}",
        ]
        command = [*as_owner(), str(binaries() / "postgres"), "-D", str(data)]
        command += [word for setting in (*ours, *settings) for word in ("-c", setting)]
        super().__init__(command, port, self.home / "log", self._takes_sessions)
        self._databases = 0

    def database(self, like: str = "template0") -> str:
        """The address of a new database of our role: empty, or a copy of one that nobody uses."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.ask(f"CREATE DATABASE {name} OWNER {self.ROLE} TEMPLATE {like} ENCODING 'UTF8'")
        return f"postgresql://{self.ROLE}@{self.host}:{self.port}/{name}"

    def ask(self, query: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Ask as the administrator; what comes back, if anything does."""
        with self.admin(database) as session:
            found = session.execute(query.encode())
            return found.fetchall() if found.description else []

    def admin(self, database: str = "postgres") -> Session:
        """A session of the administrator, each statement committed by itself; it is closed as a context."""
        return psycopg.connect(f"host={self.home} port={self.port} user=admin dbname={database}", autocommit=True)

    def start(self) -> None:
        """Start; after a kill, once the kernel has let go of what the dead processes shared."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                return super().start()
            except RuntimeError as error:
                if "shared memory" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop in good order, without waiting for sessions to end."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
        super().stop()

    def kill(self) -> None:
        """SIGKILL to the server and to every process it has for its sessions."""
        if self._process is None:
            return
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        ids = children.read_text(encoding="ascii").split() if children.exists() else []
        with ExitStack() as opened:
            handles = []  # a number may be another process's by the time it is killed
            for each in ids:
                with suppress(ProcessLookupError):
                    handles.append(os.pidfd_open(int(each)))
                    opened.callback(os.close, handles[-1])
            super().kill()
            for handle in handles:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, signal.SIGKILL)

    def wait(self) -> None:
        """Return once it has ended by itself, after a signal."""
        if self._process is not None:
            self._process.wait(STOP_TIMEOUT_S)
            self._process = None

    def kill_process(self, pid: int) -> None:
        """SIGKILL to one of its processes: it ends all sessions and recovers. Returns once it takes new ones."""
        deadline = time.monotonic() + START_TIMEOUT_S
        with self.admin() as witness, suppress(psycopg.Error):
            os.kill(pid, signal.SIGKILL)
            while time.monotonic() < deadline:
                witness.execute("SELECT 1")
                time.sleep(0.02)
        while not self._takes_sessions():
            if time.monotonic() > deadline:
                raise RuntimeError("it does not recover")
            time.sleep(0.02)

    def remove(self) -> None:
        """End it and delete its data, which need not be written out before: fifty databases take a minute."""
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def _takes_sessions(self) -> bool:
        try:
            self.ask("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def postgresql(settings: Sequence[str] = ()) -> Iterator[PostgreSQL]:
    """A running PostgreSQL, whose data go with it."""
    server = PostgreSQL(settings)
    try:
        server.start()
        yield server
    finally:
        server.remove()


@contextmanager
def influxd(tmp: Path) -> Iterator[str]:
    """The URL of a running InfluxDB 1.x without databases."""
    with influxd_server(tmp) as server:
        yield server.url


@contextmanager
def victoria_metrics(tmp: Path) -> Iterator[str]:
    """The URL of a running, empty VictoriaMetrics."""
    with victoria_metrics_server(tmp) as server:
        yield server.url


@contextmanager
def mosquitto(tmp: Path, config_lines: Sequence[str] = ()) -> Iterator[tuple[str, int]]:
    """Host and port of a running Mosquitto."""
    with mosquitto_server(tmp, config_lines) as server:
        yield server.host, server.port


def free_port() -> int:
    """A loopback TCP port nobody listens on at the moment.

    It is none of those that the kernel lends to clients, nor one that a test run beside this one is likely to try.
    """
    for port in _ports:
        with socket.socket() as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise AssertionError("they go round")


def _folder(tmp: Path, name: str) -> Path:
    home = tmp / name
    home.mkdir(parents=True, exist_ok=True)
    return home


def _answers(url: str) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            return HTTP.get(url, timeout=1).is_success
        except httpx.TransportError:
            return False

    return ready


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True
