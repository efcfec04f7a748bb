"""Opens the platform connector: profile, codes, secrets and trust, with every fault of them at once."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from ingest.base.config import Secret
from ingest.delivery.credentials import header_value, reveal
from ingest.delivery.https import trusted_showing
from ingest.delivery.platform.answers import Judge, Ruling
from ingest.delivery.platform.codes import IssuedCodes, load_codes
from ingest.delivery.platform.config import FRAME_SCHEMES, PlatformConfig
from ingest.delivery.platform.connector import PlatformConnector
from ingest.delivery.platform.frames import FORMS
from ingest.delivery.platform.links import FrameLink, HttpLink, Link
from ingest.delivery.platform.loading import DEFAULT, load_profile
from ingest.delivery.platform.mapping import load_mapped
from ingest.delivery.platform.model import ProfileFile
from ingest.delivery.platform.profile import Issued, JsonProfile
from ingest.delivery.platform.seal import decode_issued, key_lengths
from ingest.delivery.platform.sign_in import SignedIn
from ingest.delivery.posting import Posting
from ingest.domain.model.expectations import InvalidValue
from ingest.domain.model.fault import Fault, InvalidConfig
from ingest.domain.model.text import Text

T = TypeVar("T")
_WHERE = "connectors.platform"


@dataclass(frozen=True, slots=True)
class Opened:
    """What a connection to a platform is made of."""

    form: ProfileFile
    codes: IssuedCodes
    profile: JsonProfile
    client: Posting
    link: Link


def open_platform(config: PlatformConfig, now: Callable[[], int]) -> PlatformConnector:
    """Create the connector. Raises InvalidConfig if a secret, the profile or another file cannot be used."""
    opened = open_parts(config)
    return connector_of(config, opened, now)


def connector_of(config: PlatformConfig, opened: Opened, now: Callable[[], int]) -> PlatformConnector:
    """The connector made of its parts."""
    signed_in = SignedIn(opened.client, opened.profile, config.url, timeout_s=config.timeout_s, now=now)
    framed = opened.form.framing is not None
    return PlatformConnector(config, opened.link, opened.profile, signed_in, now, ordered=framed)


def open_parts(config: PlatformConfig) -> Opened:
    """Read all that the settings name. Raises InvalidConfig with every fault of it."""
    faults: list[Fault] = []

    def tried(make: Callable[[], T]) -> T | None:
        try:
            return make()
        except InvalidConfig as invalid:
            faults.extend(invalid.faults)
            return None

    def trusting() -> ssl.SSLContext:
        return trusted_showing(config.ca_file, f"{_WHERE}.ca_file", config.certificate)

    form = tried(lambda: profile_of(config))
    if form is None:  # what it needs is not known, except of the default with a mapping that cannot be read
        if config.profile == DEFAULT:
            tried(lambda: issued_for(load_profile(DEFAULT, ""), config, only_given=True))
        else:
            faults.extend(_unreadable(config))
        tried(trusting)
        raise InvalidConfig(faults)
    secrets = tried(lambda: issued_for(form, config))
    codes = tried(lambda: load_codes(config.codes, form.codes, f"{_WHERE}.codes"))
    faults.extend(_period_faults(form, config))
    faults.extend(_address_faults(form, config))
    trust = tried(trusting)
    if faults or secrets is None or codes is None or trust is None:
        raise InvalidConfig(faults)
    profile, client = profile_with(form, codes, secrets), Posting(trust, config.allow_networks)
    return Opened(form, codes, profile, client, _link_of(form, config, profile, client, trust))


def _link_of(
    form: ProfileFile, config: PlatformConfig, profile: JsonProfile, client: Posting, trust: ssl.SSLContext
) -> Link:
    if form.framing is None:
        return HttpLink(client, config.url, timeout_s=config.timeout_s)
    return FrameLink(
        config.url,
        FORMS[form.framing.form],
        trust,
        config.allow_networks,
        accepted=lambda answer: profile.judge(answer).ruling is Ruling.ACCEPTED,
        timeout_s=config.timeout_s,
    )


def profile_of(config: PlatformConfig) -> ProfileFile:
    """The profile in the settings. Raises InvalidConfig."""
    if config.mapping is None:
        return load_profile(config.profile, f"{_WHERE}.profile")
    if config.profile != DEFAULT:
        wanted = Text(
            f"不写：mapping 只用于 {DEFAULT}；{config.profile} 的字段写在它自己的文件中",
            f"none: a mapping is for {DEFAULT} only; the fields of {config.profile} stand in its own file",
        )
        raise InvalidConfig([Fault("(settings)", f"{_WHERE}.mapping", str(config.mapping), wanted)])
    return load_mapped(config.mapping)


def profile_with(form: ProfileFile, codes: IssuedCodes, issued: Issued) -> JsonProfile:
    """The protocol, with what was issued."""
    echoed = (issued.appid, issued.appsecret, *(_spellings(issued.key)), *(_spellings(issued.vector)))
    return JsonProfile(form, codes, issued, Judge(form.answer, echoed))


def issued_for(form: ProfileFile, config: PlatformConfig, *, only_given: bool = False) -> Issued:
    """Read what the profile uses of the settings. `only_given`: what is not in the settings is no fault.

    Raises:
        InvalidConfig: it lists all that is missing or malformed; no secret is quoted.
    """
    faults: list[Fault] = []
    seal, uses = form.seal, _uses(form)

    def revealed(name: str, decode: Callable[[str], T], nothing: T) -> T:
        secret: Secret | None = getattr(config, name)
        try:
            if name in uses and secret is not None:
                return reveal(secret, f"{_WHERE}.{name}", decode)
        except InvalidConfig as invalid:
            faults.extend(invalid.faults)
        return nothing

    def block(*lengths: int) -> Callable[[str], bytes]:
        return lambda text: decode_issued(text, seal.issued_as, *lengths)

    key = revealed("key", block(*key_lengths(seal)), b"")
    vector = revealed("iv", block(seal.block), b"")
    if seal.fixed_vector is not None:
        vector = decode_issued(seal.fixed_vector, seal.issued_as, seal.block)
    appsecret = revealed("appsecret", _checked_for(form), "")
    if not only_given:
        faults.extend(_missing(form, name) for name in uses if getattr(config, name) is None)
    if faults:
        raise InvalidConfig(faults)
    return Issued(config.appid or "", appsecret, key, vector)


def _checked_for(form: ProfileFile) -> Callable[[str], str]:
    """Checks that a secret can be written where the profile writes it. It raises InvalidValue."""
    if form.framing is None:
        return header_value
    is_writable = FORMS[form.framing.form].is_writable

    def frame_value(text: str) -> str:
        if not is_writable(text):
            raise InvalidValue(Text("可打印的 ASCII 字符，不含 ; , & =", "printable ASCII characters but ; , & and ="))
        return text

    return frame_value


def _unreadable(config: PlatformConfig) -> Iterator[Fault]:
    """What of the secrets cannot be read at all, whatever form they are to have."""
    for name in ("appsecret", "key", "iv"):
        secret: Secret | None = getattr(config, name)
        try:
            if secret is not None:
                reveal(secret, f"{_WHERE}.{name}", str)
        except InvalidConfig as invalid:
            yield from invalid.faults


def _uses(form: ProfileFile) -> list[str]:
    """The settings of what the authority issued that the profile needs."""
    paths = {each.path for _, _, source in form.outer_sources() for each in source.sources}
    keyed = form.digest is not None and form.digest.kind.startswith("HMAC")
    used = {
        "tls_cert": form.envelope.client_certificate,
        "appid": "setting.appid" in paths,
        "appsecret": "setting.appsecret" in paths or keyed,
        "key": form.seal.cipher != "none",
        "iv": form.seal.takes_vector,
    }
    return [name for name, needed in used.items() if needed]


def _missing(form: ProfileFile, name: str) -> Fault:
    about = form.profile
    wanted = Text(f"主管部门分配的值：{about.name} 需要它", f"what the authority issued: {about.name} needs it")
    return Fault("(settings)", f"{_WHERE}.{name}", "(missing)", wanted)


def _period_faults(form: ProfileFile, config: PlatformConfig) -> Iterator[Fault]:
    if form.readings is None:
        return
    period = form.readings.period
    if not period.least_s <= config.interval_s <= period.longest_s:
        least, most = f"{period.least_s:g}", f"{period.longest_s:g}"
        wanted = Text(
            f"{least} 至 {most} 秒（{form.profile.name} 的上报周期）",
            f"{least} to {most} s, the period of {form.profile.name}",
        )
        yield Fault("(settings)", f"{_WHERE}.interval_s", f"{config.interval_s:g}", wanted)


def _address_faults(form: ProfileFile, config: PlatformConfig) -> Iterator[Fault]:
    scheme, name = urlsplit(config.url).scheme, form.profile.name
    if (scheme in FRAME_SCHEMES) is (form.framing is not None):
        return
    wanted = Text(
        f"{name} 的地址：tls://host:port 或 tcp://host:port", f"tls://host:port or tcp://host:port for {name}"
    )
    if form.framing is None:
        wanted = Text(f"{name} 的网址：https://", f"https:// for {name}")
    yield Fault("(settings)", f"{_WHERE}.url", f"{scheme}://", wanted)


def _spellings(secret: bytes) -> tuple[str, ...]:
    """The forms in which a platform could repeat it."""
    text = (secret.decode("ascii"),) if secret.isascii() else ()
    return secret.hex(), secret.hex().upper(), *text
