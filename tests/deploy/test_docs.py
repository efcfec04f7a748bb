"""The documentation says what the code does: examples are decoded, names exist, links lead somewhere."""

from __future__ import annotations

import importlib
import pkgutil
import re
import shlex
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import msgspec
import numpy as np
import pytest
from click import unstyle
from typer.testing import CliRunner

import ingest
from detectors.detector import Reason as Unjudged
from ingest.base.extras import EXTRAS
from ingest.base.telemetry import Event
from ingest.cli.main import app
from ingest.delivery.webhook.connector import cloud_event
from ingest.delivery.webhook.signature import decode_secret, signed_headers
from ingest.domain.alarms.report import alarm_body
from ingest.domain.model.notice import MATTERS, Matter
from ingest.domain.model.outbox import Message
from ingest.domain.model.plant import GATEWAY_SIGNAL, PhaseName
from ingest.domain.model.text import Text
from ingest.intake.wire.assemble import Arrival, assemble
from ingest.intake.wire.decode import decode
from ingest.intake.wire.errors import Reason
from ingest.intake.wire.frame import (
    DETAIL,
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_READINGS,
    MAX_TIMES,
    Committed,
    Frame,
    Refusal,
    decode_committed,
    decode_refusal,
    decode_status,
    encode_msgpack,
)
from ingest.intake.wire.topics import parse_topic
from ingest.plants.catalogue import load_catalogue
from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from ingest.services.config import Role
from ingest.web.texts import NOT_EVALUATED
from tests.deploy.written import DEPLOY, ROOT
from tests.ingest.delivery.called import ring_message
from tests.ingest.delivery.outbox import notice_message
from tests.ingest.storage.history.made_up import NOON, alarm_event

DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), DEPLOY / "plants" / "README.md"]
FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
COLUMNS = {"CW_IN_P-01": 0, "CAST_LEN-01": 1}


