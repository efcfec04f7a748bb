"""Upgrade and rollback as the operations page has them, with two wheels of two trees and a data folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.test_newcomer import lend_what_is_installed
from tests.deploy.written import ROOT, SHIPPED, blocks
from tests.small_plant import write_plant

PACKAGES = ("ingest", "detectors", "gateway_sim", "dashboards")
MIGRATIONS = "ingest/storage/state/migrations/versions"


def tree(folder: Path) -> Path:
    """The sources of a wheel, without git."""
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "version.py", "README.md", "LICENSE", *SHIPPED):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def newer(folder: Path) -> Path:
    """The next version: its state database has one table more."""
    versions = tree(folder) / MIGRATIONS
    head = max(file.name[:4] for file in versions.glob("[0-9]*.py"))
    text = f'"""More."""\n\nfrom alembic import op\n\nrevision = "9999"\ndown_revision = "{head}"\n\n\n'
    (versions / "9999_more.py").write_text(
        text + 'def upgrade() -> None:\n    op.execute("CREATE TABLE more (id INT)")\n'
    )
    return folder


class Machine:
    """A folder that stands for a machine's root, with the service under a shell's `systemctl`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.venv = root / "opt/yujing/venv"
        for name in ("opt/yujing", "etc/yujing/secrets", "var/lib/yujing", "var/backups"):
            (root / name).mkdir(parents=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(self.venv)], check=True)
        lend_what_is_installed(root, self.venv)
        write_plant(root / "etc/yujing")
        data = root / "var/lib/yujing"
        (root / "etc/yujing/yujing.toml").write_text(
            f"[mqtt]\nport = 1\n[api]\nport = 0\n"
            f'[journal]\npath = "{data}/journal.db"\n[state]\npath = "{data}/state.db"\n'
            f'[history]\nkind = "duckdb"\npath = "{data}/history.duckdb"\n[cases]\nevidence = "{data}/evidence"\n'
        )

    def do(self, sources: Path, commands: str) -> None:
        """Carry out a part of the page as its shell would, in the folder of the sources; with the tests' own pip."""
        pip = f"{sys.executable} -m pip"
        commands = commands.replace("/opt/yujing/venv/bin/pip", f"{pip} --python /opt/yujing/venv/bin/python")
        for path in ("/opt/yujing", "/etc/yujing", "/var/lib/yujing", "/var/backups"):
            commands = commands.replace(path, f"{self.root}{path}")
        commands = commands.replace("build/bin/pip", pip).replace("systemctl", "true")
        # Modules are compiled by who loads them: pip would compile them all, most of what an installation takes.
        environment = os.environ | {"PIP_NO_COMPILE": "1"}
        result = subprocess.run(
            ["bash", "-e", "-c", commands], cwd=sources, env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stdout + result.stderr

    def yujing(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The installed command."""
        command = [str(self.venv / "bin/yujing"), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.root)

    def starts(self) -> str:
        """Start the service, stop it in good order once all parts run; return the version from its log."""
        command = [str(self.venv / "bin/yujing"), "run", "--config", str(self.root / "etc/yujing/yujing.toml")]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
            assert running.stderr is not None
            version = ""
            for line in running.stderr:
                event = json.loads(line) if line.startswith("{") else {}
                if event.get("event") == "service_started":
                    version = str(event["version"])
                    running.send_signal(signal.SIGTERM)
        assert version, "it did not start"
        return version


def build_and_install() -> tuple[str, str]:
    """The lines of the installation that make the wheel, and that install it."""
    text = "".join(blocks("Install"))
    (build,) = re.findall(r"^rm -rf dist && .*pip wheel .*$", text, re.MULTILINE)
    (install,) = re.findall(r"^/opt/yujing/venv/bin/pip install .*$", text, re.MULTILINE)
    return build, install


@pytest.mark.timeout(600)
def test_upgrade_and_rollback_are_carried_out_as_written(tmp_path: Path) -> None:
    old, new = tree(tmp_path / "old"), newer(tmp_path / "new")
    machine = Machine(tmp_path / "root")
    upgrade, back, data_back = blocks("Upgrade, and back")
    build, install = build_and_install()
    machine.do(old, f"{build}\n{install}")
    machine.do(new, build)
    settings = ("--config", str(machine.root / "etc/yujing/yujing.toml"))
    assert machine.yujing("init", *settings).returncode == 0
    before = machine.starts()
    assert machine.yujing("version").stdout.strip() == f"yujing {before}"
    assert machine.yujing("--version").stdout.strip() == f"yujing {before}"
    assert re.fullmatch(r"\d+\.\d+\.\d+\+s[0-9a-f]{9}", before)

    machine.do(new, upgrade)
    after = machine.starts()
    assert after != before
    assert machine.yujing("version").stdout.strip() == f"yujing {after}"

    machine.do(old, back)
    assert machine.yujing("version").stdout.strip() == f"yujing {before}"
    refused = machine.yujing("run", *settings)
    assert refused.returncode != 0
    assert "9999" in refused.stderr
    assert "Traceback" not in refused.stderr
    machine.do(old, data_back)
    assert machine.starts() == before


def test_repeating_the_installation_with_other_sources_puts_the_new_code_in_place(tmp_path: Path) -> None:
    """A changed byte is another version; the same sources are the same one."""
    sources = tree(tmp_path / "sources")
    first = reported_version(sources)
    assert reported_version(sources) == first
    with (sources / "detectors/__init__.py").open("a") as file:
        file.write("# changed\n")
    assert reported_version(sources) != first


def test_with_git_the_version_bears_the_commit_and_what_is_not_committed(tmp_path: Path) -> None:
    sources = tree(tmp_path / "sources")

    def git(*words: str) -> str:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(sources), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "all")
    commit = git("rev-parse", "--short=9", "HEAD")
    assert reported_version(sources).endswith(f"+g{commit}")
    (sources / "detectors/new.py").write_text("")
    assert re.search(rf"\+g{commit}\.s[0-9a-f]{{9}}$", reported_version(sources))


def reported_version(sources: Path) -> str:
    """What a build of these sources would be called."""
    command = [sys.executable, "-m", "hatchling", "version"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(command, cwd=sources, check=True, capture_output=True, text=True, env=environment)
    return result.stdout.strip()
