"""A wheel of restock carries everything the package needs at run time."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.shared_material import REPOSITORY


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel built without the network."""
    out = tmp_path_factory.mktemp("wheel")
    how = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *how, "--wheel-dir", str(out), str(REPOSITORY)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return zipfile.ZipFile(next(out.glob("*.whl")))


def test_every_source_and_data_file_is_in_it(wheel):
    source = REPOSITORY / "src"
    there = {
        path.relative_to(source).as_posix()
        for path in (source / "restock").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert there <= set(wheel.namelist())
    kinds = {Path(name).suffix for name in there}
    assert {".py", ".yaml", ".csv", ".md", ".html", ".ttf"} <= kinds
    assert "restock/data/LICENSE.ddop" in there and "restock/py.typed" in there


def test_it_has_the_command_the_licences_and_nothing_else(wheel):
    names = wheel.namelist()
    about = next(name for name in names if name.endswith(".dist-info/METADATA")).removesuffix("METADATA")
    assert "restock = restock.cli.main:main" in wheel.read(about + "entry_points.txt").decode()
    licences = ["LICENSE", "src/restock/data/LICENSE.ddop", "src/restock/envs/render/DejaVuSans.LICENSE"]
    assert {f"{about}licenses/{name}" for name in licences} <= set(names)
    assert all(name.startswith(("restock/", about)) for name in names)
