"""What a user installs is whole: the wheel holds every file the service reads at run time."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.deploy.written import ROOT, SHIPPED

PACKAGES = ("ingest", "detectors", "gateway_sim", "dashboards")


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("yujing-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = {
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert held == files | set(SHIPPED.values())
    for needed in (
        "ingest/plants/catalogue/steel.toml",
        "ingest/delivery/platform/profiles/tianjin-dust-sm4.toml",
        "ingest/storage/state/migrations/versions/0001_initial.py",
        "ingest/deploy/yujing.toml",
        "gateway_sim/plants/demo-steel.toml",
        "dashboards/grafana/plant.json",
        "dashboards/console/static/console.js",
    ):
        assert needed in held
