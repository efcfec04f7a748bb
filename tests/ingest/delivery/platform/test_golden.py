"""Every byte of a request is fixed by a file: what a province's platform takes today it takes tomorrow."""

from __future__ import annotations

import pytest

from ingest.delivery.platform.mapping import load_mapped
from ingest.domain.model.alarm import AlarmEventKind
from ingest.domain.model.outbox import Message, MessageKind
from ingest.domain.model.warning import Step, WarningEventKind
from tests.ingest.delivery.outbox import alarm_message, readings_message, warning_message
from tests.ingest.delivery.platform.profiles import GOLDEN, OLD_MAPPING, TIANJIN, as_http, profile, protocol

MESSAGES: dict[MessageKind, list[Message]] = {
    "alarm": [alarm_message(1), alarm_message(2, AlarmEventKind.ACKNOWLEDGED, point="CW_OUT_T-01")],
    "warning": [warning_message(1), warning_message(2, WarningEventKind.ESCALATED, step=Step.COUNTY)],
    "readings": [readings_message(1), readings_message(2)],
}


@pytest.mark.parametrize("kind", list(MESSAGES))
@pytest.mark.parametrize("old", [False, True], ids=["profile", "mapping"])
def test_the_dust_platform_of_tianjin_gets_the_bytes_it_always_got(kind: MessageKind, *, old: bool) -> None:
    """The files were made by the code before there were profiles; a mapping file of that time gives them, too."""
    form = load_mapped(OLD_MAPPING) if old else profile()
    wrapped = protocol(form).wrap(kind, MESSAGES[kind])
    assert wrapped.post is not None
    assert as_http(wrapped.post) == (GOLDEN / f"{TIANJIN}.{kind}.http").read_bytes()
    assert wrapped.left_out == {}
