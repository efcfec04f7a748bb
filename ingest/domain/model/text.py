"""A text for people, in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A text for people in both languages, Chinese first."""

    zh: str
    en: str
