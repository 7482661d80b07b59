"""Files are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from restock.core.errors import InvalidInput
from restock.core.writing import check_writable, write_whole


def listing(folder: Path) -> list[str]:
    return sorted(str(entry.relative_to(folder)) for entry in folder.rglob("*"))


def test_write_replaces_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old", encoding="utf-8")
    assert write_whole(tmp_path / "a.txt", lambda file: file.write_text("new", encoding="utf-8")) == tmp_path / "a.txt"
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "new"
    assert listing(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, MemoryError])
def test_what_stops_the_writing_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "a.txt").write_text("old", encoding="utf-8")

    def half(file: Path) -> None:
        file.write_text("half", encoding="utf-8")
        raise error

    with pytest.raises(error):
        write_whole(tmp_path / "a.txt", half)
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "old"
    assert listing(tmp_path) == ["a.txt"]


def test_a_full_disk_is_bad_input(tmp_path: Path) -> None:
    def full(file: Path) -> None:
        file.write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")

    with pytest.raises(InvalidInput, match="No space left"):
        write_whole(tmp_path / "a.txt", full)
    assert listing(tmp_path) == []


@pytest.mark.parametrize("where", ["folder", "file/inside", "file/far/inside", "a\0b", ""])
def test_check_and_write_refuse_the_same_places(tmp_path: Path, where: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("", encoding="utf-8")
    before = listing(tmp_path)
    for attempt in (check_writable, lambda path: write_whole(path, lambda file: file.write_text("x"))):
        with pytest.raises(InvalidInput) as caught:
            attempt(tmp_path / where)
        assert caught.value.field == "path"
        assert listing(tmp_path) == before


def test_check_leaves_no_trace(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old", encoding="utf-8")
    for path in ("a.txt", "b.txt", "new/folder/b.txt"):
        check_writable(tmp_path / path)
    assert listing(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "old"