def read(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def examples(page: str, info: str) -> list[str]:
    return [fence["text"] for fence in FENCE.finditer(read(page)) if fence["info"] == info]


def table(page: str, head: str) -> Iterator[list[str]]:
    """The rows of the table whose first column is called so."""
    lines = iter(read(page).splitlines())
    for line in lines:
        if line.startswith(f"| {head} |"):
            next(lines)
            for row in lines:
                if not row.startswith("|"):
                    return
                yield [cell.strip() for cell in row.strip("|").split(" | ")]


def test_every_json_example_says_what_it_is() -> None:
    """So that none escapes the tests below."""
    kinds = [fence["info"] for page in PAGES for fence in FENCE.finditer(page.read_text("utf-8"))]
    assert sorted(kind for kind in kinds if kind.startswith(("json", "hex"))) == [
        "hex frame", "json call", "json committed", "json frame", "json notice", "json refused", "json status",
        "json webhook",
    ]  # fmt: skip


def test_the_frame_is_decoded_and_its_messagepack_is_the_same() -> None:
    [text], [digits] = examples("protocol.md", "json frame"), examples("protocol.md", "hex frame")
    plain, packed = (decode(raw, COLUMNS) for raw in (text.strip().encode(), bytes.fromhex(digits)))
    assert (plain.boot, plain.seq, len(plain.times), plain.refused) == ("01JD8ZK3Q0", 1842, 2, ())
    batch, other = (assemble([Arrival(frame, NOON)]) for frame in (plain, packed))
    for name in ("point", "time", "value", "flags"):
        np.testing.assert_array_equal(getattr(batch, name), getattr(other, name))
    assert (packed.boot, packed.seq) == (plain.boot, plain.seq)


def test_a_call_is_sent_as_the_page_shows() -> None:
    [text] = examples("calls.md", "json call")
    assert msgspec.json.decode(text) == msgspec.json.decode(cloud_event(ring_message()))


def test_status_and_committed_are_decoded() -> None:
    [status], [committed] = examples("protocol.md", "json status"), examples("protocol.md", "json committed")
    assert decode_status(status.encode()).online
    assert decode_committed(committed.encode()) == Committed("01JD8ZK3Q0", 1842, [(1830, 1833), (1840, 1840)])


def test_a_refusal_is_decoded() -> None:
    [refused] = examples("protocol.md", "json refused")
    assert decode_refusal(refused.encode()) == Refusal("01JD8ZK3Q0", 1842, "unknown-point", "CW_IN_P-09", 3, 6)
    assert f"{DETAIL} characters" in read("protocol.md")


def test_limits_of_a_frame_are_those_of_the_code() -> None:
    page = read("protocol.md")
    assert f"At most {MAX_BYTES} bytes, {MAX_COLUMNS} columns and {MAX_READINGS} readings" in page
    assert f"1 to {MAX_TIMES} of them" in page


def test_every_reason_for_quarantine_is_explained() -> None:
    assert [row[0].strip("`") for row in table("protocol.md", "reason")] == list(Reason)


def test_topics_are_those_of_the_code() -> None:
    for topic, *_ in table("protocol.md", "topic"):
        assert parse_topic(topic.strip("`")) is not None, topic


def test_the_webhook_example_has_the_shape_that_is_sent(installed: Path) -> None:
    [text] = examples("operations.md", "json webhook")
    event = alarm_event(1)
    event = replace(event, alarm=replace(event.alarm, phase=PhaseName("steady", Text("稳定铸造", "steady"))))
    plants = load_configuration(installed / "plants", MemoryNumbering(), 1).plants
    known = next(point for point in plants["sample-aluminium"].points if point.id == "CW_IN_P-01")
    rule = next(rule for rule in known.rules if rule.code == "LL")
    body = alarm_body(event, plants["sample-aluminium"], rule)
    sent = cloud_event(Message(1, "x", event.id, "alarm", event.alarm.plant, body, NOON, NOON, 0))
    assert shape(msgspec.json.decode(text)) == shape(msgspec.json.decode(sent))
    assert msgspec.json.decode(text)["data"]["reason"] == body["reason"]
    assert msgspec.json.decode(text)["data"]["rationalization"] == body["rationalization"]


def test_the_example_of_a_notice_has_the_shape_that_is_sent_and_its_matters_are_those_of_the_code() -> None:
    [text] = examples("operations.md", "json notice")
    assert shape(msgspec.json.decode(text)) == shape(msgspec.json.decode(cloud_event(notice_message(1))))
    listed = [(row[0].strip("`"), row[1]) for row in table("operations.md", "`matter`")]
    assert listed == [(str(matter), MATTERS[matter].zh) for matter in Matter]


def shape(value: Any) -> Any:
    return {key: shape(inner) for key, inner in value.items()} if isinstance(value, Mapping) else None


def test_the_receivers_example_tells_our_signature_from_any_other() -> None:
    [code] = examples("operations.md", "python")
    assert len(code.splitlines()) <= 11
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102  our own page
    verified, now = names["verified"], int(time.time())
    secret = "whsec_" + "QUJD" * 10
    headers = signed_headers([decode_secret(secret)], str(uuid4()), now, b"{}")
    old = signed_headers([decode_secret(secret)], str(uuid4()), now - 301, b"{}")
    assert verified(secret, headers, b"{}")
    assert verified(secret, headers | {"webhook-signature": f"v1,AAAA {headers['webhook-signature']}"}, b"{}")
    assert not verified(secret, headers, b"{ }")
    assert not verified("whsec_" + "QUJE" * 10, headers, b"{}")
    assert not verified(secret, headers | {"webhook-id": "other"}, b"{}")
    assert not verified(secret, old, b"{}")
    for name, forged in (("timestamp", "x"), ("timestamp", "9" * 5000), ("timestamp", "²"), ("signature", "v1,é")):
        assert not verified(secret, headers | {f"webhook-{name}": forged}, b"{}"), "refused, and nothing raised"
    assert not verified(secret, {}, b"{}")


def test_every_event_that_is_named_exists() -> None:
    """In the table of metrics, and wherever an event's name stands alone in the page."""
    for module in pkgutil.walk_packages(ingest.__path__, "ingest."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)
    known = {re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.__name__).lower() for kind in Event.__subclasses__()}
    named = {name for cell, _ in table("operations.md", "event") for name in re.findall(r"`(\w+)`", cell)}
    assert len(named) > 10
    assert named - known == set()
    assert set(re.findall(r"`((?:roster|plant_file|history|delivery|journal)_\w+)`", read("operations.md"))) <= known


def test_every_reason_a_rule_is_not_evaluated_for_is_explained_in_the_consoles_words() -> None:
    documented = {name.strip("`"): text.partition(":")[0] for name, text in table("operations.md", "standing")}
    assert documented == {reason.name.lower(): NOT_EVALUATED[reason].zh for reason in Unjudged}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]*(?:#[^)]+)?)\)", page.read_text(encoding="utf-8")):
        name, _, heading = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}, target


