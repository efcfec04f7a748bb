"""The paths of our values: what a field of a province's message may be filled with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_ENTERPRISE: Final = frozenset(f"enterprise.{name}" for name in ("id", "uscc", "name", "region", "kind"))
_ALARM: Final = frozenset(
    f"alarm.{name}"
    for name in (
        *("id", "plant", "point", "rule", "level", "state", "title.zh", "title.en", "value", "limit", "unit"),
        *("onset", "raised", "annunciated", "raises", "returned", "acknowledged", "acknowledged_by", "assigned"),
        *("disposed", "cleared", "comment", "historical", "phase.code", "phase.name.zh", "phase.name.en"),
        *("bypass.id", "bypass.title.zh", "bypass.title.en", "bypass.requested_by", "bypass.approved_by"),
        *("bypass.reason", "bypass.measure", "bypass.until", "bypass.expired"),
    )
)
_WARNING: Final = frozenset(
    f"warning.{name}"
    for name in (
        *("id", "plant", "colour", "peak", "state", "since", "raised", "ended", "step", "step_name.zh", "step_name.en"),
        *("asking", "asked", "until", "acknowledged", "acknowledged_by", "risk", "risk_model", "rules"),
        *("feedback.cause", "feedback.measure", "feedback.by", "feedback.time"),
    )
)
_HEAD: Final = frozenset({"batch.id", "batch.count", "batch.time"}) | _ENTERPRISE
_TEXTS: Final = ("reason", "rationalization.cause", "rationalization.consequence", "rationalization.action")
_RULE: Final = frozenset(
    {
        *(f"{part}.{language}" for part in _TEXTS for language in ("zh", "en")),
        *(f"rationalization.{key}" for key in ("respond_s", "source", "confidence")),
    }
)
_LINK: Final = frozenset({"batch.connected", "batch.continued"})
PATHS: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("alarm", "head"): _HEAD,
    ("alarm", "item"): frozenset({"message.id", "event", "time", "by"}) | _RULE | _ALARM | _ENTERPRISE,
    ("warning", "head"): _HEAD,
    ("warning", "item"): frozenset({"message.id", "event", "time", "by", "title.zh", "title.en"})
    | _WARNING
    | _ENTERPRISE,
    ("readings", "head"): _HEAD | _LINK,
    ("readings", "item"): frozenset({"message.id", "point", "signal", "gateway", "time", "value", "valid", "status"})
    | _ENTERPRISE,
}
"""The paths by kind and part, without the codes of the authority. A test compares them with the bodies of messages."""

TIMES: Final = frozenset({"batch.time", "time"}) | {
    *(
        f"alarm.{name}"
        for name in ("onset", "raised", "annunciated", "returned", "acknowledged", "disposed", "cleared")
    ),
    *(f"warning.{name}" for name in ("since", "raised", "ended", "asked", "until", "acknowledged", "feedback.time")),
}
"""The paths that hold a time."""

STAMP: Final = "batch.stamp"
"""For fields of the envelope: 17 digits, always the same for a message; see `ingest.delivery.platform.profile`."""

SETTINGS: Final = frozenset({"setting.appid", "setting.appsecret"})
"""What the authority issued and the settings hold: for the envelope and the headers."""

CONTENT: Final = "content"
"""Where the sealed report goes in the envelope."""

POINT_CODE: Final = "issued.point"
"""The authority's code of an item's point; the other paths `issued.…` are codes of the plant."""

DIGEST: Final = "digest"
"""Where the digest of the report goes, in the envelope or a header."""
