"""The rules that `yujing try` suggests go into a plant file as they are, and alarm there as often as it says."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from detectors import Bank, Readings
from detectors.workbench.csv_files import read_csv
from ingest.cli.main import app
from ingest.cli.trying.suggestions import point_ids
from tests.ingest.cli.trying.loops import COLUMNS, MAPS, POINTS, write
from tests.small_plant import ENTERPRISE, small_configuration

GATEWAY = '[[gateways]]\nid = "GW-01"\nname = "一号网关"\n'
OFF = 'disabled_rules = ["STUCK", "H", "L", "HH", "RATE", "RANGE", "BAD", "SILENT", "CURRENT"]'


def parts(toml: str) -> dict[str, str]:
    """The suggested rules by the point that they are for."""
    heads = re.split(r'^# ── .*id = "(.+)"$', toml, flags=re.MULTILINE)
    return dict(zip(heads[1::2], heads[2::2], strict=True))


def plant_file(toml: str) -> str:
    """A plant with a point a column, and below each the rules pasted as they are, those that are comments included."""
    points = [
        f'[[points]]\nid = "{point}"\nsignal = "STL_CW_OUT_T"\ngateway = "GW-01"\nrange = [-500, 500]\n{pasted}'
        for point, pasted in parts(toml).items()
    ]
    return "\n".join([ENTERPRISE, GATEWAY, *points])


@pytest.mark.parametrize("all_of_them", [False, True])
def test_pasted_rules_are_accepted_and_alarm_as_often_as_it_was_said(tmp_path: Path, *, all_of_them: bool) -> None:
    """Also those that are written as comments, since they alarm too often."""
    file = write(tmp_path)
    arguments = [
        "try",
        str(file),
        *MAPS,
        "--json",
        "--report",
        str(tmp_path / "r.html"),
        "--rules",
        str(tmp_path / "r.toml"),
    ]
    answer = json.loads(CliRunner().invoke(app, arguments).stdout)
    toml = (tmp_path / "r.toml").read_text(encoding="utf-8")
    assert toml == answer["suggested_rules"]
    if all_of_them:
        toml = re.sub(r"^# (\[points|[a-z_]+ = )", r"\1", toml, flags=re.MULTILINE)
    assert [*parts(toml)] == [*POINTS.values()]
    text = plant_file(toml)
    tomllib.loads(text)
    configuration = small_configuration(tmp_path, text=text)
    points = {point.id: point.index for point in configuration.plants["small"].points}
    table = read_csv(file)
    bank = Bank(configuration.tables, configuration.derived)
    column = np.array([points[POINTS[name]] for name in COLUMNS], np.int32)
    time = np.repeat(table.time, len(COLUMNS))
    point = np.tile(column, len(table))
    readings = Readings(point, time, table.rows(0, len(table)).ravel(), time, point)
    found = bank.update(readings, int(table.time[-1]))
    alarms: dict[str, int] = {}
    for number, raised, moment in zip(found.rule.tolist(), found.raised.tolist(), found.time.tolist(), strict=True):
        rule = configuration.rules[number]
        if raised and moment >= table.time[answer["lesson"]["rows"]]:
            alarms[f"{rule.point}/{rule.code}"] = alarms.get(f"{rule.point}/{rule.code}", 0) + 1
    codes = {"surprise": "SURPRISE", "mahalanobis": "GROUP"}
    tried = [rule for rule in answer["rules"] if rule["suggested"] or all_of_them]
    assert len(tried) > 5
    for rule in tried:
        name = rule["rule"].rpartition("/")[2]
        key = f"{POINTS[rule['columns'][0]]}/{codes.get(name, name)}"
        assert alarms.get(key, 0) == rule["alarms"], key
    assert sum(rule["alarms"] for rule in answer["rules"]) == len(answer["events"])


def test_no_suggested_number_is_called_a_safety_limit_or_regulation(tmp_path: Path) -> None:
    arguments = ["try", str(write(tmp_path)), "--rules", str(tmp_path / "r.toml"), "--report", str(tmp_path / "r.html")]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    toml = (tmp_path / "r.toml").read_text(encoding="utf-8")
    sources = re.findall(r'^#? ?source = "(.*)"$', toml, flags=re.MULTILINE)
    assert len(sources) == toml.count("[points.rules.") > 5
    assert all(source.endswith("no safety limit, no regulation") for source in sources)
    assert toml.count('confidence = "engineering default"') == len(sources)
    assert "不是安全限值，也不是法规要求" in toml


def test_names_of_columns_become_ids_of_points() -> None:
    long = "a" * 80
    ids = point_ids(["温度", "温度 2", "2", long, long + "b", "x/y", "x-y"], {"2": "P.2"})
    assert len(set(ids.values())) == 7
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", point) for point in ids.values())
    assert ids["2"] == "P.2"
