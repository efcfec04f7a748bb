"""Evidence goes in by its content and comes out as it went in, as a download, whatever its name says."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from ingest.storage.state.audit import AuditStore
from tests.ingest.web.case_books import MAX_EVIDENCE
from tests.ingest.web.conftest import Ask
from tests.ingest.web.made_up_plants import STEEL, WOOD
from tests.ingest.web.stand_in import ELSEWHERE, INSPECTOR, OPERATOR, StandIn

EVIDENCE = "/api/v1/evidence"
PNG = b"\x89PNG\r\n\x1a\n" + b"pixels" * 100
JPEG = b"\xff\xd8\xff\xe0" + b"pixels" * 100
PDF = b"%PDF-1.7\n" + b"words" * 100


async def test_a_file_comes_out_as_it_went_in(ask: Ask, hall: StandIn) -> None:
    answer = await ask(OPERATOR).post(EVIDENCE, data={"plant": STEEL}, files={"file": ("现场.png", PNG, "text/html")})
    assert answer.status_code == 201
    proof = answer.json()
    assert (proof["media"], proof["size"], proof["name"]) == ("image/png", len(PNG), "现场.png")
    assert proof["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert (await ask(INSPECTOR).get(f"{EVIDENCE}/{proof['id']}")).json() == proof
    file = await ask(INSPECTOR).get(f"{EVIDENCE}/{proof['id']}/file")
    assert file.content == PNG
    assert file.headers["content-type"] == "image/png"
    assert file.headers["content-disposition"].startswith("attachment;")
    assert file.headers["x-content-type-options"] == "nosniff"
    (row,) = AuditStore(hall.database.rows).acts(limit=9, kind="evidence")
    assert (row.act.subject, row.act.detail["sha256"]) == (proof["id"], proof["sha256"])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("a\r\nset-cookie: x=1.png", "aset-cookie: x=1.png"),
        ("\u202egnp.exe", "gnp.exe"),
        ("...", "unnamed"),
        ("x" * 500, "x" * 200),
    ],
)
async def test_a_name_is_text_and_nothing_else(name: str, shown: str, ask: Ask, hall: StandIn) -> None:
    files = {"file": (name, PNG, "image/png")}
    proof = (await ask(OPERATOR).post(EVIDENCE, data={"plant": STEEL}, files=files)).json()
    assert proof["name"].replace("%0D%0A", "") == shown
    file = await ask(OPERATOR).get(f"{EVIDENCE}/{proof['id']}/file")
    assert "\n" not in file.headers["content-disposition"]
    assert "/" not in file.headers["content-disposition"]
    kept = [path for path in hall.cases.config.evidence.rglob("*") if path.is_file()]
    assert [path.name for path in kept] == [proof["sha256"]], "its place follows from its content alone"


@pytest.mark.parametrize(
    "content",
    [b"<html><script>1</script>", b"MZ\x90\x00", b"PK\x03\x04", b"GIF89a", b"\x89PNG", b" %PDF-1.7", b"", b"\xff\xd8"],
)
async def test_what_is_no_picture_and_no_paper_is_refused_whatever_it_is_called(content: bytes, ask: Ask) -> None:
    answer = await ask(OPERATOR).post(
        EVIDENCE, data={"plant": STEEL}, files={"file": ("photo.png", content, "image/png")}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "file"


async def test_a_file_has_a_largest_size_of_its_own(ask: Ask, hall: StandIn) -> None:
    """Larger than other bodies may be, and no larger than the setting; also when its length is not announced."""
    client = ask(OPERATOR)
    large = JPEG + bytes(MAX_EVIDENCE - len(JPEG))
    files = {"file": ("x.jpg", large, "image/jpeg")}
    assert (await client.post(EVIDENCE, data={"plant": STEEL}, files=files)).status_code == 201
    files = {"file": ("x.jpg", large + b"x", "image/jpeg")}
    assert (await client.post(EVIDENCE, data={"plant": STEEL}, files=files)).status_code == 422
    files = {"file": ("x.jpg", large * 2, "image/jpeg")}
    assert (await client.post(EVIDENCE, data={"plant": STEEL}, files=files)).status_code == 413

    async def endless() -> AsyncIterator[bytes]:
        yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="x"\r\n\r\n'
        for _ in range(10):
            yield bytes(100_000)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert (await client.post(EVIDENCE, content=endless(), headers=headers)).status_code == 413
    other = await client.post("/api/v1/hazards", content=bytes(80_000))
    assert other.status_code == 413, "only this address takes so much"


async def test_evidence_of_another_plant_is_not_there(ask: Ask) -> None:
    files = {"file": ("x.pdf", PDF, "application/pdf")}
    proof = (await ask(OPERATOR).post(EVIDENCE, data={"plant": STEEL}, files=files)).json()
    client = ask(ELSEWHERE)
    assert (await client.get(f"{EVIDENCE}/{proof['id']}")).status_code == 404
    assert (await client.get(f"{EVIDENCE}/{proof['id']}/file")).status_code == 404
    assert (await client.post(EVIDENCE, data={"plant": STEEL}, files=files)).status_code == 404
    same = (await client.post(EVIDENCE, data={"plant": WOOD}, files=files)).json()
    assert same["sha256"] == proof["sha256"]
    assert (await client.get(f"{EVIDENCE}/{same['id']}/file")).content == PDF
    assert (await client.get(f"{EVIDENCE}/{uuid4()}/file")).status_code == 404


async def test_a_file_that_was_changed_on_disk_is_not_shown(ask: Ask, hall: StandIn) -> None:
    files = {"file": ("x.pdf", PDF, "application/pdf")}
    proof = (await ask(OPERATOR).post(EVIDENCE, data={"plant": STEEL}, files=files)).json()
    (path,) = (path for path in hall.cases.config.evidence.rglob("*") if path.is_file())
    path.write_bytes(PDF + b"more")
    answer = await ask(INSPECTOR).get(f"{EVIDENCE}/{proof['id']}/file")
    assert answer.status_code == 503
    assert "not what was handed in" in answer.json()["detail"]
    again = await ask(OPERATOR).post(EVIDENCE, data={"plant": STEEL}, files=files)
    assert again.status_code == 201, "handing it in again mends it"
    assert (await ask(INSPECTOR).get(f"{EVIDENCE}/{proof['id']}/file")).content == PDF
    path.unlink()
    assert (await ask(INSPECTOR).get(f"{EVIDENCE}/{proof['id']}/file")).status_code == 503
