"""Reading what strace wrote: which system call on which file, with its bytes, in the order of entry and of return."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from tests.reliability.promise import CannotTest

CALLS: Final = "fdatasync,fsync,pwrite64,sendto,sendmsg,recvfrom,recvmsg"
_LONGEST: Final = 1 << 17

# -D: the service itself is our child; -yy: files and sockets by name; -xx: all bytes in hex
_OPTIONS: Final = ("-D", "-f", "-q", "-yy", "-xx", "-s", str(_LONGEST), "--seccomp-bpf", "-e", f"trace={CALLS}")

_BEGUN = re.compile(r"^(\d+) +(\w+)\(\d+<(TCP:\[[^\]]*\]|[^>]*)>(.*)$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$")
_BYTES = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_RESULT = re.compile(r"\) += (-?\d+)(?: E\w+ \(.*\))?$")
_UNFINISHED: Final = "<unfinished ...>"


@dataclass(slots=True)
class Call:
    """One system call. It is given twice: on entry, with `result` None, and on return."""

    name: str
    file: str
    data: bytes
    result: int | None = None


def traced(launcher: Iterable[str], trace: Path) -> list[str]:
    """The launcher under strace, which writes to `trace`.

    Raises:
        CannotTest: strace is not installed, or tracing is not permitted here.
    """
    strace = shutil.which("strace")
    if strace is None:
        raise CannotTest("strace is not installed: apt-get install -y strace")
    probe = subprocess.run(
        [strace, "-f", "--seccomp-bpf", "-e", "trace=fdatasync", "-o", "/dev/null", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    if probe.returncode != 0:
        raise CannotTest(f"tracing is not permitted here: {probe.stderr.strip()[-200:]}")
    return [strace, *_OPTIONS, "-o", str(trace), *launcher]


def calls(lines: Iterable[str], wanted: Callable[[str], bool]) -> Iterator[Call]:
    """Every traced call on a wanted file, on entry and on return, in the order in which the kernel stopped at them.

    Raises:
        ValueError: a line that cannot be read, or bytes that strace cut off.
    """
    flying: dict[str, Call] = {}
    for line in lines:
        if begun := _BEGUN.match(line):
            thread, name, file, rest = begun.groups()
            file = _name(file)
            if not wanted(file):
                continue
            call = Call(name, file, _bytes(rest))
            yield call
            if rest.endswith(_UNFINISHED):
                flying[thread] = call
                continue
        elif resumed := _RESUMED.match(line):
            thread, _, rest = resumed.groups()
            if thread not in flying:
                continue  # on a file nobody asked for
            call = flying.pop(thread)
            call.data = call.data or _bytes(rest)
        else:
            continue  # ends of threads, signals, calls on what is no file
        result = _RESULT.search(rest)
        if result is None:
            if "= ?" in rest:
                continue  # the process ended in it
            raise ValueError(f"no result in: {line[-200:]}")
        call.result = int(result[1])
        yield call


@lru_cache(maxsize=4096)
def _name(text: str) -> str:
    """A file's name, which is in hex too."""
    return bytes.fromhex(text.replace("\\x", "")).decode(errors="replace") if text.startswith("\\x") else text


def _bytes(text: str) -> bytes:
    """All strings of a call, one after another (sendmsg has several)."""
    if '"...' in text:
        raise ValueError(f"strace cut bytes off: {text[-100:]}")
    return b"".join(bytes.fromhex(found.replace("\\x", "")) for found in _BYTES.findall(text))
