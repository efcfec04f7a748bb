"""Settings of the state database: a SQLite file, or a database on a PostgreSQL server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import field_validator, model_validator

from ingest.base.config import Config, Secret
from ingest.domain.model.expectations import InvalidValue, misplaced
from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.text import Text

SslMode = Literal["disable", "require", "verify-ca", "verify-full"]

_HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
SERVER_EXTRA: Final = "postgresql"
"""The extra of the package that brings the driver of a server (`ingest.base.extras`)."""

_SHAPE: Final = "postgresql://USER@HOST:PORT/DATABASE"


@dataclass(frozen=True, slots=True)
class Server:
    """A database on a server. `host` is a name, an address, or the folder of the server's socket."""

    user: str
    host: str
    port: int
    name: str

    @property
    def here(self) -> bool:
        """Whether the server is on this machine."""
        return self.host in _HERE or self.host.startswith("/")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host.replace("/", "%2F")
        return f"postgresql://{self.user}@{host}:{self.port}/{self.name}"


class StateConfig(Config):
    """Where alarms, their events and the outbox are kept: `path` or `url`."""

    path: Path = Path("data/state.db")
    url: str | None = None
    password: Secret | None = None
    sslmode: SslMode | None = None  # None = verify-full to another machine, disable to this one
    ca_file: Path | None = None

    @field_validator("url")
    @classmethod
    def _readable(cls, url: str | None) -> str | None:
        if url is not None:
            server_of(url)
        return url

    @model_validator(mode="after")
    def _path_or_url(self) -> Self:
        if self.url is None:
            given = sorted(self.model_fields_set & {"password", "sslmode", "ca_file"})
            if given:
                with_url = Text("仅与 url 同用", "only together with url")
                raise misplaced(*(((key,), getattr(self, key), with_url) for key in given))
        elif "path" in self.model_fields_set:
            expected = Text(
                "path（SQLite 文件）或 url（PostgreSQL 数据库），二者取一",
                "path (a SQLite file) or url (a PostgreSQL database), not both",
            )
            raise misplaced((("path",), str(self.path), expected))
        elif self.ca_file is None and self.tls.startswith("verify"):
            expected = Text(
                '签发服务器证书的机构的证书；在与电缆同样可信的网络内也可写 sslmode = "disable"',
                "the certificate of the authority that signed the server's"
                '; or sslmode = "disable", inside a network trusted like a cable',
            )
            raise misplaced((("ca_file",), None, expected))
        return self

    @property
    def server(self) -> Server | None:
        """The database on a server, or None for a file."""
        return None if self.url is None else server_of(self.url)

    @property
    def tls(self) -> SslMode:
        """How the connection is protected."""
        here = self.server is None or self.server.here
        return self.sslmode or ("disable" if here else "verify-full")

    @property
    def folder(self) -> Path | None:
        """The folder whose disk the database fills; None for a server."""
        return self.path.parent if self.url is None else None


def server_of(url: str) -> Server:
    """Parse an address. Raises InvalidValue, which never quotes it.

    >>> server_of("postgresql://yujing@db.example.cn/yujing")
    Server(user='yujing', host='db.example.cn', port=5432, name='yujing')
    >>> str(server_of("postgresql://yujing@%2Frun%2Fpostgresql/yujing"))
    'postgresql://yujing@%2Frun%2Fpostgresql:5432/yujing'
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError:
        raise InvalidValue(Text(_SHAPE, _SHAPE)) from None
    if parts.password is not None or "password" in parts.query.lower():
        raise InvalidValue(
            Text(
                f"{_SHAPE}，其中不含密码：密码写在 `password` 中，为文件或环境变量",
                f"{_SHAPE}, without a password: that goes into `password`, as a file or a variable",
            )
        )
    user, host, name = unquote(parts.username or ""), _host(parts.netloc), parts.path.removeprefix("/")
    whole = parts.scheme in {"postgresql", "postgres"} and user and host and name and "/" not in name
    if not whole or parts.query or parts.fragment:
        raise InvalidValue(
            Text(
                f"{_SHAPE}；用套接字时 HOST 为其目录，如 %2Frun%2Fpostgresql",
                f"{_SHAPE}; for a socket its folder as HOST, such as %2Frun%2Fpostgresql",
            )
        )
    return Server(user, host, port, unquote(name))


def require_files(config: StateConfig) -> None:
    """Check the file the settings name.

    Raises:
        InvalidConfig: the authority's certificate does not exist.
    """
    if config.ca_file is not None and not config.ca_file.is_file():
        expected = Text("证书（PEM 文件）", "a certificate (PEM file)")
        raise InvalidConfig([Fault(str(config.ca_file), "state.ca_file", str(config.ca_file), expected)])


def _host(netloc: str) -> str:
    """The host as written: urllib makes it lower-case, which would change the folder of a socket."""
    place = netloc.rpartition("@")[2]
    return place[1:].partition("]")[0] if place.startswith("[") else unquote(place.partition(":")[0])
