"""The ordinary service, but for one method that ends the process with SIGKILL at its n-th call.

python -m tests.reliability.doomed POINT before|after NTH run --config FILE

The product has no hooks for this: the method is wrapped from outside.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final

Condition = Callable[[tuple[Any, ...]], bool]


def _always(_arguments: tuple[Any, ...]) -> bool:
    return True


def _says_something(arguments: tuple[Any, ...]) -> bool:
    """A cycle of the engine that has alarm events."""
    return bool(arguments[2])


def _points() -> dict[str, tuple[type, str, Condition]]:
    from ingest.intake.sources.mqtt import MqttSource  # noqa: PLC0415
    from ingest.storage.journal.journal import Journal  # noqa: PLC0415  the service's imports are timed by its start
    from ingest.storage.state.engine_store import EngineStore  # noqa: PLC0415
    from ingest.storage.state.outbox_store import OutboxStore  # noqa: PLC0415

    return {
        "append": (Journal, "append", _always),  # intake's one commit
        "acknowledge": (MqttSource, "acknowledge", _always),  # to the broker, right after that commit
        "announce": (MqttSource, "announce", _after_a_commit),  # `committed`, to the gateway
        "alarms": (EngineStore, "commit", _says_something),  # alarms, outbox rows and cursor
        "record": (OutboxStore, "record", _always),  # what became of a delivery
    }


POINTS: Final = ("append", "acknowledge", "announce", "alarms", "record")
_appended = 0


def _after_a_commit(_arguments: tuple[Any, ...]) -> bool:
    """An announcement of something new: at each connection everything is announced again."""
    return _appended > 0


def doom(point: str, when: str, nth: int) -> None:
    """Wrap the method of that name.

    Raises:
        KeyError, AttributeError: there is no such point, or the product has no such method any more.
    """
    points = _points()
    owner, name, condition = points[point]
    if point == "announce":
        _count_appends(points["append"][0])
    method = getattr(owner, name)
    calls = 0

    @functools.wraps(method)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        counts = condition((self, *args))
        calls += counts
        if counts and calls == nth and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = method(self, *args, **kwargs)
        if counts and calls == nth and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, wrapped)


def _count_appends(journal: type) -> None:
    append = journal.append  # type: ignore[attr-defined]

    @functools.wraps(append)
    def counted(*args: Any, **kwargs: Any) -> Any:
        global _appended  # noqa: PLW0603  one process, one count
        result = append(*args, **kwargs)
        _appended += 1
        return result

    journal.append = counted  # type: ignore[attr-defined]


if __name__ == "__main__":
    doomed_point, moment, number = sys.argv[1:4]
    del sys.argv[1:4]
    doom(doomed_point, moment, int(number))
    from ingest.__main__ import main

    main()
