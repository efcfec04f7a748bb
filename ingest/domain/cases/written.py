"""Writes a sheet as CSV, XLSX, a page for the printer, or JSON.

Texts come from people, some of them strangers: in none of these can a text become a formula, a link or markup.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from html import escape
from typing import Any, BinaryIO, Final

from ingest.base import build
from ingest.base.extras import needing
from ingest.domain.cases.sheet import Kind, Sheet, Value, local, shown
from ingest.domain.model.payload import PLANT_TIME

_FORMULA: Final = frozenset("=+-@\u2212")
"""First characters by which spreadsheets take a text for a formula (OWASP, CSV injection)."""

_UNSEEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs", "Mn", "Me"})
"""Categories of characters that nobody sees before another one; spreadsheets pass some of them over."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

MOST_ROWS: Final = 1_048_576
"""Rows of a sheet of a workbook, three of them headings."""

_LONGEST: Final = 32_767
"""Characters a cell of a workbook can have."""

_FORMATS: Final[Mapping[Kind, dict[str, str]]] = {
    "text": {"num_format": "@"},
    "count": {"num_format": "0"},
    "share": {"num_format": "0.0%"},
    "money": {"num_format": "#,##0.00"},
    "day": {"num_format": "yyyy-mm-dd"},
    "time": {"num_format": "yyyy-mm-dd hh:mm"},
}
_WIDTHS: Final[Mapping[Kind, int]] = {"text": 16, "count": 9, "share": 9, "money": 13, "day": 11, "time": 16}


class TooManyRows(Exception):
    """A workbook cannot hold the sheet; none of its rows is left out instead."""

    def __init__(self, rows: int) -> None:
        super().__init__(f"{rows:,} rows: a workbook holds {MOST_ROWS - 3:,}; ask for fewer days, one plant, or CSV")


