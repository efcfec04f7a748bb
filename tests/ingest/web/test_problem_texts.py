"""Problems are shown in the reader's language on the console, whichever part of the service raised them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

import ingest
from ingest.web.texts.problems import problem_in_chinese
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import STEEL
from tests.ingest.web.stand_in import ADMIN

ROOT = Path(ingest.__file__).parent
WHERE = (
    "services/*.py", "services/cases/*.py", "web/caller.py", "web/guard.py", "web/concurrency.py",
    "web/rest/suppressions.py", "web/rest/warnings.py", "web/rest/audit.py", "engine/commands.py",
    "domain/cases/verbs.py", "domain/cases/*_steps.py",
)  # fmt: skip
RAISED = {
    "NotFound",
    "NotAllowed",
    "Conflict",
    "Unavailable",
    "TooManyRequests",
    "ValueError",
    "Impossible",
    "NotTheirs",
}
FILLED_IN = ("the hazard", "7", "major ", "not known", "rule '7' of point '7'")


def sentences() -> Iterator[tuple[str, ...]]:
    """What these modules refuse with: each as it may read, with one or the other for what it fills in."""
    for pattern in WHERE:
        for file in sorted(ROOT.glob(pattern)):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in RAISED and node.args:
                    match node.args[0]:
                        case ast.Constant(value=str(text)):
                            yield (text,)
                        case ast.JoinedStr(values=parts):
                            yield tuple("".join(_part(part, filled) for part in parts) for filled in FILLED_IN)


def _part(part: ast.expr, filled: str) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    quoted = isinstance(part, ast.FormattedValue) and part.conversion == ord("r")
    return "'7'" if quoted else filled


@pytest.mark.parametrize("readings", sorted({*sentences()}))
def test_every_refusal_has_a_chinese_text(readings: tuple[str, ...]) -> None:
    texts = [zh for reading in readings if (zh := problem_in_chinese(reading))]
    assert texts, readings
    words = re.sub(r"\w+\.\w+|GiB|" + "|".join(FILLED_IN), "", texts[0])  # names of settings stay
    assert not re.search("[A-Za-z]{3,}", words), words


@pytest.mark.parametrize("text", ["the state database does not answer", "the state database does not answer: x"])
def test_an_unreachable_state_database_is_reported_in_chinese(text: str) -> None:
    assert problem_in_chinese(text) == "状态库没有应答，请稍后再试。"
    doubt = "the state database does not answer; what was to be written may be kept, look before you repeat it"
    assert "请先查看" in str(problem_in_chinese(doubt))


@pytest.mark.parametrize(
    ("path", "zh", "en"),
    [
        ("/plants/zz", "没有企业 zz", "plant &#39;zz&#39; is not known"),
        (f"/plants/{STEEL}/points/ZZ", f"企业 {STEEL} 没有测点 ZZ", "point &#39;ZZ&#39; of plant"),
        (f"/alarms/{UUID(int=7)}", "没有这条报警", "is not known"),
        (f"/hazards/{UUID(int=7)}", "没有这条隐患", "is not known"),
        (
            "/lists/summary/1999",
            "不小于 2000 的数字",
            "a number, 2000 or more",
        ),
        ("/nowhere", "没有这个页面", "no such address"),
    ],
)
async def test_the_page_of_what_is_not_there_is_in_the_readers_language(path: str, zh: str, en: str, ask: Ask) -> None:
    client = ask(ADMIN)
    page = (await client.get(path)).text
    assert (zh in page, en in page) == (True, False)
    client.cookies.set("lang", "en")
    page = (await client.get(path)).text
    assert (zh in page, en in page) == (False, True)
