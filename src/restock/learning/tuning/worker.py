"""The process that trains trials: `python -m restock.learning.tuning.worker`, one JSON document a line each way.

It reads {"run": FOLDER, "config": {...}, "fresh": COUNT} and trains. After each evaluation it writes
{"restart": .., "step": .., "best": ..} and reads whether to go on. In the end it writes one of {"complete": ..},
{"pruned": ..}, {"failed": ..} and {"halted": ..} (nothing can be written), and reads the next. When its input ends,
which is when whoever started it has ended in whatever way, it ends at once.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restock.core.errors import InvalidInput
from restock.core.trust import trusting
from restock.core.workers import Line

STREAM = "tuning: fresh"  # of the paths that nothing is chosen by
UNWRITABLE = ("path", "out")  # fields of an error that has nothing to do with the numbers of the trial


class Lagging(Exception):
    """Raised to prune the trial."""


def train(line: Line, path: Path, config: Mapping[str, Any], fresh: int) -> dict[str, Any]:
    """Train one trial, or resume it; return its result."""
    from restock.learning.run_folder import RunFolder
    from restock.learning.train import run

    folder = RunFolder(path)

    def told(restart: int, step: int, best: float) -> None:
        if not line.ask({"restart": restart, "step": step, "best": best}):
            raise Lagging

    def tell(report: Any, gaps: Any) -> None:
        told(report.restart, report.step, report.best)

    try:
        if folder.begun:  # what was evaluated before it was interrupted
            for known in folder.metrics():
                told(int(known["restart"]), int(known["step"]), float(known["best"]))
        result = run(folder, config, tell)
        return {"complete": {"value": result["profit"], "fresh": earned(folder, config, fresh)}}
    except Lagging:
        return {"pruned": {}}
    except InvalidInput as error:
        if error.field in UNWRITABLE:
            return {"halted": f"{error.value}: {error.problem}"}
        return {"failed": str(error), "field": error.field}
    except (ValueError, ArithmeticError, RuntimeError, MemoryError) as error:  # torch, where numbers go astray
        return {"failed": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}", "field": ""}


def earned(folder: Any, config: Mapping[str, Any], count: int) -> float:
    """Return the mean profit of the trained policy on fresh paths, each of which is kept in the folder."""
    from restock.core.writing import write_whole
    from restock.learning.actors import ground_of, regimes_of
    from restock.learning.describe import described
    from restock.learning.family import learning_of
    from restock.learning.held_out import HeldOut
    from restock.learning.trained import policy_at
    from restock.learning.tuning.folder import FRESH

    judged = learning_of(described(config["problem"])).judged(ground_of(config), regimes_of(config))
    paths = HeldOut(judged, count, config["information"], int(config["training"].get("warm_up", 0)), STREAM)
    profits = paths.earned_by(policy_at(str(folder.path)))
    text = json.dumps([round(float(profit), 6) for profit in profits])
    write_whole(folder.path / FRESH, lambda path: path.write_text(text, encoding="utf-8"))
    return float(profits.mean())


def main() -> None:
    """Train what is asked for, until the input ends."""
    line = Line()
    asked = line.read()
    with trusting():  # whoever started it has read the files; a run of another configuration is refused
        while True:
            path = Path(asked["run"])
            found = train(line, path, asked["config"], int(asked["fresh"]))
            if found.get("field") == "checkpoint":  # what an interrupted trial left is damaged
                shutil.rmtree(path, ignore_errors=True)
                found = train(line, path, asked["config"], int(asked["fresh"]))
            asked = line.ask(found)


if __name__ == "__main__":
    main()
