"""docs/detectors.md says what the detectors are today."""

from __future__ import annotations

from detectors import KINDS
from detectors.page import PAGE, render
from detectors.page_examples import EXAMPLES, FAMILIES


def test_every_kind_stands_on_the_page_once_and_has_a_picture_in_which_it_trips() -> None:
    assert sorted(kind for kinds in FAMILIES.values() for kind in kinds) == sorted(KINDS)
    assert set(EXAMPLES) == set(KINDS) - {"silence"}, "silence is judged by the clock: there is nothing to draw"
    pictures = [text for file, text in render().items() if file != PAGE]
    assert len(pictures) == len(EXAMPLES)
    assert all('class="tripped"' in text for text in pictures)


def test_the_page_and_its_pictures_are_up_to_date() -> None:
    """Write them anew with `python -m detectors.page`."""
    for file, text in render().items():
        assert file.read_text(encoding="utf-8") == text, file
