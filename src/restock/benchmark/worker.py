"""A worker process of a benchmark: `python -m restock.benchmark.worker`, see `restock.core.workers`."""

from __future__ import annotations

import os
import traceback
from typing import Any

from restock.benchmark.task import Task, do
from restock.core.errors import InvalidInput
from restock.core.trust import trusting
from restock.core.workers import Line


def main() -> None:
    """Do tasks until there are no more."""
    line = Line()
    asked = line.read()
    with trusting():  # whoever started it has read the files, and made each policy once
        while True:
            asked = line.ask(attempt(Task.from_dict(asked)))


def attempt(task: Task) -> dict[str, Any]:
    """Do a task; return `{"result": ...}`, or `{"failed": why}` whatever the policy does."""
    try:
        return {"result": do(task)}
    except InvalidInput as error:
        return {"failed": str(error)}
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return {
            "failed": f"{type(error).__name__}: {error} (line {where.lineno} of {os.path.basename(where.filename)})"
        }


if __name__ == "__main__":
    main()
