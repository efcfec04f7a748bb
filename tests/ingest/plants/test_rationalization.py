"""Every shipped rule says in both languages what its alarm asks of people, and a plant file can say it better."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.domain.model.fault import InvalidConfig
from ingest.domain.model.plant import Rationalization
from ingest.domain.model.text import Text
from ingest.plants.catalogue import DIRECTORY, Signal, load_catalogue
from ingest.plants.explain import explain_point
from ingest.plants.kinds import RuleSpec
from ingest.plants.rationalization import FAMILIES, FOLDER
from ingest.plants.written import read_toml
from tests.ingest.plants.samples import plant, point

LONGEST = {"cause": 160, "consequence": 220, "action": 260}
"""Characters of Chinese; the English text may have three times as many."""

LATIN = re.compile(r"[A-Za-z]{4,}")


def shipped() -> Iterator[tuple[Signal, str, RuleSpec]]:
    catalogue = load_catalogue()
    for signals in (*catalogue.signals.values(), catalogue.gateway, catalogue.service, catalogue.instrument):
        for signal in signals.values():
            for code, spec in signal.rules.items():
                yield signal, code, spec


def on_file() -> Iterator[tuple[str, Rationalization]]:
    for signal, code, spec in shipped():
        found = signal.rationalizations.of(code, spec)
        if found is not None:
            yield f"{signal.code}.{code}", found


def test_every_shipped_rule_says_what_its_alarm_asks_of_people() -> None:
    missing = [f"{s.code}.{code}" for s, code, spec in shipped() if s.rationalizations.of(code, spec) is None]
    assert not missing, "write them in ingest/plants/catalogue/rationalization/ (docs/alarms.md, What to do)"


def test_what_the_instruments_rules_say_names_what_the_signal_loses() -> None:
    spark = load_catalogue().signals["dust"]["DUST_SPARK"]
    found = spark.rationalizations.of("BAD", spark.rules["BAD"])
    assert found is not None
    assert spark.rationalizations.lost is not None
    assert spark.rationalizations.lost.zh in found.consequence.zh
    assert spark.rationalizations.lost.en in found.consequence.en


def test_a_trend_asks_for_what_its_limit_asks() -> None:
    water = load_catalogue().signals["steel"]["STL_CW_FLOW"]
    trend, limit = (water.rationalizations.of(code, water.rules[code]) for code in ("FORECAST", "L"))
    assert trend is not None
    assert limit is not None
    assert trend.action.zh.endswith(limit.action.zh)


def test_a_red_rule_clears_people_away_at_once() -> None:
    for signal, code, spec in shipped():
        if spec.red:
            found = signal.rationalizations.of(code, spec)
            assert found is not None
            assert found.respond_s <= 60, (signal.code, code)
            assert "撤" in found.action.zh, (signal.code, code, found.action.zh)


def test_a_spark_that_was_put_out_stops_nobody_and_any_other_clears_people_away() -> None:
    spark = load_catalogue().signals["dust"]["DUST_SPARK"]
    found = spark.rationalizations.of("ON", spark.rules["ON"])
    assert found is not None
    put_out, _, other = found.action.zh.partition("。")
    assert "自动熄灭" in put_out
    assert "不停产" in put_out
    for condition in ("没有该装置", "未动作", "看不清", "金属粉尘", "停产尘设备", "撤"):
        assert condition in other, condition


def test_level_2_of_a_process_leaves_no_hours() -> None:
    for signal, code, spec in shipped():
        found = signal.rationalizations.of(code, spec)
        if spec.level == 2 and found is not None and not signal.code.startswith(("SERVICE_", "DUST_CLEAN_AGE")):
            assert found.respond_s <= 600, (signal.code, code)


@pytest.mark.parametrize("act", ["撬", "用水", "开箱", "下井", "返回", "压缩空气", "猛送水", "摇炉", "无防护"])
def test_what_has_killed_is_named_only_to_forbid_it(act: str) -> None:
    """Bars, water on metal, opening what smoulders, going in after somebody: each with its *never* close before it."""
    named = 0
    for name, found in on_file():
        for match in re.finditer(act, found.action.zh):
            named += 1
            before = found.action.zh[max(0, match.start() - 12) : match.start()]
            assert re.search("不|禁止|停止", before), (name, found.action.zh)
    assert named


def test_texts_are_short_and_in_the_language_they_claim() -> None:
    for name, found in on_file():
        for key, longest in LONGEST.items():
            text: Text = getattr(found, key)
            assert re.search("[一-鿿]", text.zh), (name, key)
            assert not re.search("[一-鿿]", text.en), (name, key)
            assert not LATIN.search(text.zh), (name, key, text.zh)
            assert len(text.zh) <= longest, (name, key, len(text.zh))
            assert len(text.en) <= 3 * longest, (name, key, len(text.en))
            assert "{" not in text.zh + text.en, (name, key)


def test_times_to_respond_are_defaults_and_say_so() -> None:
    for name, found in on_file():
        assert found.confidence == "engineering default", name
        assert "engineering default" in found.source, name


def test_no_text_is_kept_for_a_rule_that_is_gone() -> None:
    known: dict[str, set[str]] = {}
    for signal, code, _ in shipped():
        known.setdefault(signal.code, set()).add(code)
    catalogue = load_catalogue()
    signals = {
        code
        for of in (*catalogue.signals.values(), catalogue.gateway, catalogue.service, catalogue.instrument)
        for code in of
    }
    for file in sorted((DIRECTORY / FOLDER).glob("*.toml")):
        if file.stem == FAMILIES:
            continue
        raw, faults = read_toml(file)
        assert not faults
        assert raw is not None
        for name, tables in raw.items():
            assert name in signals, name
            for code in tables.keys() - {"lost", "lost_en", "like"}:
                assert code in known.get(name, set()), f"{name}.{code}"


def asked(directory: Path, plant_file: str, code: str) -> Rationalization | None:
    (directory / "p.toml").write_text(plant_file, encoding="utf-8")
    return next(rule for rule in explain_point(directory, "p", "P-1").rules if rule.code == code).rationalization


def test_a_plant_file_replaces_single_texts_and_its_chinese_stands_for_both(tmp_path: Path) -> None:
    before = asked(tmp_path, plant("dust", point("P-1", "DUST_SPARK")), "ON")
    own = '\n[points.rules.ON]\naction = "打3号门撤离"\nrespond_s = 30\n'
    after = asked(tmp_path, plant("dust", point("P-1", "DUST_SPARK", own)), "ON")
    assert before is not None
    assert after is not None
    assert after.action == Text("打3号门撤离", "打3号门撤离")
    assert after.respond_s == 30
    assert (after.cause, after.consequence) == (before.cause, before.consequence)
    assert after.source.startswith("plant file")


def test_an_english_text_alone_is_refused(tmp_path: Path) -> None:
    own = '\n[points.rules.ON]\naction_en = "leave by door 3"\n'
    with pytest.raises(InvalidConfig, match="only beside action"):
        asked(tmp_path, plant("dust", point("P-1", "DUST_SPARK", own)), "ON")


def test_texts_of_its_own_leave_the_numbers_their_source(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(
        plant("dust", point("P-1", "DUST_SPARK", '\n[points.rules.ON]\naction = "撤离"\n')), encoding="utf-8"
    )
    rule = next(rule for rule in explain_point(tmp_path, "p", "P-1").rules if rule.code == "ON")
    assert rule.source == load_catalogue().signals["dust"]["DUST_SPARK"].rules["ON"].source
    assert {key.origin for key in rule.keys} == {"catalogue"}


def test_a_rule_that_only_the_plant_has_may_bring_its_own(tmp_path: Path) -> None:
    rule = '\n[points.rules.MINE]\nkind = "limit"\nside = "high"\non = 0.5\nlevel = 1\nlabel = "甲"\nlabel_en = "a"\n'
    assert asked(tmp_path, plant("dust", point("P-1", "DUST_SPARK", rule)), "MINE") is None
    own = asked(tmp_path, plant("dust", point("P-1", "DUST_SPARK", rule + 'action = "撤离"\n')), "MINE")
    assert own is not None
    assert own.action.zh == "撤离"
    assert own.cause == Text("企业文件未写明", "not written in the plant file")


def test_points_of_a_signal_share_what_is_on_file(tmp_path: Path) -> None:
    text = point("P-1", "DUST_SPARK") + point("P-2", "DUST_SPARK")
    first = asked(tmp_path, plant("dust", text), "ON")
    second = next(rule for rule in explain_point(tmp_path, "p", "P-2").rules if rule.code == "ON").rationalization
    assert first is second
    assert first is not None
