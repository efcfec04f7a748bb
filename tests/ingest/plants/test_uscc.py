from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.plants.uscc import ALPHABET, check_character, uscc_fault

VALID = ("91350100M000100Y43", "91110000802100433B", "914403001922038216")


@pytest.mark.parametrize("code", VALID)
def test_codes_in_use_are_accepted(code: str) -> None:
    assert uscc_fault(code) is None


@given(st.sampled_from(VALID), st.integers(0, 17), st.characters(codec="utf-8"))
def test_any_single_changed_character_is_caught(code: str, place: int, character: str) -> None:
    changed = code[:place] + character + code[place + 1 :]
    assert (uscc_fault(changed) is None) == (changed == code)


@given(st.text(ALPHABET, min_size=17, max_size=17))
def test_every_body_has_exactly_one_check_character(body: str) -> None:
    assert [c for c in ALPHABET if uscc_fault(body + c) is None] == [check_character(body)]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("91350100M000100Y44", "check character: 3, not 4"),
        ("91350100M000100Y4", "18 characters, not 17"),
        ("91350100M000I00y43", "not I y"),
        ("", "18 characters, not 0"),
    ],
)
def test_the_reason_says_what_to_mend(code: str, reason: str) -> None:
    expected = uscc_fault(code)
    assert expected is not None
    assert reason in expected.en
