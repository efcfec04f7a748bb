"""Rules as the configuration holds them: shared where points share them, and whole when asked for."""

from __future__ import annotations

from pathlib import Path

from ingest.plants.load import load_configuration
from ingest.plants.numbering import MemoryNumbering
from ingest.plants.rules import PointRules
from tests.ingest.plants.samples import plant, point


def test_points_of_a_signal_share_what_their_rules_say(tmp_path: Path) -> None:
    """Over all plants: a park of 100 000 points holds the words of a default rule once, not 100 000 times."""
    for name in ("a", "b"):
        points = [point(f"P-{n}", "ALC_CW_IN_P") for n in range(3)]
        (tmp_path / f"{name}.toml").write_text(plant("aluminium", "\n".join(points), name=name), encoding="utf-8")
    configuration = load_configuration(tmp_path, MemoryNumbering(), 1)
    known = [p for p in configuration.points if p is not None and p.signal == "ALC_CW_IN_P"]
    forms = [p.rules.forms for p in known if isinstance(p.rules, PointRules)]
    assert len(forms) == 6
    plain = [[form for form in each if not form.inputs and form.gate is None and not form.when] for each in forms]
    assert plain[0]
    assert all(a is b for each in plain for a, b in zip(plain[0], each, strict=True))


def test_a_rule_is_found_by_its_number_key_and_name(directory: Path) -> None:
    configuration = load_configuration(directory, MemoryNumbering(), 1)
    assert len(configuration.rules) == sum(len(p.rules) for p in configuration.points if p is not None)
    for number, rule in enumerate(configuration.rules):
        assert configuration.number(rule) == number
        assert configuration.has_rule(rule.plant, rule.point, rule.code)
        assert configuration.rule(rule.plant, rule.point, rule.code) == rule
        assert configuration.rule(rule.plant, rule.point, f"{rule.code}!") is None
        found = configuration.find(rule.plant, rule.point)
        assert found is not None
        assert rule in found.rules
    for table in configuration.tables.values():
        for key, number in zip(table.key, table.rule.tolist(), strict=True):
            rule = configuration.rules[number]
            assert key == f"{rule.plant}/{rule.point}/{rule.code}"
    assert configuration.number(configuration.rules[-1]) == len(configuration.rules) - 1
    assert not configuration.has_rule("no", "such", "rule")
