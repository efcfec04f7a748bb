"""Parses a settings file whole, or table by table if one of them is not valid TOML."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_HEADER: Final = re.compile(r"\s*\[{1,2}([\w\s.\"'-]+)\]{1,2}\s*(?:#.*)?")
_LINE: Final = re.compile(r"at line (\d+)")
_VALUE: Final = re.compile(r"""^[^#=\n]+=[ \t]*["']?([^"'#\n\0]+)""", re.MULTILINE)
CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
"""The variable in which systemd tells a unit where its credentials are."""

_OF_THE_UNIT: Final = re.compile(rb"(?<=[\"'])/run/credentials/[^/\"'\n]+(?=/)")
_INSIDE_AN_ENTRY: Final = 3
"""Keys of a header such as `[api.tokens.token]`: it belongs to the entry before it, which may not have been read."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A table that is not valid TOML.

    Attributes:
        keys: of its header; none for what stands above the first one.
        line: where reading ended, from 1.
        why: in words.
    """

    keys: tuple[str, ...]
    line: int
    why: str

    @property
    def name(self) -> str:
        """The table, for people."""
        return ".".join(self.keys) or "(file)"


def read_tables(content: bytes) -> tuple[dict[str, Any], list[Unread]]:
    """Parse every valid table, and list the others; a bad table does not affect the rest.

    What cannot be told apart from a bad table (a header that is none, a text that goes on for lines) goes with it.
    """
    text = _text_of(content)
    try:
        return _parsed(text), []
    except ValueError:
        pass
    read, sound = "", dict[str, Any]()
    unread: list[Unread] = []
    for keys, part in _tables(text):
        blank = "\n" * part.count("\n")  # lines keep their numbers
        if unread and len(keys) >= _INSIDE_AN_ENTRY:
            unread.append(Unread(keys, read.count("\n") + 1, "a table of an entry that can be read"))
            read += blank
            continue
        try:
            sound = _parsed(read + part)
            read += part
        except ValueError as error:
            found = _LINE.search(str(error))
            unread.append(Unread(keys, int(found[1]) if found else read.count("\n") + 1, str(error)))
            read += blank
    return sound, unread


def with_credentials(content: bytes, folder: str | None) -> bytes:
    """Replace the unit's credentials folder, which exists only while the unit runs, by that folder.

    >>> with_credentials(b'key = "/run/credentials/yujing.service/mqtt_key"', "/etc/yujing/secrets")
    b'key = "/etc/yujing/secrets/mqtt_key"'
    """
    if folder is None or re.search(r"[\"'\\\n]", folder):
        return content
    return _OF_THE_UNIT.sub(lambda _: os.fsencode(folder), content)


def values_in(content: bytes) -> Iterator[str]:
    """Yield the values assigned to keys, as text, whether or not their table is valid."""
    for found in _VALUE.finditer(_text_of(content)):
        yield found[1].strip()


def _text_of(content: bytes) -> str:
    return content.decode("utf-8-sig", "surrogateescape")  # editors on Windows begin a file with a mark


def _parsed(text: str) -> dict[str, Any]:
    """Parse the tables. Raises ValueError."""
    for number, line in enumerate(text.splitlines(), 1):
        if any("\udc80" <= letter <= "\udcff" for letter in line):
            raise ValueError(f"text in UTF-8 (at line {number})")
    return tomllib.loads(text)


def _tables(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the text of each table with its header, by the header's keys."""
    keys: tuple[str, ...] = ()
    part = ""
    for line in text.splitlines(keepends=True):
        header = _HEADER.fullmatch(line)
        if header is not None:
            yield keys, part
            keys, part = tuple(key.strip(" \t\"'") for key in header[1].split(".")), ""
        part += line
    yield keys, part
