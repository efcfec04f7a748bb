"""Settings of the API and console: address, TLS, tokens and limits."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ingest.base.config import Config, Secret
from ingest.domain.model.expectations import given_once, misplaced
from ingest.domain.model.text import Text

Role = Literal["operator", "inspector", "admin", "display", "channel"]


class TokenConfig(Config):
    """One bearer token.

    Operators work at the plant: they act on alarms and rectify hazards. Inspectors supervise: they inspect, grade and
    close hazards, and decide on what is taken out of service. Admins do both. A display on a wall only shows: its
    session lasts, and nothing can be done with it. A channel posts receipts of calls, and nothing else; its name is the
    connector's. `plants` names the plants the token may
    see; left out, it may see all. The secret has at least 16 characters.
    """

    name: Annotated[str, Field(min_length=1, max_length=64)]
    role: Role
    plants: tuple[str, ...] | None = None
    token: Secret


class ApiConfig(Config):
    """Where the API and console listen and whom they answer.

    `secure_cookies` marks the session cookie `Secure`. Set it to true wherever people reach the console over https,
    also when a proxy does the TLS; leave it false on plain http, where browsers would refuse to send the cookie.
    With `tls_cert` and `tls_key` set it is always on.
    Behind a proxy, name its address in `trusted_proxies`: else everybody shares that one address, and one who guesses
    tokens keeps others from signing in. Its `X-Forwarded-For` is believed, nobody else's.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    tokens: tuple[TokenConfig, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    secure_cookies: bool = False
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    max_connections: Annotated[int, Field(ge=8)] = 512
    max_body_bytes: Annotated[int, Field(ge=1024)] = 65_536
    max_streams: Annotated[int, Field(ge=1)] = 400
    max_streams_of_token: Annotated[int, Field(ge=1)] = 128

    @model_validator(mode="after")
    def _whole(self) -> Self:
        unique = Text("其他令牌没有用的名称", "a name that no other token has")
        given_once("tokens", "name", (token.name for token in self.tokens), unique)
        if (self.tls_cert is None) != (self.tls_key is None):
            key = "tls_cert" if self.tls_cert is None else "tls_key"
            both = Text("tls_cert 与 tls_key 同填或同不填", "tls_cert and tls_key together, or neither")
            raise misplaced(((key,), None, both))
        return self

    @property
    def tls(self) -> bool:
        """Whether the server speaks TLS itself."""
        return self.tls_cert is not None
