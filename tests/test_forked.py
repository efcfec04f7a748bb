"""A forked process is to its test and to itself what a new one is, and none outlives the tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.forked import PYTHON, ROOT, Process, ServerGone, fork_servers, run, start

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")

PATIENCE_S: Final = 120.0
KINDS: Final = [pytest.param(0, id="forked"), pytest.param(1, id="forked-again"), pytest.param(None, id="new")]
WAITS: Final = "import time\nprint('begun', flush=True)\ntime.sleep(600)"
REPORTS: Final = """
import gc, json, locale, os, random, resource, secrets, signal, ssl, sys, threading, time, uuid
import ingest, numpy
given = {
    "arguments": sys.argv, "name": __name__, "module": __spec__.name, "path": sys.path, "flags": str(sys.flags),
    "main": sys.modules["__main__"].__dict__ is globals(), "package": ingest.__path__ and list(ingest.__path__),
    "folder": os.getcwd(), "environment": dict(os.environ), "umask": os.umask(0), "zone": time.tzname,
    "standard": [os.readlink(f"/proc/self/fd/{number}") for number in range(3)], "input": sys.stdin.read(),
    "descriptors": [int(name) for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}")],
    "encodings": [
        str((file.encoding, file.errors, file.line_buffering)) for file in (sys.stdin, sys.stdout, sys.stderr)
    ],
    "signals": {number: str(signal.getsignal(number)).split(" at ")[0] for number in range(1, signal.NSIG)},
    "masked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "wakeup": signal.set_wakeup_fd(-1),
    "group": os.getpgrp(), "session": os.getsid(0), "nice": os.nice(0), "affinity": sorted(os.sched_getaffinity(0)),
    "limits": [resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")],
    "locale": locale.setlocale(locale.LC_ALL), "collects": (gc.isenabled(), gc.get_threshold()),
    "product": float((numpy.ones((400, 400)) @ numpy.ones((400, 400))).sum()),  # NumPy's threads, begun anew
    "threads": [thread.name for thread in threading.enumerate()],
    "main_thread": threading.current_thread() is threading.main_thread(),
    "number": threading.main_thread().native_id == os.getpid(),
}
own = {
    "pid": os.getpid(), "hash": hash("text"), "random": random.random(), "uuid": str(uuid.uuid4()),
    "secret": secrets.token_hex(), "tls": ssl.RAND_bytes(16).hex(),
}
print(json.dumps({"given": given, "own": own}))
"""


@pytest.fixture(autouse=True)
def _in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules are found where a process is started."""
    monkeypatch.chdir(tmp_path)


def launch(code: str, earlier_starts: int | None, *arguments: str, name: str = "child") -> tuple[Process, Path]:
    """Start a module made of that code; the process and the file of what it writes."""
    Path(f"{name}.py").write_text(code, encoding="utf-8")
    output = Path(f"{name}.{time.monotonic_ns()}.log").absolute()
    with output.open("ab") as file:
        return start([*PYTHON, name, *arguments], file, earlier_starts), output


def surroundings(earlier_starts: int | None) -> dict[str, Any]:
    """What a process finds itself in (`given`), and what is its alone (`own`)."""
    process, output = launch(REPORTS, earlier_starts, "an argument", "--option")
    code, text = process.wait(PATIENCE_S), output.read_text(encoding="utf-8")
    assert code == 0, text
    found: dict[str, Any] = json.loads(text)
    assert found["own"]["pid"] == process.pid
    assert found["given"]["standard"][1:] == [str(output), str(output)]
    del found["given"]["standard"][1:]
    return found


def until(true: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def begun(*outputs: Path) -> None:
    """Wait until the processes that write there run their code."""
    until(lambda: all("begun" in output.read_text(encoding="utf-8") for output in outputs))


def parent(pid: int) -> int:
    """The parent of a process."""
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])


