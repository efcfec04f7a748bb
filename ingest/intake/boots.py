"""Limits how many boots of each gateway are remembered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

from ingest.base.telemetry import Event
from ingest.storage.journal.sequence_state import BootKey, Who

MAX_BOOTS: Final = 64
"""Boots remembered of a gateway, the latest first. Only one is current; of others a gateway may still hold frames not
yet announced as on disk. One that boots 64 times before a single `committed` reaches it keeps nothing anyway."""

MAX_UNKNOWN_BOOTS: Final = 1_000
"""Boots remembered of all gateways in no plant file together, since anybody may invent such."""


@dataclass(frozen=True, slots=True)
class BootsForgotten(Event, level="warning", amount="boots"):
    """Of old boots of a gateway nothing is known any more; frames they still lacked are not asked for any more."""

    plant: str
    gateway: str
    boots: int
    frames_missing: int


class Boots:
    """Remembers in which order boots last sent frames, and picks those to be forgotten.

    >>> boots = Boots([("p", "g", "a"), ("p", "g", "b")])
    >>> boots.record([("p", "g", "a"), ("p", "g", "c")])
    >>> boots.surplus({("p", "g")}, lambda who: "b", most=2)
    [('p', 'g', 'a')]
    """

    def __init__(self, keys: Iterable[BootKey]) -> None:
        """`keys`: every boot known, the least recent first."""
        self._of: dict[Who, dict[BootKey, None]] = {}
        self._grown: set[Who] = set()
        self.record(keys)

    def record(self, keys: Iterable[BootKey]) -> None:
        """Note that frames of these boots came."""
        for key in keys:
            who = key[:2]
            own = self._of.pop(who, {})
            if key in own:
                del own[key]
            else:
                self._grown.add(who)
            own[key] = None
            self._of[who] = own

    def surplus(
        self,
        known: Collection[Who],
        current: Callable[[Who], str | None],
        most: int = MAX_BOOTS,
        most_unknown: int = MAX_UNKNOWN_BOOTS,
    ) -> list[BootKey]:
        """Boots beyond the limits, which are dropped here; never the current one of a known gateway.

        Args:
            known: gateways that a plant file has.
            current: the boot a gateway is in.
            most: see `MAX_BOOTS`.
            most_unknown: see `MAX_UNKNOWN_BOOTS`.
        """
        grown, self._grown = self._grown, set()
        if not grown:
            return []
        dropped: dict[BootKey, None] = {}
        for who in grown:
            own = self._of[who]
            spare = [key for key in own if key[2] != current(who)]
            dropped.update(dict.fromkeys(spare[: max(len(own) - most, 0)]))
        unknown = [key for who, own in self._of.items() if who not in known for key in own if key not in dropped]
        dropped.update(dict.fromkeys(unknown[: max(len(unknown) - most_unknown, 0)]))
        for key in dropped:
            own = self._of[key[:2]]
            del own[key]
            if not own:
                del self._of[key[:2]]
        return [*dropped]
