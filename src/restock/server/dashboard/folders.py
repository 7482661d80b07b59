"""Safe reading of the folder of runs: only listed names, no links, bounded sizes.

What lies in a run folder may be anybody's. Here it is data: no class that it names is loaded, and no network of it.
"""

from __future__ import annotations

import dataclasses
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pydantic
import yaml

from restock.core.errors import InvalidInput, shown
from restock.core.reading import LOADER, parsed
from restock.server.errors import Refused

MOST_LISTED = 200
MOST_SEEN = 5000  # entries of the folder that are looked at
LARGEST = 16 * 1024 * 1024  # bytes of a file
LARGEST_YAML = 1024 * 1024
LARGEST_FOLDER = 64 * 1024 * 1024  # bytes of all files of a benchmark
CHANGING = ("metrics.jsonl", "result.json", "trials.jsonl", "report.html", "evaluation/summary.json")
Model = TypeVar("Model", bound=pydantic.BaseModel)
MARKS = {"training": "config.yaml", "tuning": "tuning.yaml", "benchmark": "run.json"}


@dataclasses.dataclass(frozen=True)
class Entry:
    """A run in the folder of runs.

    Attributes:
        name: Of its folder.
        kind: `training`, `tuning` or `benchmark`.
        path: Of its folder.
        changed: When its newest file was written (seconds since 1970).
    """

    name: str
    kind: str
    path: Path
    changed: float

    @property
    def place(self) -> str:
        """The name that commands use for it; pages do not reveal where the folder of runs lies."""
        return str(self.path if not self.path.is_absolute() else Path(self.path.parent.name) / self.name)


def listed(folder: Path | None) -> list[Entry]:
    """Return the runs in a folder, newest first; links are ignored."""
    if folder is None or not folder.is_dir():
        return []
    found = []
    for k, path in enumerate(folder.iterdir()):
        if k >= MOST_SEEN:
            break
        if not can_be_named(path.relative_to(folder)) or path.is_symlink() or not path.is_dir():
            continue
        for kind, mark in MARKS.items():
            if (path / mark).is_file():
                found.append(Entry(path.name, kind, path, _changed(path)))
                break
    return sorted(found, key=lambda one: (-one.changed, one.name))[:MOST_LISTED]


def can_be_named(path: Path) -> bool:
    """Return whether an address can name a file: some systems allow bytes in names that are not text."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def run_in(folder: Path | None, name: str, kind: str | None = None) -> Entry:
    """Return a run by its name.

    Raises:
        Refused: There is none of that name.
    """
    for one in listed(folder):
        if one.name == name and kind in (None, one.kind):
            return one
    raise Refused("NOT_FOUND", f"There is no run {name[:80]!r} in the folder of runs of this server.")


def file_in(entry: Entry, name: str, most: int = LARGEST) -> Path | None:
    """Return a file of a run that may be read; None where there is none.

    Raises:
        InvalidInput: It leads out of the run, is no file, or is larger than `most` bytes.
    """
    path = entry.path / name
    try:
        about = path.stat()
        inside = path.resolve().is_relative_to(entry.path.resolve())
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        return None
    if not inside:
        raise InvalidInput("run", name, "this file leads out of its run", "Put the file itself there.")
    if not stat.S_ISREG(about.st_mode):
        raise InvalidInput("run", name, "this is no file", "Restore the folder.")
    if about.st_size > most:
        problem = f"it has {about.st_size} bytes, and pages show at most {most}"
        raise InvalidInput("run", name, problem, "Look at it on the machine itself.")
    return path


def text_in(entry: Entry, name: str, most: int = LARGEST) -> str | None:
    """Return the text of a file of a run; None if there is none.

    Raises:
        InvalidInput: It cannot be read, or may not be.
    """
    path = file_in(entry, name, most)
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise InvalidInput("run", name, "it cannot be read", "Restore the folder.") from None


def mapping_in(entry: Entry, name: str) -> dict[str, Any]:
    """Return the mapping in a YAML file of a run.

    A file that refers to parts of itself is refused: written out it may have no end, and restock writes none.

    Raises:
        InvalidInput: It is missing or damaged.
    """
    text = text_in(entry, name, LARGEST_YAML)
    try:
        if text is None:
            raise ValueError("it is missing")
        if any(isinstance(one, yaml.AliasEvent) for one in yaml.parse(text, Loader=LOADER)):
            raise ValueError("it refers to parts of itself")
        data = parsed(text)
        if not isinstance(data, dict):
            raise ValueError("it is no mapping")
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        why = str(error) if type(error) is ValueError else "it is not valid YAML"
        raise InvalidInput("run", name, f"this file is damaged: {why}", "Restore the folder.") from None
    return data


def line_as(kind: type[Model], line: Mapping[str, Any], number: int, field: str, file: str, mend: str) -> Model:
    """Return a line of a file, validated.

    Raises:
        InvalidInput: It does not have that form.
    """
    try:
        return kind.model_validate(line)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = f"in line {number}, {where or 'the line'} is {shown(first.get('input'))}: {first['msg'].lower()}"
        raise InvalidInput(field, file, what, mend) from None


def check_size(entry: Entry, files: Iterable[Path]) -> None:
    """Check that the files of a run lie inside it and are not too large together.

    Raises:
        InvalidInput: They do not, or are.
    """
    total = 0
    for path in files:
        name = str(path.relative_to(entry.path))
        found = file_in(entry, name)
        total += 0 if found is None else found.stat().st_size
        if total > LARGEST_FOLDER:
            problem = f"its files have more than {LARGEST_FOLDER} bytes together"
            raise InvalidInput("run", entry.name, problem, "Use restock leaderboard on the machine itself.")


def _changed(path: Path) -> float:
    times = [path.stat().st_mtime]
    for name in (*MARKS.values(), *CHANGING):
        try:
            times.append((path / name).lstat().st_mtime)
        except OSError:
            continue
    return max(times)