def alive(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_fork_finds_itself_in_what_a_new_process_does() -> None:
    """Arguments, folder, environment, descriptors, signals, limits; what is drawn at random is its own."""
    umask = os.umask(0o027)
    new, forks = surroundings(None), [surroundings(earlier_starts) for earlier_starts in (0, 1, 2)]
    os.umask(umask)
    for fork in forks:
        assert fork["given"] == new["given"]
    own = [each["own"] for each in (new, *forks)]
    for drawn in ("pid", "random", "uuid", "secret", "tls"):
        assert len({each[drawn] for each in own}) == len(own), drawn
    assert own[1]["hash"] != own[2]["hash"], "sets are ordered in another way after a restart"


@pytest.mark.parametrize("earlier_starts", KINDS)
@pytest.mark.parametrize(
    ("code", "expected", "words"),
    [
        ("", 0, ""),
        ("raise SystemExit(7)", 7, ""),
        ("raise SystemExit('refused')", 1, "refused"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(None)", 0, ""),
        ("raise SystemExit(256 + 9)", 9, ""),
        ("raise KeyboardInterrupt", -signal.SIGINT, "KeyboardInterrupt"),
        ("import atexit; atexit.register(print, 'at its end')", 0, "at its end"),
        ("import threading; threading.Timer(0.1, print, ['by a thread']).start()", 0, "by a thread"),
        ("import _thread, time; _thread.start_new_thread(time.sleep, (600,))", 0, ""),
        ("import sys; sys.stdout.write('without a new line')", 0, "without a new line"),
        ("import sys; sys.stdout = open('/dev/full', 'w'); print('lost')", 120, None),
        ("import sys; sys.stdout.close()", 0, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, None),
        ("import os; os.abort()", -signal.SIGABRT, None),
    ],
)
def test_the_exit_code_and_the_last_words_are_those_of_the_process(
    earlier_starts: int | None, code: str, expected: int, words: str | None
) -> None:
    process, output = launch(code, earlier_starts)
    assert process.wait(PATIENCE_S) == process.poll() == expected
    if words is not None:
        assert output.read_text(encoding="utf-8").rstrip("\n").endswith(words)


@pytest.mark.parametrize("earlier_starts", KINDS)
def test_signals_reach_one_of_two_and_its_end_is_that_of_the_signal(earlier_starts: int | None) -> None:
    (first, first_output), (second, second_output) = (
        launch(WAITS, earlier_starts, name="first"),
        launch(WAITS, earlier_starts, name="second"),
    )
    begun(first_output, second_output)
    assert first.poll() is second.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        first.wait(0.05)
    first.send_signal(signal.SIGTERM)
    assert first.wait(PATIENCE_S) == -signal.SIGTERM
    first.kill()  # nobody: it has ended
    assert second.poll() is None
    second.send_signal(signal.SIGUSR1)
    assert second.wait(PATIENCE_S) == -signal.SIGUSR1
    third, output = launch(WAITS, earlier_starts, name="third")
    begun(output)
    third.kill()
    assert third.wait() == -signal.SIGKILL


def test_a_command_is_run_to_its_end_and_what_it_writes_is_captured() -> None:
    """One that takes too long is killed."""
    Path("child.py").write_text(
        "import os, sys; print(os.getppid(), *sys.argv[1:]); print('错误', file=sys.stderr); sys.exit(3)",
        encoding="utf-8",
    )
    done = run([*PYTHON, "child", "word"], PATIENCE_S)
    assert (done.returncode, done.stderr) == (3, "错误\n")
    server, word = done.stdout.split()
    assert (int(server) != os.getpid(), word) == (True, "word")
    Path("waits.py").write_text(f"import os; open('pid', 'w').write(str(os.getpid()))\n{WAITS}", encoding="utf-8")
    for patience_s in (0.5, 8, 60):  # the first one does, but where a machine is slow to begin it
        with pytest.raises(subprocess.TimeoutExpired):
            run([*PYTHON, "waits"], patience_s)
        if Path("pid").exists():
            break
    assert not alive(int(Path("pid").read_text(encoding="ascii")))


def test_in_another_environment_it_is_started_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is loaded may depend on it, or the interpreter itself; so does an interpreter asked for."""
    forked, _ = launch(WAITS, 0)
    asked, _ = launch(WAITS, None)
    monkeypatch.setenv("PYTHONUTF8", "0")
    other, _ = launch(WAITS, 0)
    assert [parent(process.pid) == os.getpid() for process in (forked, asked, other)] == [False, True, True]
    for process in (forked, asked, other):
        process.kill()
        process.wait()


def test_a_fork_server_that_died_is_reported_and_replaced_at_the_next_start() -> None:
    with fork_servers():
        process, output = launch(WAITS, 0)
        begun(output)
        server = parent(process.pid)
        os.kill(server, signal.SIGKILL)
        until(lambda: not alive(process.pid))
        for ask in (process.poll, process.wait, process.kill):
            with pytest.raises(ServerGone, match=f"fork server {server} ended with -9"):
                ask()
        again, output = launch(WAITS, 0)
        begun(output)
        assert parent(again.pid) not in {server, os.getpid()}
        with pytest.raises(ServerGone):
            process.poll()
        assert again.poll() is None
    until(lambda: not alive(again.pid))


WORKER: Final = """
import sys, time
from tests.forked import PYTHON, fork_servers, start
with fork_servers(), open("log", "wb") as log:
    print(start([*PYTHON, "child"], log, 0).pid, flush=True)
    sys.stdin.read() if sys.argv[1] == "ends" else time.sleep(600)
"""


@pytest.mark.parametrize("how", ["ends", "is killed"])
def test_no_process_is_left_when_the_tests_end_however(how: str) -> None:
    Path("child.py").write_text(WAITS, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WORKER, how]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline())
        server = parent(pid)
        begun(Path("log"))
        if how == "is killed":
            worker.kill()
    until(lambda: not alive(pid) and not alive(server))
