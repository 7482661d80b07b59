"""Processes that work for this one: both ends of the line between them, and a pool of them.

Each side writes one JSON document a line. A worker is a process of its own, not a fork: compiled code and torch have
threads, which a fork does not survive. What is started is a module, not the script that runs, so a script needs no
guard around its main part, and notebooks work. A worker ends when its input does, even in the middle of a task: none
outlives a run that was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

PATIENCE = 3.0  # seconds a process has to end by itself
LISTEN = 0.2  # seconds between looks at whether somebody pressed Ctrl-C (Windows needs that)


class Line:
    """The connection of a worker to the process that started it; made once, when it begins."""

    def __init__(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it hears that too, and ends it
        self._said = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # what libraries and policies print must not come between the answers
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, args=(sys.stdin,), daemon=True).start()

    def _listen(self, heard: TextIO) -> None:
        for text in heard:
            self._lines.put(text)
        os._exit(0)

    def read(self) -> Any:
        """Return the next document."""
        return json.loads(self._lines.get())

    def ask(self, data: Mapping[str, Any]) -> Any:
        """Send a message and return the answer."""
        self._said.write(json.dumps(data) + "\n")
        self._said.flush()
        return self.read()


class Worker:
    """A process that does one task after the other.

    Args:
        pool: Whose worker it is.
    """

    def __init__(self, pool: Pool) -> None:
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", pool.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=pool.log,
            env={**os.environ, **pool.environment, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C in a terminal is for the command, which ends its workers
        )
        self._listener = threading.Thread(target=self._listen, args=(pool.heard,), daemon=True)
        self._listener.start()

    def _listen(self, heard: queue.Queue[tuple[Worker, Any]]) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                break
            heard.put((self, said))
        heard.put((self, None))

    def say(self, data: Any) -> None:
        """Send a message; if the process has gone, its end is reported by the queue."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write((json.dumps(data) + "\n").encode())
            self._process.stdin.flush()

    def close(self) -> None:
        """Let the process end, which it does when its input has ended."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def end(self, patience: float = PATIENCE) -> None:
        """Check that the process has ended, and close everything of it.

        Args:
            patience: Seconds it has to end by itself.
        """
        assert self._process.stdout is not None
        self.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(PATIENCE)  # it hears the end, unless something that the process started holds the pipe
        if not self._listener.is_alive():
            self._process.stdout.close()

    def ending(self) -> str:
        """Return how the process ended."""
        code = self._process.wait()
        return f"its process was ended by signal {-code}" if code < 0 else f"its process ended with code {code}"


class Pool:
    """Workers, started when needed.

    Args:
        module: What they run, which makes a `Line` first.
        log: File that their error output is added to; None: it is that of this process.
        environment: Variables that they have besides those of this process.
        patience: Seconds they have to end by themselves when the pool is closed.
    """

    def __init__(
        self,
        module: str,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.module, self.environment, self.patience = module, environment or {}, patience
        self.log = None if log is None else log.open("ab")
        self.heard: queue.Queue[tuple[Worker, Any]] = queue.Queue()
        self._workers: set[Worker] = set()
        self._free: list[Worker] = []

    def start(self, task: Any) -> Worker:
        """Give a task to a free worker, or to a new one."""
        worker = self._free.pop() if self._free else self.add()
        worker.say(task)
        return worker

    def add(self) -> Worker:
        """Start one more worker."""
        worker = Worker(self)
        self._workers.add(worker)
        return worker

    def next(self) -> tuple[Worker, Any]:
        """Return the next message of a worker; None if it has ended, and then forget it."""
        while True:
            with contextlib.suppress(queue.Empty):
                worker, said = self.heard.get(timeout=LISTEN)
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
            worker.end(self.patience)
        self._workers.clear()
        if self.log is not None:
            self.log.close()
