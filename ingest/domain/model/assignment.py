"""Which plants an entry of the settings is for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from pydantic import Field

RegionPrefix = Annotated[str, Field(pattern=r"^\d{2,12}$")]
"""An administrative code (GB/T 2260), or its beginning."""


def is_assigned(plant: str, region: str, plants: Collection[str] | None, regions: Collection[str] | None) -> bool:
    """Return whether a plant is among these, or lies in one of these regions; without either, every plant is.

    >>> [is_assigned("a", "350583", *of) for of in ((None, None), ({"b"}, None), ({"b"}, {"3505"}), (None, {"33"}))]
    [True, False, True, False]
    """
    if plants is None and regions is None:
        return True
    return plant in (plants or ()) or any(region.startswith(prefix) for prefix in regions or ())
