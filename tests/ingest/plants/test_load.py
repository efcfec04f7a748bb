from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.text import Text
from ingest.plants.load import load_configuration
from ingest.plants.numbering import NONE_RENAMED, MemoryNumbering, Numbered, PointKey
from tests.ingest.plants.samples import DATA, plant, point


def faults(directory: Path) -> tuple[Fault, ...]:
    with pytest.raises(InvalidConfig) as refused:
        load_configuration(directory, MemoryNumbering(), 1)
    return refused.value.faults


def refusal(directory: Path) -> str:
    return "\n".join(map(str, faults(directory))).replace(f"{directory}/", "")


def test_all_faults_of_a_broken_file_are_reported_at_once(tmp_path: Path) -> None:
    """File, key, value and expectation of each; the list is the golden file."""
    shutil.copy(DATA / "every-fault.toml", tmp_path)
    assert refusal(tmp_path).splitlines() == (DATA / "every-fault.txt").read_text(encoding="utf-8").splitlines()


def test_every_fault_is_reported_in_chinese_too(tmp_path: Path) -> None:
    """Beside the English golden file, line by line."""
    shutil.copy(DATA / "every-fault.toml", tmp_path)
    refused = [f"{fault.key} = {fault.value}: 应为：{fault.expected.zh}" for fault in faults(tmp_path)]
    assert refused == (DATA / "every-fault.zh.txt").read_text(encoding="utf-8").splitlines()


def test_faults_of_all_files_are_reported_together(directory: Path) -> None:
    (directory / "a.toml").write_text("[enterprise\nid = 3\n", encoding="utf-8")
    (directory / "b.toml").write_text(plant("steel", point("CO", "STL_C0"), name="b"), encoding="utf-8")
    found = faults(directory)
    assert [Path(fault.file).name for fault in found] == ["a.toml", "b.toml"]
    assert found[0].key == "line 1"
    assert found[0].value == "'[enterprise'"
    assert found[0].expected.en.startswith("TOML: ")
    assert found[1] == Fault(
        str(directory / "b.toml"),
        "points.0.signal (CO)",
        "'STL_C0'",
        Text(
            "目录中该类企业的信号；相近的有：STL_CO、STL_CW_P、STL_O2",
            "a signal of the catalogue for this kind of plant; near: STL_CO, STL_CW_P, STL_O2",
        ),
    )


