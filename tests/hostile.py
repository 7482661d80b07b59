"""Files that somebody sent: code that leaves a mark when it is run, and data that name it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CODE = """
from pathlib import Path
from restock.policies import Policy
from restock.problems.minimal.problem import MinimalProblem
from restock.problems.minimal.spec import MinimalSpec
import numpy as np

Path(MARK).write_text("ran")

class Prob(MinimalProblem):
    family = "sent"

    def __init__(self, horizon=5):
        super().__init__(MinimalSpec(horizon=horizon))

class Mine(Policy):
    name = "mine"

    def act(self, view):
        return np.full((len(view.now[next(iter(view.now))]), len(self.problem.labels()[self.problem.decision])), 2.0)
"""


class Sent:
    """A folder `dl` in the working folder with `evil.py` in it.

    Args:
        here: The working folder.
    """

    def __init__(self, here: Path) -> None:
        self.mark = here / "mark"
        self.folder = here / "dl"
        self.folder.mkdir()
        self.code(self.folder / "evil.py")

    def code(self, path: Path) -> Path:
        """Put the code in a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"MARK = {str(self.mark)!r}\n{CODE}", encoding="utf-8")
        return path

    @property
    def ran(self) -> bool:
        """Whether it was run."""
        return self.mark.exists()


def put(data: Any, path: str, value: Any) -> None:
    """Set data[a][b] for the path a.b."""
    *before, last = path.split(".")
    for name in before:
        data = data.setdefault(name, {})
    data[last] = value


def change_first(path: Path, **changes: Any) -> None:
    """Change fields of the first line of a transcript; `settings__fallback` is that inside `settings`."""
    first, _, rest = path.read_text(encoding="utf-8").partition("\n")
    data = json.loads(first)
    for field, value in changes.items():
        put(data, field.replace("__", "."), value)
    path.write_text(json.dumps(data) + "\n" + rest, encoding="utf-8")
