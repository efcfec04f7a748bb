"""CPU time of a process, its children and its threads, as Linux counts it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """CPU time a process has used, s, with its children's, those included that have ended."""
    return sum(_ticks(each) * _TICK_S for each in family(pid))


def family(pid: int) -> Iterator[int]:
    """A process, and those it has started that run still, with theirs."""
    yield pid
    for task in _tasks(pid):
        with suppress(OSError):  # it has just ended
            for child in (task / "children").read_text(encoding="ascii").split():
                yield from family(int(child))


def threads_s(pid: int) -> dict[int, float]:
    """CPU time of each thread that runs, s, to the nanosecond."""
    found = {}
    for task in _tasks(pid):
        with suppress(OSError):
            found[int(task.name)] = int((task / "schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    return found


@dataclass(frozen=True, slots=True)
class Used:
    """What a process has used, s: altogether, and each of its threads."""

    all_s: float
    threads_s: Mapping[int, float]

    @classmethod
    def by(cls, pid: int) -> Self:
        """Until now; a single thread of no children is exact, else it is in steps of the clock's tick."""
        threads = threads_s(pid)
        alone = len(threads) == 1 and [*family(pid)] == [pid]
        return cls(sum(threads.values()) if alone else cpu_s(pid), threads)

    def since(self, before: Self) -> Self:
        """What was used meanwhile; of a thread that has begun meanwhile, all of it."""
        threads = {number: used - before.threads_s.get(number, 0.0) for number, used in self.threads_s.items()}
        return type(self)(self.all_s - before.all_s, threads)


def _tasks(pid: int) -> list[Path]:
    with suppress(OSError):
        return [*Path(f"/proc/{pid}/task").iterdir()]
    return []


def _ticks(pid: int) -> int:
    """User and system, and the same of the children it has waited for."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15])
    return 0