def test_toml_cut_short_names_its_last_line(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[enterprise]\nid = "', encoding="utf-8")
    assert [(fault.key, fault.value) for fault in faults(tmp_path)] == [("line 2", "'id = \"'")]


def test_a_file_that_is_not_utf8_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes("[enterprise]\nname = '厂'".encode("gbk"))
    assert [fault.expected.en for fault in faults(tmp_path)] == ["UTF-8 text"]


def test_an_unreadable_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.toml").symlink_to(tmp_path / "nowhere")
    assert "a file that can be read" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_a_directory_without_plant_files_is_a_fault(tmp_path: Path, name: str) -> None:
    assert "expected at least one plant file" in refusal(tmp_path / name)


def test_two_files_of_the_same_plant_are_a_fault(directory: Path, demo: str) -> None:
    (directory / "second.toml").write_text(demo, encoding="utf-8")
    assert refusal(directory).splitlines() == [
        "second.toml: enterprise.id = 'demo-aluminium': expected the name of the file without .toml: second",
        "second.toml: enterprise.id = 'demo-aluminium': expected an id of its own; demo-aluminium.toml has it too",
    ]


def test_a_rule_of_other_dusts_cannot_be_changed_in_vain(tmp_path: Path) -> None:
    duct = point("DUCT", "DUST_DUCT_V", "[points.rules.LL]\non = 22") + point("FAN", "DUST_FAN_RUN")
    (tmp_path / "p.toml").write_text(plant("dust", duct), encoding="utf-8")
    assert "points.0.rules.LL.dust (DUCT) = 'wood': expected one of metal, aluminium, magnesium" in refusal(tmp_path)


def test_a_file_of_the_wrong_shape_is_reported_without_a_crash(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text('enterprise = 3\ngateways = "GW"\npoints = [1]\n', encoding="utf-8")
    found = refusal(tmp_path)
    for key in ("enterprise", "gateways", "points.0"):
        assert f"p.toml: {key} = " in found


@pytest.mark.parametrize(("table", "old"), [("points.0", '"CO"'), ("gateways.1", '"GW-2"')])
def test_no_point_or_gateway_has_the_id_of_a_gateways_clock(tmp_path: Path, table: str, old: str) -> None:
    second = '[[gateways]]\nid = "GW-2"\nname = "网关"\nname_en = "Gateway"\n'
    text = plant("steel", second + point("CO", "STL_CO")).replace(old, '"GW-1.clock"')
    (tmp_path / "p.toml").write_text(text, encoding="utf-8")
    assert f"{table}.id (GW-1.clock)" in refusal(tmp_path)
    assert "= 'GW-1.clock': expected an id of its own; it is that of GW-1's clock" in refusal(tmp_path)


def test_no_plant_takes_the_place_of_the_service_itself(tmp_path: Path) -> None:
    (tmp_path / "service.toml").write_text(plant("steel", point("CO", "STL_CO"), name="service"), encoding="utf-8")
    assert (
        refusal(tmp_path)
        == "service.toml: enterprise.id = 'service': expected an id of its own; service is the service itself"
    )


@pytest.mark.parametrize(
    ("was", "expected"),
    [
        (("", "A"), "points.1.was (B) = 'A': expected an id that is in this file no more; points.0 has it"),
        (("B", "A"), "points.0.was (A) = 'B': expected an id that is in this file no more; points.1 has it"),
        (("", "B"), "points.1.was (B) = 'B': expected an id that is in this file no more; points.1 has it"),
        (("X", "X"), "points.1.was (B) = 'X': expected the former id of one point only; points.0 was that too"),
        (("", "GW-1"), "points.1.was (B) = 'GW-1': expected an id that is in this file no more; gateways.0 has it"),
        (("", "GW-1.clock"), "points.1.was (B) = 'GW-1.clock': expected the former id of a point; it is that of"),
        (("", "a b"), "points.1.was (B) = 'a b': expected letters, digits and _ . -, at most 64"),
    ],
    ids=["still there", "swapped", "itself", "twice", "a gateway", "a gateway's own", "no id"],
)
def test_a_former_id_that_cannot_be_meant_is_refused(tmp_path: Path, was: tuple[str, str], expected: str) -> None:
    lines = [f'was = "{former}"\n' if former else "" for former in was]
    points = "".join(point(name, "STL_CO", line) for name, line in zip("AB", lines, strict=True))
    (tmp_path / "p.toml").write_text(plant("steel", points, name="p"), encoding="utf-8")
    assert expected in refusal(tmp_path)


@pytest.mark.parametrize(("table", "key"), [("enterprise", "enterprise"), ("[gateways]", "gateways.0")])
def test_gateways_and_plants_are_not_renamed_and_the_fault_says_where_the_way_is(
    tmp_path: Path, table: str, key: str
) -> None:
    text = plant("steel", point("A", "STL_CO"), name="p").replace(f"[{table}]\n", f'[{table}]\nwas = "OLD"\n')
    (tmp_path / "p.toml").write_text(text, encoding="utf-8")
    (fault,) = faults(tmp_path)
    assert (fault.key.partition(" ")[0], fault.value) == (f"{key}.was", "'OLD'")
    document, *headings = re.findall(r"docs/\w+\.md|(?<=\*)[^*,]+(?=\*)", fault.expected.en)
    words = (Path(__file__).parents[3] / document).read_text(encoding="utf-8")
    assert [heading for heading in headings if f"**{heading}**" in words] == ["Rename a gateway", "Rename a plant"]


def test_nothing_is_numbered_while_there_are_faults(tmp_path: Path) -> None:
    """Permanent indices are not spent on a file that is refused."""

    def never(points: Sequence[PointKey], _was: Mapping[PointKey, str] = NONE_RENAMED, /) -> Numbered:
        raise AssertionError(points)

    (tmp_path / "p.toml").write_text("x = 1", encoding="utf-8")
    with pytest.raises(InvalidConfig):
        load_configuration(tmp_path, never, 1)


def test_a_name_in_one_language_is_enough(tmp_path: Path) -> None:
    """It is shown on the pages of both; an English one alone has no Chinese page to stand on."""
    text = plant("steel", point("A", "STL_CO", 'name = "一号炉一氧化碳"\n'), name="p")
    text = re.sub("^name_en = .*\n", "", text, flags=re.MULTILINE)
    assert "name_en" not in text
    (tmp_path / "p.toml").write_text(text, encoding="utf-8")
    configuration = load_configuration(tmp_path, MemoryNumbering(), 1)
    found = configuration.enterprises()[0]
    named = next(known for known in found.points if known.id == "A")
    assert named.name == Text("一号炉一氧化碳", "一号炉一氧化碳")
    names = [
        found.name,
        *(gateway.name for gateway in found.gateways),
        *(equipment.name for equipment in found.equipment),
    ]
    assert [name.en for name in names] == [name.zh for name in names]
    (tmp_path / "p.toml").write_text(text.replace('name = "一号炉', 'name_en = "CO'), encoding="utf-8")
    assert "points.0 (A) = (a table): expected name beside name_en" in refusal(tmp_path)


def test_a_fault_of_a_machine_or_gateway_names_it(tmp_path: Path) -> None:
    """As one of a point does: nobody counts tables."""
    extra = '[[equipment]]\nid = "F-7"\nname = ""\n[[gateways]]\nid = "GW-7"\n'
    (tmp_path / "p.toml").write_text(plant("steel", extra + point("A", "STL_CO"), name="p"), encoding="utf-8")
    message = refusal(tmp_path)
    assert re.search(r"equipment\.\d\.name \(F-7\) = '': expected a name", message), message
    assert re.search(r"gateways\.\d\.name \(GW-7\) = \(missing\)", message), message
