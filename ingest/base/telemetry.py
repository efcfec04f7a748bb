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
"""Histogram buckets for durations from half a millisecond to ten seconds."""

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
        """Store the class's settings; a slotted dataclass is created twice, the second time without them."""
        cls.level = level or cls.level
        cls.labels = labels if labels is not None else cls.labels
        cls.amount = amount or cls.amount


def emit(event: Event) -> None:
    """Log the event and count it. Never fails if the log cannot be written: no thread may end over a closed pipe."""
    kind = type(event)
    if kind.level != "debug" or _verbose:
        name, names = _named(kind)
        try:
            getattr(_log, kind.level)(name, **{field: getattr(event, field) for field in names})
        except (
            OSError,
            ValueError,
        ):  # its reader has ended or its disk is full: the service goes on, and this is counted
            _unlogged.inc()
    counter = _counters.get(kind) or _counter(kind)
    if kind.labels:
        counter = counter.labels(*(str(getattr(event, label)) for label in kind.labels))
    counter.inc(getattr(event, kind.amount) if kind.amount else 1)


def expose(kind: type[Event], /, **values: Iterable[object]) -> None:
    """Create an event's counter at 0 before the first event: alerts do not see a rise from nothing to 1.

    Args:
        kind: the event.
        values: the possible values of each label; every combination is exposed.
    """
    counter = _counter(kind)
    for combination in itertools.product(*(values[label] for label in kind.labels)) if kind.labels else ():
        counter.labels(*map(str, combination))


def event_types() -> list[type[Event]]:
    """Return every event class of the loaded modules, by name."""
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
    """Emits one event per key, however often the key occurs. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[K, None] = {}

    def __len__(self) -> int:
        """Return the number of keys so far."""
        return len(self._keys)

    def __iter__(self) -> Iterator[K]:
        """Iterate over a copy of the keys, in the order of their first occurrence."""
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
    """Emits one event per key and minute, and then the sum of those in between. For one thread.

    The first of a key is emitted at once. Events need an `amount`, which is summed.
    """

    def __init__(self, every_s: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._clock = clock
        self._waiting: dict[K, Event | None] = {}  # keys emitted lately, with the sum since
        self._due: dict[K, float] = {}

    def add(self, key: K, event: Event) -> None:
        """Emit the event, or add it up until its key is due again."""
        if key not in self._due:
            self._emit(key, event)
        else:
            waiting = self._waiting[key]
            self._waiting[key] = event if waiting is None else _summed(waiting, event)

    def flush(self, *, everything: bool = False) -> None:
        """Emit what is due; with `everything`, all that is pending."""
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
    """Return the first event with the amounts of both."""
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
    """Whether a file is journald's stream, which JOURNAL_STREAM identifies (systemd.exec(5))."""
    try:
        there = os.fstat(file.fileno())
    except (OSError, ValueError):  # no file of the system
        return False
    return environment.get("JOURNAL_STREAM") == f"{there.st_dev}:{there.st_ino}"


def _with_priority(_logger: object, level: str, line: Any) -> str:
    return f"<{_PRIORITIES.get(level, 6)}>{line}"


def _named(kind: type[Event]) -> tuple[str, tuple[str, ...]]:
    """Return the log name of an event class, and the names of its fields."""
    found = _names.get(kind)
    if found is None:
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.__name__).lower()
        fields = tuple(field.name for field in dataclasses.fields(kind))  # type: ignore[arg-type]
        found = _names[kind] = name, fields
    return found
