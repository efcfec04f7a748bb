"""Asks the service that runs by these settings to do something, over its API, as the first of its admins' tokens."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import httpx

from ingest.base.config import SecretUnreadable
from ingest.runtime.settings import Settings
from ingest.storage.state.errors import StateUnavailable
from ingest.storage.state.read_only import require_unused

_TIMEOUT_S: Final = 30.0
_HERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_PARTIAL_CHAIN: Final = 0x80000  # X509_V_FLAG_PARTIAL_CHAIN: its own certificate is trusted, whoever issued it


class ServiceRefused(OSError):
    """The running service does not do it; the text has its own reason, in Chinese where that is known."""


def service_runs(settings: Settings) -> bool:
    """Whether another process writes the state. Raises StateUnavailable if that cannot be told."""
    if settings.state.server is None and not settings.state.path.exists():
        return False
    try:
        require_unused(settings.state)
    except StateUnavailable as error:
        if "stop it first" in str(error):
            return True
        raise
    return False


class RunningService:
    """The API of the service that runs by these settings."""

    def __init__(self, settings: Settings) -> None:
        """Read the secret of the first token of an admin of all plants. Raises ServiceRefused without one."""
        host = _HERE.get(settings.api.host, settings.api.host)
        scheme, place = "https" if settings.api.tls else "http", f"[{host}]" if ":" in host else host
        self._url = f"{scheme}://{place}:{settings.api.port}/api/v1"
        admins = [token for token in settings.api.tokens if token.role == "admin" and token.plants is None]
        if not admins:
            raise ServiceRefused(
                "服务正在运行，而配置中没有不限企业的管理员令牌：先停服务，或添加令牌"
                " the service runs, and the settings have no token of an admin of all plants: stop it, or add one"
            )
        try:
            self._headers = {"authorization": f"Bearer {admins[0].token.read()}"}
        except SecretUnreadable as error:
            raise ServiceRefused(f"api.tokens.{admins[0].name}.token: {error}") from error
        self._trust: ssl.SSLContext | bool = True
        if settings.api.tls_cert is not None:
            trust = ssl.create_default_context(cafile=str(settings.api.tls_cert))
            trust.check_hostname = False  # its names are those that people use; this is the very certificate
            trust.verify_flags |= ssl.VerifyFlags(_PARTIAL_CHAIN)
            self._trust = trust

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        """What it answers, read from JSON; None for no content. Raises ServiceRefused."""
        try:
            with httpx.Client(verify=self._trust, trust_env=False, timeout=_TIMEOUT_S) as client:
                answer = client.post(self._url + path, json=dict(body), headers=self._headers)
        except httpx.HTTPError as error:
            raise ServiceRefused(f"服务没有应答 the service does not answer: {error}") from error
        if answer.status_code == HTTPStatus.NO_CONTENT:
            return None
        try:
            found = answer.json()
        except ValueError as error:
            raise ServiceRefused(
                f"{self._url} 不是本服务在应答：HTTP {answer.status_code}，api.host 和 api.port 在服务启动后是否改过"
                f" not the service answers there: HTTP {answer.status_code};"
                " were api.host or api.port changed since its start?"
            ) from error
        if answer.is_success:
            return found
        text = found.get("message") or {"en": found.get("detail") or found.get("title") or answer.status_code}
        raise ServiceRefused(" ".join(str(text[language]) for language in ("zh", "en") if language in text))
