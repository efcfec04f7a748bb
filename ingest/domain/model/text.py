"""A text that people read, in both languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A text people read: Chinese first, English too."""

    zh: str
    en: str
