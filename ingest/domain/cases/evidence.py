"""Evidence (证据): files that show what was done. A file is identified by the hash of its content."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ingest.domain.cases.errors import Incomplete

_NAME_LENGTH: Final = 200

_MAGIC: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
)
"""First bytes -> media type. Nothing else is taken: pictures and papers cannot run."""

MEDIA: Final = tuple(media for _, media in _MAGIC)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file as it was handed in. The same content handed in twice is kept once on disk.

    Attributes:
        sha256: of its content, hex; also the name of the file on disk.
        name: what its owner called it; only ever shown as text.
    """

    id: UUID
    plant: str
    sha256: str
    media: str
    size: int
    name: str
    by: str
    given: int


def media_of(content: bytes) -> str:
    """The media type by the first bytes. Raises Incomplete for any that is not taken.

    >>> media_of(b"%PDF-1.7 ...")
    'application/pdf'
    """
    for magic, media in _MAGIC:
        if content.startswith(magic):
            return media
    raise Incomplete("file", content[:8].hex(" "), f"a file that begins like {', '.join(MEDIA)}")


def digest_of(content: bytes) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(content).hexdigest()


def plain_name(name: str | None) -> str:
    r"""Return what is left of a file's name once folders, control and formatting characters are gone.

    >>> plain_name("..\\..\\etc/现场 照片.jpg\r\nx: y")
    '现场 照片.jpgx: y'
    """
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    shown = "".join(c for c in last if unicodedata.category(c)[0] != "C").strip(" .")
    return shown[:_NAME_LENGTH] or "unnamed"
