"""The wheel alone is enough to begin with: from a fresh environment it writes a folder that is valid at once."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.deploy.written import ROOT


def lend_what_is_installed(root: Path, venv: Path) -> None:
    """The dependencies of a wheel in that environment are those the tests run with; our own code is not among them."""
    lent = root / "lent"
    lent.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not re.match(r"(?i)_*(editable__)?_*yujing|_editable|pip|setuptools|ingest$|.*\.pth$", entry.name):
            (lent / entry.name).symlink_to(entry)
    (site,) = venv.glob("lib/python3*/site-packages")
    (site / "lent.pth").write_text(str(lent))


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment in which nothing but the built wheel was installed."""
    root = tmp_path_factory.mktemp("newcomer")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(root)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = root.glob("yujing-*.whl")
    made = root / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made)], check=True)
    install = ["install", "--quiet", "--no-deps", "--no-index", "--no-compile", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(made / "bin/python"), *install], check=True)
    lend_what_is_installed(root, made)
    return made


def test_an_installed_wheel_writes_a_folder_that_is_valid_at_once(venv: Path, tmp_path: Path) -> None:
    yujing = venv / "bin/yujing"
    where = subprocess.check_output(
        [venv / "bin/python", "-c", "import ingest; print(ingest.__file__)"], text=True, cwd=tmp_path
    )
    assert where.startswith(str(venv))
    commands = f"{yujing} init d && {yujing} check --strict --config d/yujing.toml"
    done = subprocess.run(
        ["sh", "-c", commands], check=False, capture_output=True, text=True, cwd=tmp_path, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "配置有效 valid: 1 " in done.stdout
    assert f"ExecStart={yujing} run --config {tmp_path}/d/yujing.toml" in (tmp_path / "d/yujing.service").read_text()
