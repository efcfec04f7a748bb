"""A strict stand-in for a platform that takes the generic JSON form: signed reports, items refused one by one."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from gateway_sim.listener import Reply, Request
from gateway_sim.stand_in import (
    Mode,
    Refused,
    StandIn,
    Taken,
    checked_post,
    checked_time,
    equal,
    items_in,
    object_in,
)

PATH: Final = "/api/reports"
COLOURS: Final = frozenset({"red", "orange", "yellow", "blue"})
_HEAD: Final = frozenset({"kind", "report", "enterprise", "items"})
_ITEM: Final[Mapping[str, frozenset[str]]] = {
    "alarm": frozenset({"id", "alarm", "event", "time", "point", "rule", "level", "title", "value", "limit", "unit"}),
    "warning": frozenset({"id", "warning", "event", "time", "colour", "highest", "title"}),
    "readings": frozenset({"id", "point", "time", "value", "valid", "status"}),
}


class GenericStandIn(StandIn):
    """The platform, with files `appid` and `appsecret`.

    In mode `partial` it takes a report and names the items of points that it does not know, each by its id.
    """

    base = PATH

    def __init__(self, directory: Path, *, port: int = 0, slow_s: float = 3.0, unknown: Collection[str] = ()) -> None:
        issued = {"appid": secrets.token_hex(8), "appsecret": secrets.token_urlsafe(32)}
        super().__init__(directory, issued, port=port, slow_s=slow_s, unknown=unknown)

    def take(self, request: Request) -> Taken | Reply:
        """See `StandIn.take`."""
        checked_post(request, (PATH,))
        if not equal(request.headers.get("x-app-id"), self.issued["appid"]):
            raise Refused("APP_ID", "header X-App-Id: missing or wrong")
        signature = hmac.new(self.issued["appsecret"].encode(), request.body, hashlib.sha256).hexdigest()
        if not equal(request.headers.get("x-signature"), signature):
            raise Refused("SIGNATURE", "header X-Signature: not HMAC-SHA256 of the body under the issued secret")
        content = object_in(request.body, "BODY", "body")
        kind = content.get("kind")
        if not isinstance(kind, str) or kind not in _ITEM or not content.keys() >= _HEAD:
            raise Refused("KIND", f"kind {kind!r}: expected one of {sorted(_ITEM)}, with {sorted(_HEAD)}")
        if not isinstance(content["report"], str) or not content["report"]:
            raise Refused("REPORT", "report: expected a text that is not empty")
        items = items_in(content["items"], "items")
        for at, item in enumerate(items):
            _check(kind, item, f"items[{at}]")
        strange = [item["id"] for item in items if self.mode is Mode.PARTIAL and item.get("point") in self.unknown]
        if strange:
            rejected = [{"id": name, "message": "unknown point"} for name in dict.fromkeys(strange)]
            kept = [item for item in items if item["id"] not in strange]
            if kept:
                self.keep(Taken(f"{content['report']}/kept", {**content, "items": kept}))
            return Reply(200, {"success": True, "message": "partly", "rejected": rejected})
        return Taken(content["report"], content)

    def yes(self) -> Reply:
        """See `StandIn.yes`."""
        return Reply(200, {"success": True, "message": "ok", "rejected": []})

    def no(self, refused: Refused) -> Reply:
        """See `StandIn.no`."""
        status = {"APP_ID": 401, "SIGNATURE": 401, "METHOD": 405, "PATH": 404}.get(refused.what, 200)
        return Reply(status, {"success": False, "message": f"{refused.what}: {refused.reason}"})


def _check(kind: str, item: Mapping[str, Any], at: str) -> None:
    if item.keys() != _ITEM[kind]:
        raise Refused("ITEMS", f"{at} has {sorted(item)}: expected {sorted(_ITEM[kind])}")
    if not isinstance(item["id"], str) or not item["id"]:
        raise Refused("ITEMS", f"{at}.id: expected a text that is not empty")
    checked_time(item["time"], f"{at}.time")
    if kind == "readings" and (type(item["valid"]) is not bool or (item["valid"] and item["value"] is None)):
        raise Refused("VALUE", f"{at}: expected valid true or false, and a value where it is true")
    if kind == "warning" and (item["highest"] not in COLOURS or item["colour"] not in COLOURS | {None}):
        raise Refused("COLOUR", f"{at}: expected colours of {sorted(COLOURS)}, null once it is over")
