"""What is kept here is text, but for the few binaries that are named below and stay small."""

from __future__ import annotations

import shutil
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.shared_material import REPOSITORY

KIB = 1024
# Which binaries there may be, and how large each of them may be: pictures of the pages, episodes recorded elsewhere,
# the font of frames.
BINARIES = {
    "docs/_static/screens/*.png": 128 * KIB,
    "tests/golden/*/*.json.gz": 64 * KIB,
    "src/restock/envs/render/DejaVuSans.ttf": 128 * KIB,
}
# What is made here and git ignores, where there is no git to ask.
MADE = {"__pycache__", "build", "dist", "runs", "out", "_build", "generated"}


def files_of(folder: Path) -> list[str]:
    """What git tracks; without git, every file that is not made here."""
    if shutil.which("git"):
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=folder, capture_output=True, check=False).stdout
        if listed:
            return [name for name in listed.decode().split("\0") if name and (folder / name).is_file()]
    inside = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(
        path.as_posix()
        for path in inside
        if not any(part in MADE or part.startswith(".") or part.endswith(".egg-info") for part in path.parts[:-1])
    )


def is_text(content: bytes) -> bool:
    """Whether it is UTF-8 without null bytes."""
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


def strays(folder: Path) -> list[str]:
    """The binaries that may not be there, or are too large."""
    found = []
    for name in files_of(folder):
        content = (folder / name).read_bytes()
        most = next((size for pattern, size in BINARIES.items() if fnmatchcase(name, pattern)), 0)
        if not is_text(content) and len(content) > most:
            found.append(f"{name}: {len(content)} bytes")
    return found


def test_no_binary_is_kept_that_is_not_named_here():
    assert strays(REPOSITORY) == []


@pytest.mark.parametrize("pattern", BINARIES)
def test_every_named_binary_is_there(pattern):
    assert any(fnmatchcase(name, pattern) for name in files_of(REPOSITORY))


@pytest.mark.parametrize("git", [True, False], ids=["git", "no git"])
@pytest.mark.parametrize("name", ["a1b2/kernel.1.nbi", "src/fast.so", "module.cpython-311.pyc", "docs/page.pdf"])
def test_a_stray_binary_is_found(name, git, tmp_path):
    (tmp_path / "notes.md").write_text("only words: \N{GREEK SMALL LETTER ALPHA}", encoding="utf-8")
    assert strays(tmp_path) == []
    stray = tmp_path / name
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"\x7fELF\0\xff")
    if git:
        subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
        subprocess.run(["git", "add", "--all", "--force"], cwd=tmp_path, check=True)
    assert strays(tmp_path) == [f"{name}: 6 bytes"]


def test_a_named_binary_may_not_grow_beyond_its_size(tmp_path):
    font = tmp_path / "src" / "restock" / "envs" / "render" / "DejaVuSans.ttf"
    font.parent.mkdir(parents=True)
    font.write_bytes(b"\0" * 128 * KIB)
    assert strays(tmp_path) == []
    font.write_bytes(b"\0" * (128 * KIB + 1))
    assert strays(tmp_path) == [f"src/restock/envs/render/DejaVuSans.ttf: {128 * KIB + 1} bytes"]
