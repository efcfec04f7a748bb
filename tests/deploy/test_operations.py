"""The operations page is carried out as it is written, on one machine: a folder that stands for its root."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest.demo.children import find_mosquitto
from ingest.intake.wire.topics import frame_topic
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.database import Database
from ingest.storage.state.evidence_files import EvidenceFiles
from tests.deploy.speaker import speaker, until
from tests.deploy.test_broker_profile import greeted
from tests.deploy.test_commands import YUJING
from tests.deploy.written import DEPLOY, ROOT, blocks
from tests.ingest.runtime.test_backup import run_cycles
from tests.servers import PostgreSQL, Server, free_port

PLANT, GATEWAY = "sample-aluminium", "GW-01"
PLACES = "/etc|/opt|/var|/usr/local|/backup|/root"

CHECK = blocks("Check, run, look")[0].splitlines()[0]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the page's commands are for root")


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Machine:
    """Root's shell in the folder of the sources; systemd is not there, the user of the service is this one."""

    def __init__(self, root: Path) -> None:
        self.root, self.sources = root, root / "sources"
        for name in (
            "etc/systemd/system",
            "etc/mosquitto/certs",
            "usr/local/sbin",
            "var/backups",
            "var/lib",
            "run",
            "root",
        ):
            (root / name).mkdir(parents=True)
        shutil.copytree(DEPLOY, self.sources / "deploy", ignore=shutil.ignore_patterns("secrets"))
        settings = self.sources / "deploy/yujing.toml"
        settings.write_text(self._here(settings.read_text(encoding="utf-8")), encoding="utf-8")

    @property
    def data(self) -> Path:
        return self.root / "var/lib/yujing"

    def _here(self, text: str) -> str:
        return re.sub(rf"(?<![\w./])(?={PLACES})(?:{PLACES})(?=/)", rf"{self.root}\g<0>", text)

    def do(self, commands: str) -> str:
        """Carry them out as they are written; what they print."""
        result = self.run(commands)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def run(self, commands: str) -> subprocess.CompletedProcess[str]:
        """The same, also if one fails, which ends it."""
        user = getpass.getuser()
        commands = re.sub(r"-o \w+( -g \w+)?", f"-o {user}", self._here(commands)).replace("$(date +%F)", "2026-11-24")
        environment = os.environ | {
            "PATH": f"{self.root}/usr/local/sbin:{os.environ['PATH']}",
            "YUJING_ETC": f"{self.root}/etc/yujing",
            "YUJING_USER": user,
            "YUJING_PROGRAM": str(YUJING),
            "YUJING_RUN": f"{self.root}/run",
        }
        return subprocess.run(
            ["bash", "-euc", f"systemctl() {{ :; }}\n{commands}"],
            cwd=self.sources, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=300,
        )  # fmt: skip


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Installed as written, but for the wheel (test_upgrade.py), with a first plant and its gateway's certificate."""
    made = Machine(tmp_path_factory.mktemp("machine"))
    _containers, _token, systemd, mosquitto = blocks("Install")
    wheel, _, rest = systemd.partition("\n\n")
    assert "pip install" in wheel
    made.do(rest)
    shutil.copy(DEPLOY / "plant.sample.toml", made.root / f"etc/yujing/plants/{PLANT}.toml")
    made.do(mosquitto)
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    (issue,) = re.findall(r"`(deploy/issue-certificate\.sh ID/GATEWAY [^`]+)`", page)
    made.do(issue.replace("GATEWAY", GATEWAY).replace("ID", PLANT))
    return made


@pytest.fixture(scope="module")
def broker(machine: Machine) -> Iterator[Server]:
    """Mosquitto with the profile as it was installed, but for its port."""
    port, config = free_port(), machine.root / "etc/mosquitto/mosquitto.conf"
    text = config.read_text(encoding="utf-8")
    assert "/run/secrets" not in text
    (machine.root / "var/lib/mosquitto").mkdir()
    config.write_text(text.replace("listener 8883", f"listener {port} 127.0.0.1") + "user root\n", encoding="utf-8")
    program = find_mosquitto()
    assert program, "Mosquitto is not installed: apt-get install -y mosquitto"
    with Server([program, "-c", str(config)], port, machine.root / "log", lambda: answers(port)) as server:
        yield server


def test_an_installation_by_the_page_is_valid_and_nobody_else_reads_its_secrets(machine: Machine) -> None:
    output = machine.do(CHECK)
    assert "配置有效 valid: 1 " in output
    for secret in (machine.root / "etc/yujing/secrets").iterdir():
        assert secret.stat().st_mode & 0o077 == 0, secret
    assert sorted(file.name for file in machine.data.glob("*.db")) == ["journal.db", "state.db"]


