"""Processes that train trials side by side; see `worker` for their messages."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import restock

PATIENCE = 3.0  # seconds a process has to end by itself


class Worker:
    """A process that trains one trial after the other.

    A process of its own, not a fork: compiled code and torch have threads, which a fork does not survive. What is
    started is a module, not the script that runs, so a script needs no guard around its main part.

    Args:
        log: Where its error output goes.
        heard: Where what it says is put, with the worker; None when it has ended.
    """

    def __init__(self, log: IO[bytes], heard: queue.Queue[tuple[Worker, Any]]) -> None:
        home = str(Path(restock.__file__).parents[1])
        path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "restock.learning.tuning.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C in a terminal is for the command, which ends its workers
        )
        self._heard = heard
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                break
            self._heard.put((self, said))
        self._heard.put((self, None))

    def say(self, data: Any) -> None:
        """Send an answer; if the process has gone, its end is reported by the queue."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write((json.dumps(data) + "\n").encode())
            self._process.stdin.flush()

    def close(self) -> None:
        """Let the process end, which it does when its input has ended."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def end(self) -> None:
        """Check that the process has ended, and close everything of it."""
        assert self._process.stdout is not None
        self.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(PATIENCE)  # it hears the end, unless something that the process started holds the pipe
        if not self._listener.is_alive():
            self._process.stdout.close()


class Pool:
    """Workers, started when needed.

    Args:
        log: File that their error output is added to.
    """

    def __init__(self, log: Path) -> None:
        self._log = log.open("ab")
        self._heard: queue.Queue[tuple[Worker, Any]] = queue.Queue()
        self._workers: set[Worker] = set()
        self._free: list[Worker] = []

    def start(self, task: Mapping[str, Any]) -> Worker:
        """Give a task to a worker that is free, or to a new one."""
        if self._free:
            worker = self._free.pop()
        else:
            worker = Worker(self._log, self._heard)
            self._workers.add(worker)
        worker.say(task)
        return worker

    def next(self) -> tuple[Worker, Any]:
        """Return the next message of a worker; None if it has ended, and then forget it."""
        while True:
            with contextlib.suppress(queue.Empty):
                worker, said = self._heard.get(timeout=0.5)  # Ctrl-C is heard in between, everywhere
                if worker not in self._workers:
                    continue
                if said is None:
                    self._workers.discard(worker)
                    if worker in self._free:
                        self._free.remove(worker)
                        continue
                    worker.end()
                return worker, said

    def free(self, worker: Worker) -> None:
        """Mark a worker as free."""
        self._free.append(worker)

    def close(self) -> None:
        """Stop all workers."""
        for worker in self._workers:
            worker.close()
        for worker in self._workers:
            worker.end()
        self._workers.clear()
        self._log.close()
