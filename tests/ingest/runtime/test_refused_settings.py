"""What is broken at a start is left out; the rest goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ingest.delivery.config import ConnectorsConfig, open_connectors
from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.text import Text
from ingest.domain.warnings.rules import load_rules
from ingest.plants.saved_files import SavedFiles
from ingest.runtime.refused_settings import Refusals, recheck_refused, rules_in_force
from ingest.runtime.settings import InForce, Settings
from ingest.runtime.settings.settings import files_of
from ingest.services.access import TokenStore
from tests.ingest.domain.warnings.test_rules import written
from tests.ingest.web.test_access import made


def test_a_token_that_cannot_be_used_lets_nobody_in_and_the_others_do(tmp_path: Path) -> None:
    good, short, shared = "good-token-0123456789", "short", "same-token-0123456789"
    refusals = Refusals()
    keyring = TokenStore(made(tmp_path, good, short, shared, shared), refusals)
    found = {secret: keyring.find(secret) for secret in (good, short, shared, "")}
    assert {secret: principal.name for secret, principal in found.items() if principal} == {good: "t0"}
    assert [fault.key for fault in refusals.faults] == ["api.tokens.t1.token", "api.tokens.t3.token"]


def test_a_connector_that_cannot_be_opened_is_off_and_its_neighbours_deliver(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("whsec_" + "QUJDREVGR0g" * 4, encoding="utf-8")
    hooks = [
        {"name": name, "url": "https://127.0.0.1:9/", "secret": {"file": str(tmp_path / key)}}
        for name, key in (("first", "key"), ("second", "nowhere"), ("third", "key"))
    ]
    refusals = Refusals()
    opened = open_connectors(ConnectorsConfig.model_validate({"webhooks": hooks}), refused=refusals)
    assert [connector.name for connector in opened] == ["first", "third"]
    assert [fault.key for fault in refusals.faults] == ["connectors.webhooks.second.secret"]


def test_warnings_go_by_the_last_good_rules_over_any_number_of_restarts(tmp_path: Path) -> None:
    kept = SavedFiles(tmp_path / "in-force")
    file = written(tmp_path, ("older_s = 600", "older_s = 900"))
    good = file.read_text(encoding="utf-8")
    first = rules_in_force(file, kept, Refusals()).version
    assert first != load_rules().version
    for bad in ("version = ", "", "\udcff"):
        file.write_bytes(bad.encode("utf-8", "surrogateescape"))
        refusals = Refusals()
        assert rules_in_force(file, kept, refusals).version == first
        assert refusals.faults
    file.unlink()
    assert rules_in_force(file, kept, Refusals()).version == first
    file.write_text(good.replace("older_s = 900", "older_s = 800"), encoding="utf-8")
    newer = rules_in_force(file, kept, Refusals()).version
    file.unlink()
    assert rules_in_force(file, kept, Refusals()).version == newer != first


def test_without_good_rules_ever_those_of_the_service_hold(tmp_path: Path) -> None:
    refusals = Refusals()
    assert (
        rules_in_force(tmp_path / "none.toml", SavedFiles(tmp_path / "kept"), refusals).version == load_rules().version
    )
    assert [fault.key for fault in refusals.faults] == ["warnings.rules"]
    with pytest.raises(InvalidConfig):
        load_rules(tmp_path / "none.toml")


async def test_a_file_that_is_mended_while_the_service_runs_is_no_fault_any_more(tmp_path: Path) -> None:
    """The others stay one, and so does what only a restart mends."""
    words = tmp_path / "mqtt", tmp_path / "history"
    mqtt = {"username": "u", "password": {"file": str(words[0])}}
    history = {"kind": "influxdb2", "url": "http://127.0.0.1:9", "org": "o", "token": {"file": str(words[1])}}
    settings = Settings.model_validate({"mqtt": mqtt, "history": history})
    broken = tuple(fault for _, fault in files_of(settings, tmp_path))
    typo = Fault("f", "api.prt", "1", Text("此处没有这个键", "no such key here"))
    refusals = Refusals([typo, *broken])
    looking = asyncio.create_task(
        recheck_refused(InForce(settings, (typo, *broken), file=tmp_path, unusable=broken), refusals, 0.01)
    )
    words[0].write_text("word")
    async with asyncio.timeout(60):
        while len(refusals.faults) > 2:
            await asyncio.sleep(0.01)
        assert [fault.key for fault in refusals.faults] == ["api.prt", "history.token"]
        words[1].write_text("token")
        await looking
    assert refusals.faults == [typo]
