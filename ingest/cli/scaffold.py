"""Writes the folder of a new installation for `yujing init DIR`: settings, plant, secrets, broker and unit.

The files are the samples of `deploy/`, rewritten for one machine and one folder: paths that count from it, a broker on
loopback with passwords instead of certificates. Passwords and tokens are random, and new in each folder.
"""

from __future__ import annotations

import base64
import getpass
import hashlib
import os
import re
import secrets
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest.cli.sample_files import sample
from ingest.domain.model.text import Text

SETTINGS: Final = "yujing.toml"
BROKER: Final = "mosquitto/mosquitto.conf"
UNIT: Final = "yujing.service"
TOKEN: Final = "secrets/admin_token"  # noqa: S105  the file, not what is in it
_SECRET_BYTES: Final = 32
_INGEST: Final = "yujing-ingest"  # what the access list calls the service
_HOMES: Final = ("/home", "/root", "/run/user")  # what ProtectHome= hides


class AlreadyThere(Exception):
    """Files exist that would have been overwritten; nothing was written."""

    def __init__(self, files: Iterable[Path]) -> None:
        self.files = tuple(files)
        super().__init__(", ".join(map(str, self.files)))


@dataclass(frozen=True, slots=True)
class ScaffoldFile:
    """A file of the folder, with its path in it and its purpose."""

    path: str
    purpose: Text
    content: str


def write_folder(folder: Path) -> tuple[ScaffoldFile, ...]:
    """Write the whole folder, readable by its owner alone; it may exist, but none of the files may.

    Raises:
        AlreadyThere: naming each file that is there; nothing was written.
        OSError: it cannot be written; what was written of it until then is removed.
    """
    folder = folder.absolute()
    files = tuple(_files(folder))
    if there := [folder / file.path for file in files if os.path.lexists(folder / file.path)]:
        raise AlreadyThere(there)
    made: list[Path] = []
    try:
        for file in files:
            path = folder / file.path
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
                made.append(path)
                out.write(file.content)
        for name in ("data", "mosquitto/data"):
            (folder / name).mkdir(mode=0o700, exist_ok=True)
    except OSError:
        for path in made:
            path.unlink(missing_ok=True)
        raise
    return files


def _files(folder: Path) -> Iterator[ScaffoldFile]:
    plant = sample("plant.sample.toml")
    described = tomllib.loads(plant)
    plant_id = described["enterprise"]["id"]
    gateways = [f"{plant_id}/{gateway['id']}" for gateway in described["gateways"]]
    passwords = {name: secrets.token_hex(_SECRET_BYTES) for name in (_INGEST, *gateways)}
    yield ScaffoldFile(SETTINGS, Text("配置,每项均有说明", "settings, each explained"), _settings())
    yield ScaffoldFile(f"plants/{plant_id}.toml", Text("示例企业,请改成自己的", "a sample plant: make it yours"), plant)
    yield ScaffoldFile(TOKEN, Text("控制台登录口令", "token to sign in with"), secrets.token_hex(_SECRET_BYTES) + "\n")
    yield ScaffoldFile(
        "secrets/mqtt_password", Text("服务在 broker 的口令", "the service's at the broker"), passwords[_INGEST] + "\n"
    )
    for name in gateways:
        path = f"secrets/gateways/{name.replace('/', '.')}"
        yield ScaffoldFile(path, Text(f"网关 {name} 的口令", f"of the gateway {name}"), passwords[name] + "\n")
    yield ScaffoldFile(
        BROKER, Text("Mosquitto 配置,仅限本机", "Mosquitto's profile, this machine only"), _broker(folder)
    )
    yield ScaffoldFile("mosquitto/acl", Text("谁可以收发什么", "who may do what"), sample("mosquitto/acl"))
    yield ScaffoldFile(
        "mosquitto/passwords", Text("上述口令的散列", "hashes of these passwords"), _password_hashes(passwords)
    )
    yield ScaffoldFile(UNIT, Text("systemd 单元", "systemd unit"), _unit(folder))