def test_the_broker_by_the_page_takes_its_gateway_and_its_certificates_are_renewed(
    machine: Machine, broker: Server
) -> None:
    """By the page: the service's own certificate, and the broker's, which it shows without a restart."""
    secrets = machine.sources / "deploy/secrets"
    ours = machine.root / "etc/yujing/mqtt.pem"

    def heard_by_the_service() -> bool:
        with (
            speaker(broker, secrets, "yujing/mqtt") as service,
            speaker(broker, secrets, f"gateways/{PLANT}.{GATEWAY}") as gateway,
        ):
            topic = frame_topic(PLANT, GATEWAY)
            service.subscribe(topic)
            assert gateway.publish(topic, b"frame") == 0
            until(lambda: service.heard() == [(topic, b"frame")])
            return True

    assert heard_by_the_service()
    of_service, of_broker, *_authority = blocks("Renew a certificate")
    before = ours.read_bytes()
    machine.do(of_service)
    assert ours.read_bytes() == (secrets / "yujing/mqtt.pem").read_bytes() != before
    assert "配置有效 valid: 1 " in machine.do(CHECK), "certificate and key belong together"
    shown = ssl.get_server_certificate(("127.0.0.1", broker.port))
    machine.do(of_broker)
    assert ssl.get_server_certificate(("127.0.0.1", broker.port)) == shown
    os.kill(broker.pid, signal.SIGHUP)
    until(lambda: ssl.get_server_certificate(("127.0.0.1", broker.port)) != shown)
    assert heard_by_the_service()


def test_another_authority_takes_over_and_nobody_is_locked_out(machine: Machine, broker: Server) -> None:
    """By the page: both are believed for a while, also with a list of revoked ones, then the new one only."""
    secrets = machine.sources / "deploy/secrets"
    *_renewals, both, new_only = blocks("Renew a certificate")
    old, new = f"gateways/{PLANT}.{GATEWAY}", f"gateways/{PLANT}.GW-02"

    def let_in() -> list[bool]:
        broker.stop()
        broker.start()
        found = []
        for file in (old, new):
            context = ssl.create_default_context(cafile=str(machine.root / "etc/yujing/ca.pem"))
            context.load_cert_chain(secrets / f"{file}.pem", secrets / f"{file}.key")
            found.append(greeted(broker, context))
        return found

    machine.do(both)
    machine.do(f"deploy/issue-certificate.sh {PLANT}/GW-02 deploy/secrets/{new}")
    assert let_in() == [True, True]
    machine.do("deploy/revoke-certificate.sh && " + both.splitlines()[-2])
    assert let_in() == [True, True], "the list written anew has the former one's, too"
    refused = machine.run(f"deploy/revoke-certificate.sh deploy/secrets/{old}.pem")
    assert (refused.returncode, "not a certificate of this authority" in refused.stderr) == (2, True)
    machine.do(blocks("Renew a certificate")[1])
    assert let_in() == [True, True], "with the broker's of the new one"
    machine.do(new_only)
    assert let_in() == [False, True]


def test_the_token_is_replaced_by_the_page(machine: Machine) -> None:
    token = machine.root / "etc/yujing/secrets/admin_token"
    before = token.read_text()
    (commands,) = blocks("Replace a secret")
    assert "配置有效 valid: 1 " in machine.do(commands)
    assert token.read_text() != before
    assert (len(token.read_text()), token.stat().st_mode & 0o777) == (65, 0o600)
    assert sorted(file.name for file in token.parent.iterdir()) == ["admin_token", "mqtt_key"]


def test_data_is_backed_up_lost_and_restored_by_the_page(machine: Machine) -> None:
    run_cycles(machine.data, 1, 2, 3)
    EvidenceFiles(machine.data / "evidence", 1000).put(b"%PDF-1.4 a page")
    backup, restore, damaged, _postgresql = blocks("Backup")
    machine.do(backup)
    output = machine.do(restore)
    assert "alarms: 备份 backup 3" in output
    assert (machine.root / "var/lib/yujing-failed/state.db").exists()
    assert machine.do(damaged) == ""
    (file,) = (file for file in machine.data.glob("evidence/*/*") if file.is_file())
    file.chmod(0o600)
    file.write_bytes(b"something else")
    assert machine.do(damaged) == f"damaged: {file.relative_to(machine.data / 'evidence')}\n"


def test_the_state_moves_to_postgresql_by_the_page(machine: Machine, postgresql_server: PostgreSQL) -> None:
    """With the wrapper's secrets: backed up, copied, checked, verified and put in force."""
    (machine.root / "root/state_password").write_text(PostgreSQL.PASSWORD)
    settings = machine.root / "etc/yujing/yujing.toml"
    password = 'password = { file = "/run/credentials/yujing.service/state_password" }'
    moved = f'[state]\nurl = "{postgresql_server.database()}"\n{password}\n'
    new, state_tables = re.subn(r"^\[state\]\n(?:#.*\n)*path = .*\n", moved, settings.read_text(), flags=re.MULTILINE)
    assert state_tables == 1
    (machine.root / "edited").write_text(new)
    editor = machine.root / "usr/local/sbin/editor"
    editor.write_text(f'#!/bin/sh\ncat {machine.root}/edited >"$1"\n')
    editor.chmod(0o755)
    with closing(Database(machine.data / "state.db")) as database:
        before = len(AuditStore(database.rows))
    (commands,) = blocks("PostgreSQL")
    output = machine.do(commands)
    assert f"audit: {before}" in output
    assert settings.read_text() == new
    assert (machine.root / "backup/yujing/before-postgresql").is_dir()
