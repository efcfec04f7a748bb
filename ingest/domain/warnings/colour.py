"""Decides the colour shown: it rises at once, and falls only after a lower one has held for a while (pure).

So it is always the highest that rules called for within that while.
"""

from __future__ import annotations

from collections.abc import Mapping

from ingest.domain.model.warning import Colour

Fading = Mapping[Colour, int]
"""Colours that rules no longer call for, and since when (ns)."""


def fade(fading: Fading, before: Colour | None, called: Colour | None, time: int) -> dict[Colour, int]:
    """Return the fading colours once rules call for `called` instead of `before`.

    >>> fade({}, Colour.ORANGE, Colour.BLUE, 7)
    {<Colour.YELLOW: 'yellow'>: 7, <Colour.ORANGE: 'orange'>: 7}
    >>> fade({Colour.YELLOW: 3, Colour.RED: 5}, Colour.BLUE, Colour.YELLOW, 7)
    {<Colour.RED: 'red'>: 5}
    """
    dropped = {colour: time for colour in Colour if _rank(called) < colour.rank <= _rank(before)}
    return {colour: since for colour, since in (dropped | dict(fading)).items() if colour.rank > _rank(called)}


def shown(called: Colour | None, fading: Fading, time: int, fall_after: int) -> Colour | None:
    """Return the colour shown at `time`; None if rules call for none and did not lately.

    >>> [shown(None, {Colour.RED: 0, Colour.BLUE: 4}, time, 10) for time in (9, 10, 14)]
    [<Colour.RED: 'red'>, <Colour.BLUE: 'blue'>, None]
    """
    lately = [colour for colour, since in fading.items() if time - since < fall_after]
    return max((*lately, *([called] if called else [])), default=None)


def lasting(fading: Fading, time: int, fall_after: int) -> dict[Colour, int]:
    """Return the colours that still fade at `time`."""
    return {colour: since for colour, since in fading.items() if time - since < fall_after}


def next_fall(fading: Fading, fall_after: int) -> int | None:
    """Return when the next of them is no longer shown (ns)."""
    return min((since + fall_after for since in fading.values()), default=None)


def _rank(colour: Colour | None) -> int:
    return -1 if colour is None else colour.rank
