"""A text for people, in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A text for people in both languages, Chinese first."""

    zh: str
    en: str

    @property
    def both(self) -> str:
        """Both on one line, for what is read by whoever comes: the log."""
        return self.zh if self.zh == self.en else f"{self.zh} {self.en}"
