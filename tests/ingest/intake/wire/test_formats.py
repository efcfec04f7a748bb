"""Every frame format of the registry keeps what intake relies on."""

from __future__ import annotations

import pytest

from ingest.intake.wire.format import FrameFormat
from ingest.intake.wire.json_format import JsonFormat
from ingest.intake.wire.registry import FORMATS, by_first_byte
from tests.conformance.frame_format import FrameFormatPromises


class TestFormats(FrameFormatPromises):
    @pytest.fixture(params=FORMATS)
    def fmt(self, request: pytest.FixtureRequest) -> FrameFormat:
        return FORMATS[request.param]


def test_two_formats_that_begin_alike_cannot_both_be_registered() -> None:
    with pytest.raises(ValueError, match="both begin with"):
        by_first_byte([*FORMATS.values(), JsonFormat()])
