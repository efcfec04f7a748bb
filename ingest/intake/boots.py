"""Which boots of which gateways are remembered: as many as can matter, however many there have been."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

from ingest.base.telemetry import Event
from ingest.storage.journal.sequence_state import BootKey, Who

BOOTS: Final = 64
"""Boots remembered of a gateway: those it was heard in last. Only one is lived in; of others a gateway may still hold
frames that it has not been told are on disk, and a power supply that fails 64 times before one `committed` got through
is no gateway that keeps anything."""

STRANGERS: Final = 1_000
"""Boots remembered of gateways that no plant file has, together: anybody may make them up."""


@dataclass(frozen=True, slots=True)
class BootsForgotten(Event, level="warning", amount="boots"):
    """Of old boots of a gateway nothing is known any more; frames they still lacked are not asked for any more."""

    plant: str
    gateway: str
    boots: int
    frames_missing: int


class Boots:
    """Remembers in which order boots were heard, and picks those to be forgotten.

    >>> boots = Boots([("p", "g", "a"), ("p", "g", "b")])
    >>> boots.heard([("p", "g", "a"), ("p", "g", "c")])
    >>> boots.surplus({("p", "g")}, lambda who: "b", most=2)
    [('p', 'g', 'a')]
    """

    def __init__(self, keys: Iterable[BootKey]) -> None:
        """`keys`: every boot known, the one heard longest ago first."""
        self._of: dict[Who, dict[BootKey, None]] = {}
        self._grown: set[Who] = set()
        self.heard(keys)

    def heard(self, keys: Iterable[BootKey]) -> None:
        """Something came of these boots."""
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
        most: int = BOOTS,
        strangers: int = STRANGERS,
    ) -> list[BootKey]:
        """Boots that are one too many, forgotten here from now on; never the one a known gateway is in.

        Args:
            known: gateways that a plant file has.
            current: the boot a gateway is in.
            most: see `BOOTS`.
            strangers: see `STRANGERS`.
        """
        grown, self._grown = self._grown, set()
        if not grown:
            return []
        gone: dict[BootKey, None] = {}
        for who in grown:
            own = self._of[who]
            spare = [key for key in own if key[2] != current(who)]
            gone.update(dict.fromkeys(spare[: max(len(own) - most, 0)]))
        strange = [key for who, own in self._of.items() if who not in known for key in own if key not in gone]
        gone.update(dict.fromkeys(strange[: max(len(strange) - strangers, 0)]))
        for key in gone:
            own = self._of[key[:2]]
            del own[key]
            if not own:
                del self._of[key[:2]]
        return [*gone]
