"""Typed events: one class is one log line and, where it is worth counting, its Prometheus counter."""

from __future__ import annotations

import dataclasses
import itertools
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Final, Generic, Literal, TextIO, TypeVar

import structlog
from prometheus_client import CollectorRegistry, Counter

K = TypeVar("K")

Level = Literal["debug", "info", "warning", "error"]

REGISTRY = CollectorRegistry()

SECONDS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
"""The buckets of what takes from half a millisecond to ten seconds."""

_unlogged = Counter("yujing_events_unlogged", "Events whose log line could not be written", registry=REGISTRY)
_counters: dict[type[Event], Counter] = {}
_names: dict[type[Event], tuple[str, tuple[str, ...]]] = {}
_making = threading.Lock()
_PRIORITIES: Final = {"debug": 7, "info": 6, "warning": 4, "error": 3}
_log = structlog.get_logger("yujing")
_verbose = True  # whether debug events are logged: there is one with every commit


class Event:
    """A thing worth knowing. Subclasses are frozen dataclasses; their fields become the log line.

    No field may be called `event`: that is where the log keeps the event's own name.

    Args:
        level: of the log line.
        labels: the fields that become metric labels: few and bounded, never a point or a free text.
        amount: the field to count by; without it every event counts one.
    """

    level: ClassVar[str] = "info"
    labels: ClassVar[tuple[str, ...]] = ()
    amount: ClassVar[str | None] = None

    def __init_subclass__(
        cls, *, level: Level | None = None, labels: tuple[str, ...] | None = None, amount: str | None = None
    ) -> None:
        """Take the class's own settings; a slotted dataclass is made twice, the second time without them."""
        cls.level = level or cls.level
        cls.labels = labels if labels is not None else cls.labels
        cls.amount = amount or cls.amount


def emit(event: Event) -> None:
    """Log the event and count it. Never fails for want of a log: no thread that watches may end over a closed pipe."""
    kind = type(event)
    if kind.level != "debug" or _verbose:
        name, names = _named(kind)
        try:
            getattr(_log, kind.level)(name, **{field: getattr(event, field) for field in names})
        except (OSError, ValueError):  # its reader is gone or its disk full: watching goes on, and this is counted
            _unlogged.inc()
    counter = _counters.get(kind) or _counter(kind)
    if kind.labels:
        counter = counter.labels(*(str(getattr(event, label)) for label in kind.labels))
    counter.inc(getattr(event, kind.amount) if kind.amount else 1)


def expose(kind: type[Event], /, **values: Iterable[object]) -> None:
    """Have the counter of an event at 0 before the first one comes: a rise from nothing to 1 is seen by no alert.

    Args:
        kind: the event.
        values: what each of its labels may be; every combination is exposed.
    """
    counter = _counter(kind)
    for combination in itertools.product(*(values[label] for label in kind.labels)) if kind.labels else ():
        counter.labels(*map(str, combination))


def kinds() -> list[type[Event]]:
    """Every event of a module that was loaded, by name."""
    found, left = dict[str, type[Event]](), [Event]
    while left:
        left += (below := left.pop().__subclasses__())
        for kind in below:
            if getattr(sys.modules.get(kind.__module__), kind.__name__, None) is kind:  # a slotted class is made twice
                found[f"{kind.__module__}.{kind.__name__}"] = kind
    return [found[name] for name in sorted(found)]


def _counter(kind: type[Event]) -> Counter:
    if kind not in _counters:
        with _making:
            if kind not in _counters:
                name, _ = _named(kind)
                text = (kind.__doc__ or name).splitlines()[0]
                _counters[kind] = Counter(f"yujing_{name}", text, kind.labels, registry=REGISTRY)
    return _counters[kind]


class EmittedOnce(Generic[K]):
    """Emits one event a key, however often it is met. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[K, None] = {}

    def __len__(self) -> int:
        """How many keys were met."""
        return len(self._keys)

    def __iter__(self) -> Iterator[K]:
        """The keys, in the order in which they were met first, as they are now."""
        with self._lock:
            return iter([*self._keys])

    def emit(self, key: K, event: Event) -> None:
        """Emit the event, unless one was emitted for that key."""
        with self._lock:
            if key in self._keys:
                return
            self._keys[key] = None
        emit(event)


class EmittedSeldom(Generic[K]):
    """Emits one event a key and minute; what comes meanwhile is added up and follows. For one thread.

    The first of a key is emitted at once. Events need an `amount`: theirs is the sum of what they stand for.
    """

    def __init__(self, every_s: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._clock = clock
        self._waiting: dict[K, Event | None] = {}  # keys emitted lately, with what came since
        self._due: dict[K, float] = {}

    def add(self, key: K, event: Event) -> None:
        """Emit the event, or keep it until its key is due again."""
        if key not in self._due:
            self._emit(key, event)
        else:
            waiting = self._waiting[key]
            self._waiting[key] = event if waiting is None else _summed(waiting, event)

    def flush(self, *, everything: bool = False) -> None:
        """Emit what is due; at an end, everything that waits."""
        now = self._clock()
        for key in [key for key, due in self._due.items() if everything or due <= now]:
            waiting = self._waiting.pop(key)
            del self._due[key]
            if waiting is not None:
                self._emit(key, waiting)

    def _emit(self, key: K, event: Event) -> None:
        emit(event)
        self._waiting[key], self._due[key] = None, self._clock() + self._every_s


def _summed(first: Event, other: Event) -> Event:
    """The first, for as much as both."""
    name = str(first.amount)
    return dataclasses.replace(first, **{name: getattr(first, name) + getattr(other, name)})  # type: ignore[type-var]


def configure_logging(*, level: str = "info", json: bool = True, file: TextIO | None = None) -> None:
    """Send events to a file (standard error by default), as JSON lines for machines or coloured text for people.

    Where the file is journald's, each line begins with its priority (sd-daemon(3)), which journald takes off again. It
    may be called again while the service runs.
    """
    global _verbose  # noqa: PLW0603  the log is the process's, as it is in structlog
    _verbose = level.lower() in {"debug", "notset"}
    to = file or sys.stderr
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks if json else structlog.dev.set_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False) if json else structlog.dev.ConsoleRenderer(),
            *([_with_priority] if journald_reads(to) else []),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=to),
        cache_logger_on_first_use=False,
    )


def journald_reads(file: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether what is written there goes to journald: it says which stream is its own (systemd.exec(5))."""
    try:
        there = os.fstat(file.fileno())
    except (OSError, ValueError):  # no file of the system
        return False
    return environment.get("JOURNAL_STREAM") == f"{there.st_dev}:{there.st_ino}"


def _with_priority(_logger: object, level: str, line: Any) -> str:
    return f"<{_PRIORITIES.get(level, 6)}>{line}"


def _named(kind: type[Event]) -> tuple[str, tuple[str, ...]]:
    """The name of such an event, and those of its fields."""
    found = _names.get(kind)
    if found is None:
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.__name__).lower()
        fields = tuple(field.name for field in dataclasses.fields(kind))  # type: ignore[arg-type]
        found = _names[kind] = name, fields
    return found
