"""The folder of a run: one file per finished task, written atomically.

runs/NAME/
  run.json            suite, versions, policies
  episodes/*.json     one finished task each
  agents/*.jsonl      transcripts of guests, one a task
  episodes.parquet    all episodes in one table (episodes.csv where polars is not installed)
  lock                held while a process works in the folder
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from restock.benchmark.task import Plan, Task
from restock.core.errors import InvalidInput
from restock.core.holding import held
from restock.core.reading import read_text
from restock.core.trust import refuse_code
from restock.core.writing import write_whole

FORMAT = 1


class Damaged(ValueError):
    """Raised when a file of a run is damaged."""


class RunFolder:
    """The folder in which a run keeps its results.

    Args:
        path: The folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.tasks = self.path / "episodes"

    # the run ------------------------------------------------------------------------------------

    def begin(self, plan: Plan) -> Plan:
        """Prepare the folder for a new or resumed run.

        Returns:
            The plan of the whole run: with the policies of earlier starts that this one does not name.

        Raises:
            InvalidInput: The folder holds a run of another suite, or of other versions.
        """
        if (self.path / "run.json").exists():
            before = self.plan()
            suites = [f"{one.suite.name} {one.suite_mark}" for one in (before, plan)]
            self._same("suite", *suites)
            for package, version in plan.versions.items():
                self._same(package, before.versions.get(package), version)
            plan = plan.joined(before)
        self._write(self.path / "run.json", plan.to_dict())
        return plan

    def plan(self) -> Plan:
        """Return the plan of the run.

        Raises:
            InvalidInput: There is no run in the folder, its description is damaged, or its suite names code and is
                not trusted.
        """
        path = self.path / "run.json"
        if not path.is_file():
            raise InvalidInput("run", str(self.path), "there is no run in this folder", "Make one: restock bench.")
        try:
            data = self._read(path)
            refuse_code({"suite": data["suite"]}, path)
            return Plan.from_dict(data)
        except (Damaged, KeyError) as error:
            problem = f"run.json is damaged: {error}"
            raise InvalidInput("run", str(self.path), problem, "Start again in a new folder.") from None

    def results(self, plan: Plan) -> list[dict[str, Any]]:
        """Return the results of all finished tasks of a plan, in its order.

        Raises:
            InvalidInput: The file of one is damaged.
        """
        found = []
        for task in plan.tasks():
            try:
                result = self.finished(task)
            except Damaged as error:
                mend = "Start restock bench again with this folder: it does that task anew."
                path = str(self.tasks / f"{task.name}.json")
                raise InvalidInput("run", path, f"the file is damaged: {error}", mend) from None
            if result is not None:
                found.append(result)
        return found

    def _same(self, what: str, before: Any, now: Any) -> None:
        if before != now:
            problem = f"the run in this folder is of {what} {before}, this one of {now}"
            raise InvalidInput("--out", str(self.path), problem, "Name a new folder.")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the folder for this process until it ends, however it ends.

        Raises:
            InvalidInput: Another process holds it, it cannot be made, or something else is in it.
        """
        if self.path.is_dir() and not (self.path / "run.json").exists() and not (self.path / "lock").exists():
            if any(self.path.iterdir()):
                problem = "there is something else in this folder"
                raise InvalidInput("--out", str(self.path), problem, "Name a new folder.")
        with held(self.path, "--out"):
            self.tasks.mkdir(exist_ok=True)
            for left in (*self.path.glob(".*"), *self.tasks.glob(".*")):  # half written when a run was killed
                left.unlink(missing_ok=True)
            yield

    # tasks --------------------------------------------------------------------------------------

    def save(self, task: Task, result: Mapping[str, Any]) -> None:
        """Save the result of a finished task; it is durable when this returns.

        Raises:
            InvalidInput: It cannot be written.
        """
        self._write(self._file(task), result)

    def finished(self, task: Task) -> dict[str, Any] | None:
        """Return the result of a task; None if it is not finished, or the file belongs to another task.

        Raises:
            Damaged: Its file does not hold what was written.
        """
        if not self.holds(task):
            return None
        result = self._read(self._file(task))
        return result if result.get("mark") == task.mark else None

    def holds(self, task: Task) -> bool:
        """Return whether the task has a file."""
        return self._file(task).exists()

    def _file(self, task: Task) -> Path:
        return self.tasks / f"{task.name}.json"

    def _write(self, path: Path, data: Mapping[str, Any]) -> None:
        body = json.dumps(data, sort_keys=True)
        text = f'{{"format": {FORMAT}, "sha256": "{_hash(body)}", "data": {body}}}\n'
        write_whole(path, lambda neighbour: _durably(neighbour, text))
        with contextlib.suppress(OSError):  # a system that cannot open folders keeps names in its own way
            descriptor = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    @staticmethod
    def _read(path: Path) -> dict[str, Any]:
        """Return the data of a file.

        Raises:
            Damaged: It does not hold what was written.
        """
        try:
            whole = json.loads(read_text(path, "run", "JSON"))
            data: dict[str, Any] = whole["data"]
            if whole["format"] != FORMAT:
                raise Damaged(f"its format is {whole['format']}, not {FORMAT}")
            if whole["sha256"] != _hash(json.dumps(data, sort_keys=True)):
                raise Damaged("its content was changed")
        except Damaged:
            raise
        except (ValueError, KeyError, TypeError) as error:
            raise Damaged("it is cut short, or not of restock") from error
        return data


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _durably(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
