"""The folder of a hyper-parameter search.

runs/tune-NAME/
  tuning.yaml       what is searched: the run that trials change, the space
  study.journal     all trials, as Optuna keeps them (optuna-dashboard reads it)
  trials.jsonl      one line a trial: state, value, seconds, values
  importance.json   how much each name matters
  best.yml          the best numbers: restock train PROBLEM --algo ALGO --preset best.yml
  best/             the run of the best trial, a trained policy by the name of this folder
  trials/0007/      what is left of the run of each trial: configuration and metrics
  workers.log       what the processes that train said
  lock              held while a process works in the folder

The journal is a file of lines that is only added to: what a killed process leaves is at most half a line, which the
next one drops, and people can read it. SQLite would bring its locks and a database layer for what one process
writes alone.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from restock.core.errors import InvalidInput
from restock.core.holding import held
from restock.core.reading import read_text, read_yaml
from restock.core.writing import write_whole
from restock.learning.run_folder import RunFolder
from restock.learning.tuning.plan import FORMAT, Plan, read_plan
from restock.learning.tuning.study import Trial, trial_of

DROPPED = ("checkpoints", "checkpoints.json", "snapshots", "model.zip", "lock")
FRESH = "fresh.json"
ANOTHER = "Name another folder with --out, or delete this one."


class TuningFolder:
    """A search on disk.

    Args:
        path: The folder; it need not be there yet.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.journal, self.log = self.path / "study.journal", self.path / "workers.log"
        self.best = self.path / "best"

    @contextmanager
    def held_by(self, plan: Plan) -> Iterator[None]:
        """Lock the folder for this process, and begin or resume the search.

        Raises:
            InvalidInput: Another process holds it, something else is in it, or it cannot be written.
        """
        if self.path.is_dir() and not self._begun and not (self.path / "lock").exists() and any(self.path.iterdir()):
            raise InvalidInput("--out", str(self.path), "there is something else in this folder", ANOTHER)
        mend = "Wait for it, or name another folder; with --jobs one command runs several trials at a time."
        with held(self.path, "--out", mend):
            (self.path / "trials").mkdir(exist_ok=True)
            wanted = yaml.safe_dump(plan.described(), sort_keys=False, width=120)
            if not self._begun:
                self.write("tuning.yaml", wanted)
            elif self.plan().described() != yaml.safe_load(wanted):
                raise InvalidInput("--out", str(self.path), _differing(self.plan(), plan), ANOTHER)
            yield

    @property
    def _begun(self) -> bool:
        return (self.path / "tuning.yaml").is_file()

    def plan(self) -> Plan:
        """Return the plan of the search.

        Raises:
            InvalidInput: There is no search in the folder, or it is damaged.
        """
        if not self._begun:
            raise InvalidInput("tuning", str(self.path), "there is no search in this folder", "Run: restock tune.")
        data = read_yaml(self.path / "tuning.yaml")
        if data.get("format") != FORMAT:
            problem = f"this search is of format {data.get('format')}, not {FORMAT}"
            raise InvalidInput("tuning", str(self.path), problem, "Search again.")
        return read_plan(data)

    # runs of trials -------------------------------------------------------------------------------------

    def run(self, number: int) -> Path:
        """Return where a trial is trained."""
        return self.path / "trials" / f"{number:04d}"

    def take_over(self, number: int, repeats: int | None) -> None:
        """Let a trial continue from the checkpoints of the one that it repeats."""
        if repeats is not None and self.run(repeats).is_dir() and not self.run(number).exists():
            self.run(repeats).rename(self.run(number))

    def keep_best(self, number: int) -> None:
        """Make the run of a trial the best one; `best` always holds a whole run or does not exist."""
        new = self.path / ".best"
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(self.run(number), new)
        (new / "trial").write_text(f"{number}\n", encoding="utf-8")
        shutil.rmtree(self.best, ignore_errors=True)
        new.rename(self.best)

    @property
    def kept(self) -> int | None:
        """The trial whose run `best` is."""
        with contextlib.suppress(OSError, ValueError):
            return int((self.best / "trial").read_text(encoding="utf-8"))
        return None

    def lighten(self, number: int) -> None:
        """Delete the large files of an ended trial's run."""
        for name in DROPPED:
            path = self.run(number) / name
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)

    def fresh(self, number: int) -> list[float]:
        """Return the profits of a trial on fresh paths; empty if unknown."""
        with contextlib.suppress(OSError, ValueError):
            found: list[float] = json.loads((self.run(number) / FRESH).read_text(encoding="utf-8"))
            return found
        return []

    def lines(self) -> dict[str, float]:
        """Return the held-out profit of the policy to beat and of the bound, as the best run has them."""
        result = RunFolder(self.best).result() or {}
        return {name: float(result[name]) for name in ("baseline", "bound") if name in result}

    # what is told ---------------------------------------------------------------------------------------

    def write(self, name: str, text: str) -> None:
        """Write a file atomically."""
        write_whole(self.path / name, lambda path: path.write_text(text, encoding="utf-8"))

    def write_trials(self, trials: Sequence[Trial]) -> None:
        """Write the lines of all trials that have begun."""
        told = [trial.to_dict() for trial in trials if trial.state != "waiting"]
        self.write("trials.jsonl", "".join(json.dumps(line) + "\n" for line in told))

    def trials(self) -> list[Trial]:
        """Return the lines as they were last written.

        Raises:
            InvalidInput: They are damaged.
        """
        path = self.path / "trials.jsonl"
        if not path.is_file():
            return []
        try:
            return [trial_of(json.loads(line)) for line in read_text(path, "tuning", "JSON lines").splitlines()]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InvalidInput("tuning", str(path), "this file is damaged", "Run the same command again.") from None

    def importance(self) -> Mapping[str, float] | None:
        """Return the importance as last written."""
        with contextlib.suppress(OSError, ValueError):
            found: Mapping[str, float] = json.loads((self.path / "importance.json").read_text(encoding="utf-8"))
            return found
        return None


def _differing(there: Plan, wanted: Plan) -> str:
    """Return where two plans differ."""
    one, other = there.described(), wanted.described()
    for name in ("startup", "pruning", "space"):
        if one[name] != other[name]:
            return f"there is another search in this folder (its {name}: {_short(one[name])})"
    for name, value in one["base"].items():
        if value != other["base"].get(name):
            told = f": {value}" if isinstance(value, (str, int)) else ""
            return f"there is another search in this folder (its {name} is not the same{told})"
    return "there is another search in this folder"


def _short(value: Any) -> str:
    return ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
