"""Tasks on several processes, or in this one."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Container, Generator, Sequence
from typing import Any

from restock.benchmark.task import Task
from restock.benchmark.worker import attempt

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
COMMAND = (sys.executable, "-m", "restock.benchmark.worker")
LISTEN = 0.2  # seconds between looks at whether somebody pressed Ctrl-C (Windows needs that)


def answers(tasks: Sequence[Task], jobs: int, unwanted: Container[str] = ()) -> Generator[tuple[Task, dict[str, Any]]]:
    """Yield each task with its result (`result`) or the reason of its failure (`failed`), as they finish.

    Closing the iterator ends the workers at once.

    Args:
        tasks: What to do.
        jobs: How many processes; with 1 it is done in this one.
        unwanted: Policies whose tasks are passed over; looked at before each task.
    """
    waiting = (task for task in tasks if task.entry.name not in unwanted)
    if jobs == 1 or len(tasks) <= 1:
        for task in waiting:
            yield task, attempt(task)
        return
    arrived: queue.Queue[tuple[_Worker, str | None]] = queue.Queue()
    workers = [_Worker(arrived) for _ in range(min(jobs, len(tasks)))]
    try:
        for worker in workers:
            worker.give(next(waiting, None))
        while any(worker.task is not None for worker in workers):
            try:
                worker, line = arrived.get(timeout=LISTEN)
            except queue.Empty:
                continue
            at = worker.task
            if at is None:
                continue
            if line is None:  # killed, or out of memory: another takes its place
                reply = {"failed": worker.ending()}
                worker.end()
                workers.remove(worker)
                worker = _Worker(arrived)
                workers.append(worker)
            else:
                reply = json.loads(line)
            worker.task = None
            yield at, reply
            worker.give(next(waiting, None))
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """A process, and its current task.

    Args:
        arrived: Where its answers go, with None when it has died.
    """

    def __init__(self, arrived: queue.Queue[tuple[_Worker, str | None]]) -> None:
        self.task: Task | None = None
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        self._process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, **dict.fromkeys(ONE_THREAD, "1"), "PYTHONPATH": path},
        )
        self._listener = threading.Thread(target=self._listen, args=(arrived,), daemon=True)
        self._listener.start()

    def _listen(self, arrived: queue.Queue[tuple[_Worker, str | None]]) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            arrived.put((self, line))
        arrived.put((self, None))

    def give(self, task: Task | None) -> None:
        """Give the process its next task, if there is one."""
        assert self._process.stdin is not None
        self.task = task
        if task is not None:
            with contextlib.suppress(BrokenPipeError):  # it has died; the listener tells
                self._process.stdin.write(task.as_json() + "\n")
                self._process.stdin.flush()

    def ending(self) -> str:
        """Return how the process died."""
        code = self._process.wait()
        return f"its process was ended by signal {-code}" if code < 0 else f"its process ended with code {code}"

    def end(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
