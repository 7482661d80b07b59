"""Tasks on several processes, or in this one."""

from __future__ import annotations

from collections.abc import Container, Generator, Sequence
from typing import Any

from restock.benchmark.task import Task
from restock.benchmark.worker import attempt
from restock.core.workers import Pool, Worker

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
WORKER = "restock.benchmark.worker"


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
    pool = Pool(WORKER, environment=dict.fromkeys(ONE_THREAD, "1"), patience=0.0)
    under_way: dict[Worker, Task] = {}
    try:
        while True:
            while len(under_way) < jobs and (new := next(waiting, None)) is not None:
                under_way[pool.start(new.to_dict())] = new
            if not under_way:
                return
            worker, reply = pool.next()
            at = under_way.pop(worker)
            if reply is None:  # killed, or out of memory: another takes its place
                reply = {"failed": worker.ending()}
            else:
                pool.free(worker)
            yield at, reply
    finally:
        pool.close()
