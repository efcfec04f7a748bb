"""Settings with something in every table, and what becomes of a file in which something is changed."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from ingest.runtime.settings import InForce
from ingest.runtime.settings.in_force import compose

FILE = Path("yujing.toml")
TOKEN = '[[api.tokens]]\nname = "{0}"\nrole = "operator"\nplants = ["p"]\ntoken = {{ file = "{0}" }}\n'
HOOK = (
    '[[connectors.webhooks]]\nname = "{0}"\nurl = "https://127.0.0.1:9/"\nlevels = [2]\nsecret = {{ file = "{0}" }}\n'
)
DUTY = '[[warnings.duty]]\nname = "{0}"\nstep = "county"\n'
POSITION = '[[alarms.positions]]\nname = "{0}"\nplants = ["{0}"]\n'
GOOD = """removal_wait_s = 30
[mqtt]
host = "broker"
port = 2883
[journal]
retention_h = 300
path = "data/journal.db"
[intake]
gap_lost_h = 100
[history]
kind = "influxdb1"
url = "http://127.0.0.1:8086"
[api]
port = 9000
[warnings]
reopen_s = 60
[warnings.ack_s]
red = 100
[alarms]
reopen_s = 77
[connectors]
escalate_after = 5
[connectors.platform]
url = "https://127.0.0.1:9/"
appid = "a"
appsecret = { env = "A" }
key = { env = "A" }
iv = { env = "A" }
""" + "".join(entry.format(name) for entry in (TOKEN, HOOK, DUTY, POSITION) for name in ("first", "second", "third"))
LAST = tomllib.loads(GOOD)


def composed(text: str, last: dict[str, Any] = LAST) -> InForce:
    return compose(FILE, text.encode("utf-8", "surrogateescape"), last)


def toml(value: Any, *, whole: bool = True) -> str:
    """Settings as a file, each table on a line."""
    if isinstance(value, dict):
        pairs = [f"{key} = {toml(item, whole=False)}" for key, item in value.items()]
        return "\n".join(pairs) if whole else "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(item, whole=False) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
