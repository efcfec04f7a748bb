"""`yujing try` says what differs from the start of a file, in words, as a report and as JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ingest.cli.main import app
from tests.ingest.cli.trying.loops import FAULT, MAPS, ROWS, lines, write


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["try", *map(str, arguments)])


def found(*arguments: str | Path) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk"])
def test_the_fault_is_found_and_the_column_named(tmp_path: Path, encoding: str) -> None:
    answer = found(write(tmp_path, encoding=encoding))
    assert (answer["rows"], answer["lesson"]["rows"]) == (ROWS, ROWS // 4)
    assert answer["time_column"] == "时间"
    assert answer["from"] == "2024-01-03T00:00:00.000Z"
    events = [event for event in answer["events"] if event["row"] in FAULT and event["row"] < FAULT.start + 5]
    assert {event["kind"] for event in events} >= {"mahalanobis", "limit"}
    assert {event["column"] for event in events} == {"Pressure (MPa)"}
    group = next(event for event in events if event["kind"] == "mahalanobis")
    assert group["contributions"][0]["column"] == "Pressure (MPa)"
    assert group["contributions"][0]["aspect"] is None
    assert group["peak"] > group["on"]
    rare = [event for event in answer["events"] if event["kind"] == "surprise"]
    assert rare
    assert all(
        part["aspect"] and part["column"] == event["column"] for event in rare for part in event["contributions"]
    )
    assert all(event["row"] >= answer["lesson"]["rows"] for event in answer["events"])
    assert not answer["not_used"]


def test_people_are_told_in_chinese_first_and_what_cannot_be_known(tmp_path: Path) -> None:
    result = run(write(tmp_path))
    assert result.exit_code == 0, result.stderr
    text = result.stdout
    assert "1500 行 rows × 3 列 columns, 学习期 lesson 375 行 rows" in text
    assert re.search(
        r"2024-01-03 11:03:\d\d  Pressure \(MPa\)  高于学习期范围 above the range of the lesson: 0\.\d+ ≥ 0\.", text
    )
    assert re.search(
        r"各列合起来不同以往 the columns together .*: 正常限值的 .* times its normal limit \(Pressure", text
    )
    assert re.search(r"发现 findings: \d+  .*高于学习期范围 \d+.* above the range of the lesson \d+", text)
    assert "它不是安全限值，也不是法规要求" in text
    assert "no safety limit and no regulation" in text
    assert "报告 report: loop.try.html" in text


def test_the_report_is_one_file_without_script_or_anything_from_elsewhere(tmp_path: Path) -> None:
    text = lines()
    text[1] = text[1].replace("流量", "x")
    text[0] = text[0].replace("流量", "<b>流量&</b>")
    assert run(write(tmp_path, text), "--report", tmp_path / "r.html").exit_code == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;b&gt;流量&amp;&lt;/b&gt;" in page
    addresses = set(re.findall(r"https?://[^\"' <]+", page))
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\b(src|href)=|url\(|@import", page)
    assert page.count("<svg") == 4
    assert "不是安全限值" in page
    assert "[points.rules.USUAL_H]" in page


def test_what_was_not_used_is_counted_and_named(tmp_path: Path) -> None:
    text = lines()
    text = [f"{line},{'备注' if at == 0 else '班组甲'},{'阀位' if at == 0 else 1}" for at, line in enumerate(text)]
    text[50] = text[50].replace(",", ",坏,", 1).replace("坏,", "坏").rsplit(",", 4)[0] + ",坏,70,班组甲,1"
    text[61] = text[60]
    result = run(write(tmp_path, text))
    assert result.exit_code == 0, result.stderr
    for words in (
        "列 备注：1500 处不是数字的列，未使用，第一处在第 2 行（班组甲）",
        "时间重复的行，只取第一行，第一处在第 62 行",
        "列 阀位：学习期内没有变化，学不到范围",
    ):
        assert words in result.stdout
    page = Path("loop.try.html").read_text(encoding="utf-8")
    assert "列 备注：1500 处不是数字的列" in page


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ([], "应为：一列时间和至少一列数字", "expected: a column of times and at least one of numbers"),
        (lines()[:4], "应为：多于 30 行", "expected: more than 30 rows"),
        (
            ["时间,班组", *(f"2024-01-03 08:00:{s:02},甲" for s in range(60))],
            "至少一列数字",
            "column '班组' = '甲'\n    应为：除时间外至少一列数字\n    expected: at least one column of numbers",
        ),
        (["a,b", *("1,2" for _ in range(60))], "应为：一列时间", "column 'a' = '1'"),
        (["时间,x", *("昨天,2" for _ in range(60))], "应为：一列时间", "column '时间' = '昨天'"),
    ],
)
def test_a_file_with_nothing_usable_is_refused_with_what_was_expected(
    tmp_path: Path, text: list[str], zh: str, en: str
) -> None:
    file = write(tmp_path, text)
    result = run(file)
    assert result.exit_code == 2
    assert str(file) in result.stderr
    assert zh in result.stderr
    assert en in result.stderr
    assert not [*Path.cwd().iterdir()]


def test_a_wrong_column_is_refused_with_the_nearest(tmp_path: Path) -> None:
    file = write(tmp_path)
    for option in ("--without", "--column", "--time"):
        result = run(file, option, "Presure (MPa)")
        assert result.exit_code == 2
        assert "did you mean 'Pressure (MPa)'?" in result.stderr
        assert "是否指 Pressure (MPa)？" in result.stderr
    assert "column=point" in run(file, "--map", "温度").stderr
    assert run(file, "--learn-until", "2031-01-01").exit_code == 2
    assert run(file, "--report", tmp_path / "no" / "r.html").exit_code == 1


@pytest.mark.parametrize(
    "options",
    [
        ("--report", "loop.csv"),
        ("--rules", "loop.csv"),
        ("--report", "link.csv"),
        ("--rules", "hard.csv"),
        ("--report", "x", "--rules", "./x"),
        ("--rules", "loop.try.html"),
    ],
)
def test_nothing_is_written_over_the_data_or_over_another_result(tmp_path: Path, options: tuple[str, ...]) -> None:
    file = write(Path.cwd())
    Path("link.csv").symlink_to(file)
    Path("hard.csv").hardlink_to(file)
    before, files = file.read_bytes(), {*Path.cwd().iterdir()}
    result = run(file, *options)
    assert result.exit_code == 2
    assert f"{options[-2]} {options[-1].removeprefix('./')}" in result.stderr
    assert "expected: another file than that of" in result.stderr
    assert file.read_bytes() == before
    assert {*Path.cwd().iterdir()} == files


def test_a_column_and_a_point_are_mapped_once(tmp_path: Path) -> None:
    file = write(tmp_path)
    for second in ("温度=T-01", "流量=T-02"):
        result = run(file, "--map", "流量=T-01", "--map", second)
        assert result.exit_code == 2
        assert f"'{second}': expected column=point, each once" in result.stderr


def test_rows_without_times_that_would_reach_beyond_2100_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path, ["x,y", *(f"{s % 7},{s % 5}" for s in range(200))])
    for seconds in ("inf", "1e12"):
        result = run(file, "--every", seconds)
        assert result.exit_code == 2
        assert "seconds from 0.001 to 11991888, so that all 200 rows lie before 2100" in result.stderr


def test_a_constant_column_and_rows_without_times_are_no_trouble(tmp_path: Path) -> None:
    text = ["x,y", *(f"{(s * 7919) % 100},5" for s in range(200))]
    answer = found(write(tmp_path, text), "--every", "60")
    assert answer["stood_still"] == ["y"]
    assert "各行的时间是编排的" in Path("loop.try.html").read_text(encoding="utf-8")
    assert answer["time_column"] is None
    assert [rule["rule"] for rule in answer["rules"] if rule["rule"].startswith("y/")] == ["y/surprise"]


def test_the_time_up_to_which_to_learn_can_be_said(tmp_path: Path) -> None:
    answer = found(write(tmp_path), "--learn-until", "2024-01-03 09:00")
    assert answer["lesson"] == {"rows": 360, "until": "2024-01-03T00:59:50.000Z"}
    assert [column["name"] for column in found(write(tmp_path), "--column", "温度")["columns"]] == ["温度"]
    assert found(write(tmp_path), *MAPS)["columns"][0] == {"name": "流量", "point": "FLOW-01"}
