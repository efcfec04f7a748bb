"""Common parts of setting up any InfluxDB: the options, and secrets in files readable by one user alone."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.base.config import Secret
from ingest.domain.model.files import write_whole
from ingest.domain.model.text import Text

READER: Final = "grafana"
"""The user that may only read."""

READER_PASSWORD: Final = "influxdb_reader_password"  # noqa: S105  names of files, beside the service's own secret
READER_TOKEN: Final = "influxdb_reader_token"  # noqa: S105
ADMIN_PASSWORD: Final = "influxdb_admin_password"  # noqa: S105

DAY_S: Final = 86_400


class SetupRefused(Exception):
    """The server or the settings do not allow the setup; what was created before is not undone.

    Attributes:
        text: why, and what to do.
    """

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


def operator_needed(zh: str, en: str) -> SetupRefused:
    """The error of a missing operator credential: which one is needed, and how it is given."""
    return SetupRefused(
        f"需要{zh}:--operator 文件,或 --operator - 从标准输入读取",
        f"{en} needed: --operator FILE, or --operator - to read it from standard input",
    )


@dataclass(frozen=True, slots=True)
class SetupOptions:
    """What a person wants of a server.

    Attributes:
        keep_days: readings are kept for so many days; None: unchanged, and for ever in a new database.
        shorten: whether a shorter retention is intended, which deletes older data.
        rollups: whether the server is to compute rollups by minute and hour, for long trends.
    """

    keep_days: int | None = None
    shorten: bool = False
    rollups: bool = True

    def retention_s(self, present_s: int | None) -> int | None:
        """Seconds to be kept, 0 for ever; None: unchanged. `present_s`: the present retention, None if there is none.

        Raises SetupRefused.
        """
        if self.keep_days is None:
            return 0 if present_s is None else None
        wanted = self.keep_days * DAY_S
        if wanted == present_s:
            return None
        if present_s is not None and not self.shorten and (present_s == 0 or wanted < present_s) and wanted:
            now = f"{present_s // DAY_S} d" if present_s else "∞"
            raise SetupRefused(
                f"现保存 {now},改为 {self.keep_days} 天会删除更早的数据:确认请加 --shorten",
                f"it keeps {now}; {self.keep_days} days would delete what is older: give --shorten if that is meant",
            )
        return wanted


def file_of(secret: Secret | None, key: str) -> Path:
    """The file of the service's own secret. Raises SetupRefused if it is not in a file."""
    if secret is None or secret.file is None:
        raise SetupRefused(
            f'{key} 应为 {{ file = "…" }}:口令或令牌写入该文件',
            f'{key}: expected {{ file = "…" }}: the password or token is written there',
        )
    return secret.file


def read_or_create(file: Path) -> str:
    """The secret in that file, created if there is none. Raises SetupRefused."""
    try:
        if file.exists() and (known := file.read_text(encoding="utf-8").strip()):
            return known
        made = secrets.token_urlsafe(32)
        write_secret(file, made)
    except (OSError, ValueError) as error:
        raise SetupRefused(f"{file}:无法读写", f"{file}: {error}") from error
    return made


def write_secret(file: Path, secret: str) -> None:
    """Write the secret to that file atomically, mode 0600. Raises OSError."""
    write_whole(file, f"{secret}\n".encode())
