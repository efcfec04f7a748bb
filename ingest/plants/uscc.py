"""Validates unified social credit codes (统一社会信用代码), GB 32100, by their check character."""

from __future__ import annotations

from typing import Final

from ingest.domain.model.text import Text

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""31 characters: digits and capitals without I O S V Z."""

_LENGTH: Final = 18
_VALUE: Final = {character: value for value, character in enumerate(ALPHABET)}


def uscc_fault(code: str) -> Text | None:
    """Return the expectation that a code fails, or None for a valid one.

    >>> uscc_fault("91350100M000100Y43") is None
    True
    >>> uscc_fault("91350100M000100Y44").en
    'a GB 32100 code whose last character is its check character: 3, not 4'
    """
    if len(code) != _LENGTH:
        return Text(
            f"GB 32100 统一社会信用代码，18 位，现为 {len(code)} 位",
            f"a GB 32100 code of 18 characters, not {len(code)}",
        )
    wrong = sorted(set(code) - _VALUE.keys())
    if wrong:
        return Text(
            f"GB 32100 统一社会信用代码，由数字和不含 I O S V Z 的大写字母组成；不能有 {' '.join(wrong)}",
            f"a GB 32100 code of digits and capitals without I O S V Z; not {' '.join(wrong)}",
        )
    check = check_character(code[:-1])
    if code[-1] != check:
        return Text(
            f"GB 32100 统一社会信用代码，末位为校验位：应为 {check}，现为 {code[-1]}",
            f"a GB 32100 code whose last character is its check character: {check}, not {code[-1]}",
        )
    return None


def check_character(body: str) -> str:
    """Return the check character of 17 characters, all of `ALPHABET`: (31 - sum of value x 3^place) mod 31."""
    total = sum(_VALUE[character] * pow(3, place, 31) for place, character in enumerate(body))
    return ALPHABET[-total % 31]
