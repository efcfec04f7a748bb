"""The console's main navigation: five places, and those less often used under "more"."""

from __future__ import annotations

from typing import Final

PLACES: Final = (
    ("/alarms", "nav.alarms"),
    ("/warnings", "nav.warnings"),
    ("/hazards", "nav.hazards"),
    ("/inspections", "nav.inspections"),
    ("/plants", "nav.plants"),
)
"""Path and key of the text."""

MORE: Final = (
    ("/calls", "nav.calls"),
    ("/duty", "nav.duty"),
    ("/alarms/metrics", "nav.metrics"),
    ("/suppressions", "nav.suppressions"),
    ("/bypasses", "nav.bypasses"),
    ("/self-inspections", "nav.self_inspections"),
    ("/works", "nav.works"),
    ("/cleaning", "nav.cleaning"),
    ("/pledges", "nav.pledges"),
    ("/instruments", "nav.instruments"),
    ("/notices", "nav.notices"),
    ("/leads", "nav.leads"),
    ("/lists", "nav.lists"),
    ("/audit", "nav.audit"),
    ("/gateways", "nav.gateways"),
    ("/quarantine", "nav.quarantine"),
    ("/outbox", "nav.outbox"),
)
"""Places listed under "more"."""

OF_THE_PLANT: Final = frozenset({"/quarantine"})
"""Places that callers of the supervision may not open."""


OF_THE_ADMIN: Final = frozenset({"/outbox"})
"""Places for whoever runs the service."""


def current_place(path: str) -> str:
    """Return the closest place of the navigation that a path lies under; "" for none.

    >>> current_place("/alarms/metrics"), current_place("/alarms/0b1f"), current_place("/signin")
    ('/alarms/metrics', '/alarms', '')
    """
    under = [at for at, _ in (*PLACES, *MORE) if path == at or path.startswith(f"{at}/")]
    return max(under, key=len, default="")


def site_path(onward: str) -> str:
    r"""Return the path if it is one of this site, else "/", so that no form redirects elsewhere.

    >>> site_path("/alarms?level=2"), site_path("//evil.example"), site_path("/\\evil.example")
    ('/alarms?level=2', '/', '/')
    >>> site_path("https://evil.example")
    '/'
    """
    safe = onward.startswith("/") and onward[1:2] not in {"/", "\\"} and onward.isprintable()
    return onward if safe else "/"
