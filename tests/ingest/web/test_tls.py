"""The console shows a renewed certificate from the next connection on; a copy under way changes nothing."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

from structlog.testing import capture_logs

from ingest.web.tls import RenewedContext
from tests.authority import Authority


def shown(server: ssl.SSLContext, ca: Path) -> bytes | None:
    """The certificate a client sees that trusts this authority: a handshake in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context(cafile=ca).wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    other = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (client, other):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return client.getpeercert(binary_form=True)


def test_a_renewed_certificate_is_shown_without_a_restart(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("console")
    context = RenewedContext(pair.cert, pair.key).context
    first = shown(context, authority.ca)
    whole = pair.cert.read_bytes()
    pair.cert.write_bytes(whole[:50])
    with capture_logs() as logs:
        assert [shown(context, authority.ca) for _ in range(2)] == [first, first]
    assert [entry["event"] for entry in logs] == ["api_certificate_unusable"], "told once"
    authority.issue("console")
    second = shown(context, authority.ca)
    assert second not in {first, None}
    assert shown(context, authority.ca) == second
