"""The parts of a profile file: what goes around a report, and what is done to it. Each says where it comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from ingest.base.config import Config
from ingest.delivery.platform.source import Mark, Source
from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.text import Text

CipherName = Literal["SM4-CBC", "SM4-ECB", "AES-CBC", "AES-ECB", "DES-CBC", "DES-ECB", "none"]
Encoding = Literal["hex-upper", "hex-lower", "base64"]
Form = Literal["hex", "text", "base64"]
DigestName = Literal["SM3", "HMAC-SM3", "HMAC-SHA256", "CRC16-MODBUS", "CRC16-HJ212"]
FrameFormName = Literal["hj212"]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]
Status = Annotated[int, Field(ge=300, le=599)]
CodeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

BLOCK_BYTES: Final[Mapping[str, int]] = {"SM4": 16, "AES": 16, "DES": 8}
KEY_BYTES: Final[Mapping[str, tuple[int, ...]]] = {"SM4": (16,), "AES": (16, 24, 32), "DES": (8,)}


class Part(Config):
    """A part of a profile, with the confidence in it and the place it was read at."""

    confidence: Mark
    source: str = Field(min_length=10)


class Title(Config):
    """A profile's name for people."""

    zh: str = Field(min_length=2)
    en: str = Field(min_length=2)


class About(Part):
    """Which protocol it is."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]
    title: Title


class Code(Part):
    """A code that the authority issues: for each plant, or, of the name `point`, for each point.

    Attributes:
        pattern: what the whole code looks like, as a regular expression.
        begins: the name of another code that it begins with.
    """

    pattern: str
    begins: CodeName | None = None

    @model_validator(mode="after")
    def _is_a_pattern(self) -> Self:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise InvalidValue(Text(f"正则表达式（{error}）", f"a regular expression ({error})")) from None
        return self


class Envelope(Part):
    """The outer JSON of a request. `fields` empty: the body is the report itself.

    Attributes:
        fields: paths `content` (the sealed report), `digest`, `setting.…` and `issued.…`.
        headers: the same paths but `content`, for HTTP headers.
        content_type: of the request.
        client_certificate: whether the platform knows us by a certificate of our own (mutual TLS).
    """

    fields: Mapping[str, Source] = Field(default_factory=dict)
    headers: Mapping[HeaderName, Source] = Field(default_factory=dict)
    content_type: str = "application/json"
    client_certificate: bool = False


class Framing(Part):
    """Reports go as frames over TCP, one after the other's answer, instead of by HTTP.

    Attributes:
        form: of the frames; the names in the envelope are those of the form.
        most_bytes: of the data in one frame; a longer report goes as several.
    """

    form: FrameFormName
    most_bytes: int = Field(ge=256, le=9999)


class Seal(Part):
    """What is done to the report before it goes into the envelope: cipher, padding, and encodings in their order.

    Attributes:
        cipher: with its mode; `none`: the report stays readable.
        padding: to whole blocks.
        issued_as: the form of what the authority issued: hexadecimal digits, plain characters, Base64.
        fixed_vector: the initialisation vector in that form where the protocol fixes it; none: it is issued.
        bytes: of the secret, where the cipher takes several lengths.
        encodings: each is applied to what the one before gave; empty: the report is an object, no text.
    """

    cipher: CipherName
    padding: Literal["PKCS7", "zero", "none"]
    issued_as: Form = "hex"
    fixed_vector: str | None = None
    bytes: Literal[8, 16, 24, 32] | None = None
    encodings: tuple[Encoding, ...] = ()

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.cipher == "none":
            if self.padding != "none" or self.fixed_vector is not None or self.bytes is not None:
                raise InvalidValue(
                    Text(
                        "没有加密时 padding 为 'none'，不写 fixed_vector 与 bytes",
                        "padding 'none' and no fixed_vector and no bytes without a cipher",
                    )
                )
            return self
        if self.padding == "none":
            raise InvalidValue(Text("有加密时 padding 为 'PKCS7' 或 'zero'", "padding 'PKCS7' or 'zero' with a cipher"))
        if not self.encodings:
            raise InvalidValue(Text("有加密时至少一种 encodings", "at least one of encodings with a cipher"))
        if self.cipher.endswith("ECB") and self.fixed_vector is not None:
            raise InvalidValue(Text("ECB 没有初始向量，不写 fixed_vector", "no fixed_vector: ECB has none"))
        allowed = KEY_BYTES[self.cipher[:3]]
        if self.bytes is not None and self.bytes not in allowed:
            listed = ", ".join(map(str, allowed))
            raise InvalidValue(Text(f"bytes 为 {listed} 之一", f"bytes to be one of {listed}"))
        return self

    @property
    def block(self) -> int:
        """Bytes of a block; 0 without a cipher."""
        return BLOCK_BYTES.get(self.cipher[:3], 0)

    @property
    def takes_vector(self) -> bool:
        """Whether the authority has to issue an initialisation vector."""
        return self.cipher.endswith("CBC") and self.fixed_vector is None


class Digest(Part):
    """Proof that the report is whole: path `digest` in the envelope or its headers. HMAC takes the application secret.

    Attributes:
        kind: the function.
        over: the report before it is sealed, or the text that goes into the envelope.
        encoding: of its bytes.
    """

    kind: DigestName
    over: Literal["report", "content"]
    encoding: Encoding