def test_the_index_names_every_page() -> None:
    index = read("README.md")
    assert [page.name for page in PAGES if page.parent in {DOCS, DOCS / "adr"} and page.name not in index] == [
        "README.md"
    ]


def test_dependencies_are_listed_with_the_licence_they_state() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [project["optional-dependencies"][extra] for extra in EXTRAS]
    names = [re.split(r"[\[<>=]", text)[0] for text in chain(project["dependencies"], *extras)]
    rows = {row[0]: row[1] for row in table("adr/0005-dependencies.md", "dependency")}
    assert rows == {name: licence(name) for name in names}


def licence(name: str) -> str:
    package = metadata.metadata(name).json
    trove = [text.split(" :: ")[-1] for text in package.get("classifier", []) if text.startswith("License")]
    return str(package.get("license_expression") or package.get("license") or ", ".join(trove))


def shell_lines() -> list[list[str]]:
    """The words of each command in the operations page."""
    text = "".join(examples("operations.md", "sh")).replace("\\\n", " ")
    return [words for line in text.splitlines() if (words := shlex.split(line, comments=True))]


def test_the_commands_of_the_pages_exist() -> None:
    """`yujing …` in blocks and in running text, each asked for its help."""
    found = {line[3 if line[1] == "--secrets" else 1] for line in shell_lines() if line[0] == "yujing"} | {"simulate"}
    assert found == {
        "backup", "check", "explain", "history", "influx", "init", "journal", "quarantine", "restore", "run",
        "simulate", "state", "verify",
    }  # fmt: skip
    for command in (
        "backup",
        "check",
        "history export",
        "influx setup",
        "init",
        "run",
        "explain warning",
        "journal verify",
        "verify",
        "restore",
    ):
        result = CliRunner().invoke(app, [*command.split(), "--help"])
        assert "--config" in unstyle(result.output)
    forwarded = [sys.executable, "-m", "ingest", "simulate", "platform", "--help"]
    assert "--dir" in subprocess.run(forwarded, check=True, capture_output=True, text=True).stdout


def test_gateways_are_asked_for_what_their_silence_is_counted_by() -> None:
    """States every 60 s, a frame every 30 s: thrice that is the longest silence of the catalogue."""
    catalogue = load_catalogue()
    page = (DOCS / "protocol.md").read_text(encoding="utf-8")
    rule = page[page.index("9. send a frame every 30 s") :].partition("```")[0]
    states = {s.table.silence_s.value for signals in catalogue.signals.values() for s in signals.values()
              if s.table.states and "heartbeat" in s.table.silence_s.source}  # fmt: skip
    assert (states, "every 60 s besides" in rule) == ({3 * 60}, True)
    assert (catalogue.gateway[GATEWAY_SIGNAL].table.silence_s.value, "(90 s)" in rule) == (3 * 30, True)


def test_the_permissions_of_every_role_are_documented() -> None:
    page = (DOCS / "operations.md").read_text(encoding="utf-8").partition("## Tokens")[2].partition("\n## ")[0]
    assert [role for role in get_args(Role) if f"`{role}`" not in page] == []


def test_files_that_an_installation_copies_exist(installed: Path) -> None:
    """Every deploy/… path in the commands, after init-secrets.sh, but what they themselves put there."""
    words = [word for line in shell_lines() for word in line if word.startswith("deploy/")]
    copied = {line[-1] for line in shell_lines() if line[0] == "cp"}
    assert len(words) > 8
    for word in words:
        assert word in copied or list(installed.parent.glob(word)), word


def test_the_profile_can_be_moved_to_a_machine_without_containers() -> None:
    """The `sed` of the page leaves no path of the images behind."""
    [line] = [line for line in shell_lines() if line[0] == "sed"]
    command = line[: next(at for at, word in enumerate(line) if word.startswith(">"))]
    moved = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    assert "/run/secrets" not in moved
    assert "/mosquitto/config" not in moved
    assert "/mosquitto/data" not in moved
    files = [f"/etc/mosquitto/{name}" for name in ("certs/ca.pem", "certs/broker.cert", "certs/broker.key", "acl")]
    assert re.findall(r"^(?:ca|cert|key|acl_)file (\S+)$", moved, re.MULTILINE) == files


def test_the_packed_example_is_what_our_encoder_writes() -> None:
    [text], [digits] = examples("protocol.md", "json frame"), examples("protocol.md", "hex frame")
    assert encode_msgpack(msgspec.json.decode(text, type=Frame)).hex() == digits.replace("\n", "")
