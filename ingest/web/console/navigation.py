"""The console's main navigation: five places, and what is looked at less often."""

from __future__ import annotations

from typing import Final

PLACES: Final = (
    ("/alarms", "nav.alarms"),
    ("/warnings", "nav.warnings"),
    ("/hazards", "nav.hazards"),
    ("/inspections", "nav.inspections"),
    ("/plants", "nav.plants"),
)
"""Address and key of the text."""

MORE: Final = (
    ("/alarms/metrics", "nav.metrics"),
    ("/suppressions", "nav.suppressions"),
    ("/self-inspections", "nav.self_inspections"),
    ("/leads", "nav.leads"),
    ("/lists", "nav.lists"),
    ("/audit", "nav.audit"),
    ("/gateways", "nav.gateways"),
    ("/quarantine", "nav.quarantine"),
)
"""What hides under "more"."""

OF_THE_PLANT: Final = frozenset({"/quarantine"})
"""Places that supervision has no business in."""


def place(path: str) -> str:
    """Return the address in the navigation that a page lies under, the closest one; "" for none.

    >>> place("/alarms/metrics"), place("/alarms/0b1f"), place("/signin")
    ('/alarms/metrics', '/alarms', '')
    """
    under = [at for at, _ in (*PLACES, *MORE) if path == at or path.startswith(f"{at}/")]
    return max(under, key=len, default="")


def inside(onward: str) -> str:
    r"""Return the path if it is one of this site, else "/": a form never leads elsewhere.

    >>> inside("/alarms?level=2"), inside("//evil.example"), inside("/\\evil.example"), inside("https://evil.example")
    ('/alarms?level=2', '/', '/', '/')
    """
    safe = onward.startswith("/") and onward[1:2] not in {"/", "\\"} and onward.isprintable()
    return onward if safe else "/"
