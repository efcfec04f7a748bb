"""A text from a person is a text in every spreadsheet, however its beginning is hidden."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import openpyxl
import pytest

from ingest.domain.cases import written
from ingest.domain.cases.sheet import Column, Sheet
from ingest.domain.cases.written import WRITERS, TooManyRows
from ingest.domain.model.text import Text


def sheet(text: str) -> Sheet:
    column: Column[str] = Column("place", Text("地点", "Place"), "text", str)
    return Sheet("hazards", Text("隐患", "Hazards"), Text("", ""), (column,), ((text,),), 0)


def in_bytes(ending: str, sheet: Sheet) -> bytes:
    out = io.BytesIO()
    WRITERS[ending][1](sheet, out)
    return out.getvalue()


def in_csv(text: str) -> str:
    (_, (cell,)) = csv.reader(io.StringIO(in_bytes("csv", sheet(text)).decode("utf-8-sig"), newline=""))
    return cell


UNSEEN = ["\x00", "\u200b", "\ufeff", "\u2060", "\xad", "\u202e", "\u3000", "\t", "\x7f", "́"]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "﹦", "－", "﹣", "−", "＠"])
def test_nothing_unseen_before_a_sign_makes_a_formula_of_a_text(sign: str) -> None:
    for before in ("", " ", "\n", "\u200b \x00", *UNSEEN):
        assert in_csv(f"{before}{sign}HYPERLINK(1)").startswith("'"), ascii(before)


@pytest.mark.parametrize("text", ["结晶器 = 3", "炉前平台", "a-b", "", "　炉前", "3 + 4", "\u200b炉前"])
def test_a_text_that_can_be_no_formula_is_written_as_it_is(text: str) -> None:
    assert in_csv(text) == text


def test_no_control_character_reaches_a_file_that_people_open() -> None:
    assert in_csv("a\x00b\x1b[2J\x9bc\nd") == "a\ufffdb\ufffd[2J\ufffdc\nd"
    book = openpyxl.load_workbook(io.BytesIO(in_bytes("xlsx", sheet("a\x00b\x0b"))))
    assert str(book.worksheets[0]["A4"].value).startswith("a")


def test_a_sheet_that_a_workbook_cannot_hold_is_refused_and_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "MOST_ROWS", 5)
    line = sheet("a")
    assert in_bytes("xlsx", replace(line, rows=(*line.rows,) * 2))
    with pytest.raises(TooManyRows, match=r"3 rows: a workbook holds 2; ask for fewer days, one plant, or CSV"):
        in_bytes("xlsx", replace(line, rows=(*line.rows,) * 3))
    assert in_bytes("csv", replace(line, rows=(*line.rows,) * 3)).count(b"\r\n") == 4
