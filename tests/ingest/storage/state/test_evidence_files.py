"""A file of evidence is synced to disk before that is confirmed, and verified when it is read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ingest.domain.cases.errors import Incomplete
from ingest.domain.cases.evidence import digest_of
from ingest.storage.state.errors import StateUnavailable
from ingest.storage.state.evidence_files import EvidenceFiles

PDF = b"%PDF-1.7\nwords"


@pytest.fixture
def files(tmp_path: Path) -> EvidenceFiles:
    return EvidenceFiles(tmp_path / "data" / "evidence", 1000)


def kept(files: EvidenceFiles) -> list[Path]:
    return [path for path in files._folder.rglob("*") if path.is_file()]


def test_content_is_synced_before_it_gets_its_name_and_the_names_folders_after(
    files: EvidenceFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this order; a power cut between any two leaves no name without its content."""
    done: list[tuple[str, str]] = []
    plain_sync, plain_replace = os.fsync, os.replace

    def sync(number: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "file"
        done.append((f"sync {kind}", Path(f"/proc/self/fd/{number}").readlink().name))
        plain_sync(number)

    def rename(source: str, target: str) -> None:
        done.append(("name", Path(target).name))
        plain_replace(source, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", rename)
    sha256, media = files.put(PDF)
    assert (sha256, media) == (digest_of(PDF), "application/pdf")
    assert [step for step, _ in done] == ["sync file", "name", "sync folder", "sync folder", "sync folder"]
    assert [name for _, name in done[1:]] == [sha256, sha256[:2], "evidence", "data"]
    done.clear()
    files.put(PDF)
    assert [step for step, _ in done] == ["sync folder"] * 3, "whoever wrote it may have died before these"


def test_a_write_that_fails_leaves_nothing(files: EvidenceFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateUnavailable, match="No space left"):
        files.put(PDF)
    assert kept(files) == []
    monkeypatch.undo()
    files.put(PDF)
    assert files.get(digest_of(PDF)) == PDF


def test_while_there_is_no_room_nothing_is_taken(tmp_path: Path) -> None:
    room = False
    files = EvidenceFiles(tmp_path, 1000, lambda: room)
    with pytest.raises(StateUnavailable, match="nearly full"):
        files.put(PDF)
    assert kept(files) == []
    room = True
    assert files.get(files.put(PDF)[0]) == PDF


def test_the_same_content_is_kept_once(files: EvidenceFiles) -> None:
    files.put(PDF)
    files.put(PDF)
    files.put(PDF + b"!")
    assert sorted(path.name for path in kept(files)) == sorted([digest_of(PDF), digest_of(PDF + b"!")])


def test_what_is_not_what_was_handed_in_is_not_given_out_and_is_mended_by_handing_it_in_again(
    files: EvidenceFiles,
) -> None:
    sha256, _ = files.put(PDF)
    (path,) = kept(files)
    path.write_bytes(b"%PDF-1.7\nother")
    assert files.get(sha256) is None
    files.put(PDF)
    assert files.get(sha256) == PDF
    path.unlink()
    assert files.get(sha256) is None
    assert files.get("0" * 64) is None


@pytest.mark.parametrize("content", [b"", PDF * 100, b"<html>", b"#!/bin/sh"])
def test_what_is_not_taken_leaves_nothing(content: bytes, files: EvidenceFiles) -> None:
    with pytest.raises(Incomplete, match="file"):
        files.put(content)
    assert not files._folder.exists() or kept(files) == []
