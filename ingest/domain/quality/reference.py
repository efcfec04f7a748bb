"""Decides the trusted time: that of the service's own clock, unless the gateways agree against it.

Every gateway that sends shows how far its clock is ahead of the service's steady frame of time, in which no clock is
ever set. The service's clock has an offset in that frame too. If any gateway agrees with it, it is trusted: no plant
can move the time of another. If none does, and most of them (at least two) agree with each other, the service's clock
is wrong and theirs is the time. Otherwise nothing confirms either, and the trusted time stays.
"""

from __future__ import annotations

from collections.abc import Collection
from statistics import median_low

import msgspec


class Reference(msgspec.Struct, frozen=True, gc=False):
    """The trusted time.

    Attributes:
        offset: what to add to an arrival in the steady frame, ns.
        witnessed: whether gateways confirm it.
    """

    offset: int = 0
    witnessed: bool = False


def believe(present: Reference, service: int, gateways: Collection[int], tolerance: int) -> Reference:
    """Return the trusted time from how far (ns) the service's and the gateways' clocks are ahead of the steady frame.

    >>> s = 10**9
    >>> believe(Reference(), 0, [28_800 * s, 28_801 * s], 60 * s)  # two against the service
    Reference(offset=28800000000000, witnessed=True)
    >>> believe(Reference(), 0, [28_800 * s, 28_801 * s, 5 * s], 60 * s)  # but one agrees with it
    Reference(offset=0, witnessed=True)
    >>> believe(Reference(), 0, [28_800 * s], 60 * s)
    Reference(offset=0, witnessed=False)
    """
    if any(abs(ahead - service) <= tolerance for ahead in gateways):
        return Reference(service, witnessed=True)
    middle = median_low(gateways)
    agree = sum(abs(ahead - middle) <= tolerance for ahead in gateways)
    if agree >= 2 and 2 * agree > len(gateways):
        # Theirs differ by delays: within half the tolerance the trusted time stays as it is.
        same = present.witnessed and abs(middle - present.offset) <= tolerance // 2
        return Reference(present.offset if same else middle, witnessed=True)
    return Reference(present.offset)
