"""Profiles of the tests: opened with what an authority might have issued, and their requests as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ingest.delivery.platform.codes import IssuedCodes
from ingest.delivery.platform.loading import load_profile
from ingest.delivery.platform.model import ProfileFile
from ingest.delivery.platform.opening import profile_with
from ingest.delivery.platform.profile import Issued, JsonProfile, Post
from ingest.delivery.platform.report import report_of
from ingest.domain.model.outbox import Message, MessageKind

APPID, APPSECRET = "app-of-the-tests", "appsecret-of-the-tests"
KEY, IV = "0123456789abcdeffedcba9876543210", "000102030405060708090a0b0c0d0e0f"
GOLDEN: Final = Path(__file__).parent / "golden"
OLD_MAPPING: Final = Path(__file__).parent / "mapping.toml"
"""A field mapping as installations have it that were set up before there were profiles."""

TIANJIN: Final = "tianjin-dust-sm4"
ISSUED: Final = Issued(APPID, APPSECRET, bytes.fromhex(KEY), bytes.fromhex(IV))


def profile(name: str = TIANJIN) -> ProfileFile:
    """The profile of that name."""
    return load_profile(name, "connectors.platform.profile")


def protocol(form: ProfileFile, codes: IssuedCodes | None = None, issued: Issued = ISSUED) -> JsonProfile:
    """The profile with what was issued."""
    return profile_with(form, codes or IssuedCodes(), issued)


def report(
    form: ProfileFile, kind: MessageKind, messages: Sequence[Message], codes: IssuedCodes | None = None
) -> dict[str, Any]:
    """The report of the messages, before it is sealed."""
    content: dict[str, Any] = report_of(form.sections[kind], codes or IssuedCodes(), kind, messages).content
    return content


def changed_copy(source: Path, file: Path, *changes: tuple[str, str]) -> Path:
    """Write a file as another is, but for these changes, each of what stands there; returns it."""
    text = source.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file.write_text(text, encoding="utf-8")
    return file


def as_http(post: Post) -> bytes:
    """The request as the golden files have it."""
    head = "".join(f"{name}: {value}\n" for name, value in post.headers.items())
    return f"POST {post.path}\n{head}\n".encode() + post.body