def _settings() -> str:
    """Return the annotated settings, with data and secrets below the folder and a broker with passwords."""
    text = _replace_all(
        sample("yujing.toml"),
        {
            ", for the systemd unit beside this file: copy to /etc/yujing/yujing.toml.": " in this folder.",
            "; the secrets below exist only while the unit runs: `yujing --secrets /etc/yujing/secrets\n"
            "# check --config FILE` takes the originals.": ".",
            "\nport = 8883\n": "\n",
            "\ntls_ca =": "\n# tls_ca =",
            "\ntls_cert =": "\n# tls_cert =",
            "\ntls_key =": "\n# tls_key =",
            '\n# username = "yujing-ingest"\n': '\nusername = "yujing-ingest"\n',
            '\n# password = { file = "/run/credentials/yujing.service/mqtt_password" }\n': (
                '\npassword = { file = "/run/credentials/yujing.service/mqtt_password" }\n'
            ),
            "/run/credentials/yujing.service/": "secrets/",
            "/var/lib/yujing/": "data/",
        },
    )
    return re.sub(r"^# (.+)\n\1$", r"\1", text, flags=re.MULTILINE)  # a default written twice


def _broker(folder: Path) -> str:
    """Return the broker's profile with passwords on loopback in place of TLS; queue limits as shipped."""
    kept = [part for part in sample("mosquitto/mosquitto.conf").split("\n\n") if not re.search(r"(?m)^\w+file ", part)]
    own = folder / "mosquitto"
    head = f"""\
# The broker's profile, for this machine alone: mosquitto -c {own}/mosquitto.conf
# Everybody is who their password says, in `passwords`. Other machines' passwords would cross the network in the clear:
# give them certificates (docs/operations.md). Mosquitto that root starts reads these files as its own user: let root
# install them in /etc/mosquitto (docs/first-hour.md).
listener 1883 127.0.0.1
allow_anonymous false
password_file {own}/passwords
acl_file {own}/acl
use_username_as_clientid true
persistence_location {own}/data/"""
    return "\n\n".join([head, *kept])


def _password_hashes(passwords: Mapping[str, str]) -> str:
    """Return a password file as `mosquitto_passwd` writes it: PBKDF2, SHA-512; few rounds do for 256 random bits."""
    rounds, lines = 101, []
    for user, password in passwords.items():
        salt = secrets.token_bytes(12)
        digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds)
        lines.append(f"{user}:$7${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}\n")
    return "".join(lines)


def _unit(folder: Path) -> str:
    """Return the systemd unit for this folder and program, run by the user who made it, who owns the secrets."""
    program = Path(sys.executable).with_name("yujing")
    user = "yujing" if os.geteuid() == 0 else getpass.getuser()
    below_home = any(path.is_relative_to(home) for path in (folder, program) for home in _HOMES)
    text = re.sub(r"\n# Secrets: root reads.*?\n\n", "\n", sample("yujing.service"), flags=re.DOTALL)
    head, _, rest = text.partition("\n")
    if not head.startswith("# systemd unit"):
        raise LookupError("no heading in the sample of the unit")
    head = "# systemd unit of this folder: copy to /etc/systemd/system/yujing.service. Its user must own the folder:"
    changes = {
        "User=yujing\nGroup=yujing\n": f"User={user}\n",
        "/opt/yujing/venv/bin/yujing": _quote(program),
        "/etc/yujing/yujing.toml": _quote(folder / SETTINGS),
        "StateDirectory=yujing\nStateDirectoryMode=0700\n": "",
        "# What it may touch: its state directory and the network.\n": (
            f"# What it may touch: its data and the network.\nReadWritePaths={_quote(folder / 'data')}\n"
        ),
        "ProtectHome=true": f"ProtectHome={'read-only' if below_home else 'true'}",
    }
    return f"{head}\n#   chown -R {user}: {folder}\n{_replace_all(rest, changes)}"


def _quote(path: Path) -> str:
    """Quote a path for systemd, where `%` begins a specifier and blanks separate words."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"' if re.search(r"\s", text) else text


def _replace_all(text: str, changes: Mapping[str, str]) -> str:
    """Make each replacement, in this order. Raises LookupError if the text lacks what is to be replaced."""
    for old, new in changes.items():
        if old not in text:
            raise LookupError(f"no {old!r} in the sample")
        text = text.replace(old, new)
    return text
