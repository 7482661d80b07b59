"""A worker process that reads tasks from stdin and writes results to stdout, one per line.

It is started as `python -m restock.benchmark.worker`, so nothing of the process that starts it is
imported again: scripts need no guard, and notebooks work. It ends when its stdin does, even in the
middle of a task: no worker outlives a run that was killed.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import traceback
from typing import Any

from restock.benchmark.task import Task, do
from restock.core.errors import InvalidInput
from restock.core.trust import trusting


def main() -> None:
    """Do tasks until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the runner decides
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a policy prints must not come between the answers
    waiting: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(waiting,), daemon=True).start()
    with trusting():  # whoever started it has read the files, and made each policy once
        while True:
            answers.write(json.dumps(answer(waiting.get())) + "\n")
            answers.flush()


def _read(waiting: queue.Queue[str]) -> None:
    for line in sys.stdin:
        waiting.put(line)
    os._exit(0)


def answer(line: str) -> dict[str, Any]:
    """Return the result of a task, or why it failed."""
    return attempt(Task.from_json(line))


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
