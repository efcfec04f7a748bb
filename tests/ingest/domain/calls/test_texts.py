"""The words of a call always give its level and its number, and never a gap where something is not known."""

from __future__ import annotations

from uuid import UUID

import pytest

from ingest.domain.calls.texts import FIELDS, REQUIRED, ROLL_CALL, WARNING, fields_of, message_text
from ingest.domain.model.call import Call, CallAttempt, Cause, attempt_id
from ingest.domain.model.warning import Colour

EIGHT = 1_763_884_800 * 10**9  # 16:00 at the plant
CALL = Call(
    UUID("0a1b2c3d-0000-5000-8000-000000000000"), "p", Cause.WARNING, "s", Colour.RED, None,
    {"zh": {"enterprise": "某厂", "level": "红色预警", "value": "{id}"}, "en": {"level": "red"}},
    EIGHT - 90 * 10**9, EIGHT, EIGHT, (),
)  # fmt: skip
ATTEMPT = CallAttempt(attempt_id(CALL.id, 1), 0, 1, 1, "张三", "voice", "1", EIGHT, EIGHT + 120 * 10**9)


@pytest.mark.parametrize("template", [WARNING, ROLL_CALL])
def test_the_templates_have_what_they_must(template: object) -> None:
    for text in (getattr(template, "zh", ""), getattr(template, "en", "")):
        assert fields_of(text) >= REQUIRED
        assert fields_of(text) <= FIELDS


def test_a_message_is_filled_in() -> None:
    """A value that looks like a field is none; what is not known is a dash."""
    text = message_text(CALL, ATTEMPT, WARNING)
    assert text.zh == (
        "【预警】某厂—— 红色预警：—，{id}—（限值—），15:58起已1分钟。请张三在16:02前按1确认。编号0a1b2c3d。"
    )
    assert text.en.startswith(
        "[Warning] — — —, red: —, — — (limit —), since 15:58, 1 min. 张三, please press 1 by 16:02."
    )


@pytest.mark.parametrize("template", ["{level", "{level!r}", "{level:>30}", "{}"])
def test_a_template_that_cannot_be_filled_in_is_refused(template: str) -> None:
    try:
        found = fields_of(template)
    except ValueError:
        return
    assert not found <= FIELDS