def write_csv(sheet: Sheet, out: BinaryIO) -> None:
    """UTF-8 with a byte order mark, by which Excel knows it; a text that looks like a formula gets an apostrophe."""
    out.write(b"\xef\xbb\xbf")
    text = io.TextIOWrapper(out, "utf-8", "replace", newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([_guarded(column.heading.zh) for column in sheet.columns])
    for row in sheet.rows:
        writer.writerow([_cell(column.kind, value) for column, value in zip(sheet.columns, row, strict=True)])
    text.detach()  # else `out` would be closed with it


def write_xlsx(sheet: Sheet, out: BinaryIO) -> None:
    """A workbook of one sheet: headings that stay, filters, A4 across, numbers and dates as such, texts as texts.

    Its rows are written to a temporary file as they come, not kept in memory.

    Raises:
        TooManyRows: it does not hold them.
        ExtraMissing: the library that writes workbooks is not installed.
    """
    if len(sheet.rows) > MOST_ROWS - 3:
        raise TooManyRows(len(sheet.rows))
    with needing("xlsx", "XLSX"):
        from xlsxwriter import Workbook  # noqa: PLC0415  who writes no workbook needs no library for it

    with Workbook(out, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        book.set_properties({"title": sheet.title.zh, "created": local(sheet.made)})
        page = book.add_worksheet(_sheet_name(sheet.title.zh))
        head = book.add_format({"bold": True, "text_wrap": True, "border": 1, "bg_color": "#E7EEF5", "valign": "top"})
        title = book.add_format({"bold": True, "font_size": 14})
        forms = [
            book.add_format({"border": 1, "valign": "top", "text_wrap": True, **_FORMATS[column.kind]})
            for column in sheet.columns
        ]
        for number, column in enumerate(sheet.columns):
            page.set_column(number, number, 36 if column.wide else _WIDTHS[column.kind])
        # From here on line by line: what is written to an earlier one would be lost.
        page.write_string(0, 0, sheet.title.zh, title)
        page.write_string(1, 0, f"{sheet.subtitle.zh}　{shown('time', local(sheet.made))}")
        for number, column in enumerate(sheet.columns):
            page.write_string(2, number, column.heading.zh, head)
        for line, row in enumerate(sheet.rows, start=3):
            for number, value in enumerate(row):
                _write(page, line, number, value, forms[number])
        page.freeze_panes(3, 1)
        page.autofilter(2, 0, 2 + max(len(sheet.rows), 1), len(sheet.columns) - 1)
        page.set_landscape()
        page.set_paper(9)  # A4
        page.fit_to_pages(1, 0)
        page.repeat_rows(2)


def write_html(sheet: Sheet, out: BinaryIO) -> None:
    """A page for the printer: A4 across, headings on every sheet of paper, no scripts."""
    head = "".join(f'<th scope="col">{escape(column.heading.zh)}</th>' for column in sheet.columns)
    title, made = escape(sheet.title.zh), shown("time", local(sheet.made))
    before = f"""<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<link rel="stylesheet" href="/static/print.css?v={build.version()}">
</head>
<body>
<h1>{title}</h1>
<p>{escape(sheet.subtitle.zh)}　共 {len(sheet.rows)} 条　数据时间 {made}</p>
<table>
<thead><tr>{head}</tr></thead>
<tbody>
"""
    out.write(before.encode("utf-8", "replace"))
    for row in sheet.rows:
        cells = "".join(_td(column.kind, value) for column, value in zip(sheet.columns, row, strict=True))
        out.write(f"<tr>{cells}</tr>\n".encode("utf-8", "replace"))
    out.write(b"</tbody>\n</table>\n</body>\n</html>\n")


def write_json(sheet: Sheet, out: BinaryIO) -> None:
    """Title, headings in both languages, and each row by the keys of its columns."""
    keys = [column.key for column in sheet.columns]
    described = {
        "title": {"zh": sheet.title.zh, "en": sheet.title.en},
        "subtitle": {"zh": sheet.subtitle.zh, "en": sheet.subtitle.en},
        "columns": [
            {"key": column.key, "zh": column.heading.zh, "en": column.heading.en, "kind": column.kind}
            for column in sheet.columns
        ],
    }
    out.write(_json(described)[:-1] + b',"rows":[')
    out.writelines(
        b"," * (number > 0) + _json(dict(zip(keys, map(_jsonable, row), strict=True)))
        for number, row in enumerate(sheet.rows)
    )
    out.write(b"]}")


WRITERS: Final[Mapping[str, tuple[str, Callable[[Sheet, BinaryIO], None]]]] = {
    "csv": ("text/csv; charset=utf-8", write_csv),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write_xlsx),
    "html": ("text/html; charset=utf-8", write_html),
    "json": ("application/json", write_json),
}
"""Extension -> media type and writer, which writes rows as they come."""


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _cell(kind: Kind, value: Value) -> str:
    if isinstance(value, str):
        return _guarded(value)
    return shown(kind, value) if kind in {"day", "time"} or value is None else str(value)


def _guarded(text: str) -> str:
    """The text with an apostrophe before it if a spreadsheet may take it for a formula, and no control characters."""
    first = next((character for character in text if unicodedata.category(character) not in _UNSEEN), "")
    # wide and small forms of a sign count as the sign; who begins with a control character wants something by it
    suspect = unicodedata.normalize("NFKC", first) in _FORMULA or unicodedata.category(text[:1] or " ") == "Cc"
    return ("'" if suspect else "") + _CONTROL.sub("\ufffd", text)


def _write(page: Any, line: int, number: int, value: Value, form: Any) -> None:
    if value is None:
        page.write_blank(line, number, None, form)
    elif isinstance(value, str):
        # never `write`, which makes formulas and links of texts
        page.write_string(line, number, value[:_LONGEST], form)
    elif isinstance(value, dt.date):
        page.write_datetime(line, number, value, form)
    else:
        page.write_number(line, number, value, form)


def _td(kind: Kind, value: Value) -> str:
    number = ' class="number"' if kind in {"count", "share", "money"} else ""
    return f"<td{number}>{escape(shown(kind, value))}</td>"


def _sheet_name(title: str) -> str:
    return "".join("_" if c in r"[]:*?/\'" else c for c in title)[:31]


def _jsonable(value: Value) -> Any:
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=PLANT_TIME).isoformat()
    return value.isoformat() if isinstance(value, dt.date) else value
