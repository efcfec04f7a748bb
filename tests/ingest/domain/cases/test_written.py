"""A text from a person is a text in every spreadsheet, however its beginning is hidden."""

from __future__ import annotations

import csv
import io

import pytest

from ingest.domain.cases.sheet import Column, Sheet
from ingest.domain.cases.written import csv_bytes, xlsx_bytes
from ingest.domain.model.text import Text


def sheet(text: str) -> Sheet:
    column: Column[str] = Column("place", Text("地点", "Place"), "text", str)
    return Sheet("hazards", Text("隐患", "Hazards"), Text("", ""), (column,), ((text,),), 0)


def in_csv(text: str) -> str:
    (_, (cell,)) = csv.reader(io.StringIO(csv_bytes(sheet(text)).decode("utf-8-sig"), newline=""))
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
    assert xlsx_bytes(sheet("a\x00b\x0b"))
