"""Translates messages that others wrote, by patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable

Translations = tuple[tuple[re.Pattern[str], str], ...]
"""Patterns of whole messages, and what they say in the other language, in which \\1 is the first group."""


def translations(pairs: Iterable[tuple[str, str]]) -> Translations:
    """Return them compiled."""
    return tuple((re.compile(pattern), words) for pattern, words in pairs)


def translated(text: str, known: Translations) -> str | None:
    r"""Return a message by the first pattern that it matches; None: by none.

    >>> translated("Expected ']'", translations([(r"Expected (.+)", r"缺少 \1")]))
    "缺少 ']'"
    """
    return next((match.expand(words) for pattern, words in known if (match := pattern.fullmatch(text))), None)
