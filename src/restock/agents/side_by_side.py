"""Episodes side by side in threads: one plays at a time while the others wait for their models.

The simulator, the policies and the transcript are only touched by whoever holds the turn; it is given away for as
long as a model is asked. So nothing but the client has to bear several threads, and as nearly all the time of a run
is spent waiting, nothing is lost by it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Protocol, TypeVar

from restock.agents.client import EndpointError, Model
from restock.agents.completion import Reply

GIVING_UP = 3  # episodes in a row that an endpoint failed: no other one is begun with it
PATIENCE = 1.0  # seconds that replies under way are waited for when everything ends, to let go of their connections
LISTEN = 0.2  # seconds between looks at whether somebody pressed Ctrl-C (Windows needs that)


class Run(Protocol):
    """Episodes of one problem with one model.

    Attributes:
        model: Who is asked.
        episodes: How many.
    """

    model: Model
    episodes: int

    def play(self, number: int, model: Model) -> None:
        """Play an episode, asking this model."""

    def finish(self) -> Any:
        """End the run once all episodes are played."""


Some = TypeVar("Some", bound=Run)
Arrived = tuple[Some, int, BaseException | None]


def settled(runs: Sequence[Some], jobs: int) -> Generator[tuple[Some, Mapping[int, EndpointError | None]]]:
    """Yield each run once nothing more of it will come, with its unfinished episodes.

    The reason is None for an episode that was not begun, after its endpoint had failed too often. While a run is
    looked at, no other episode plays; requests that are under way stay so.

    Args:
        runs: What is played, in this order.
        jobs: How many episodes side by side.

    Raises:
        Exception: What playing raises, other than `EndpointError`.
    """
    left = {id(run): set(range(run.episodes)) for run in runs}
    failed: dict[int, dict[int, EndpointError | None]] = defaultdict(dict)
    in_a_row: Counter[int] = Counter()

    def wanted() -> Iterator[tuple[Some, int]]:
        return ((run, number) for run in runs for number in range(run.episodes))

    def given_up(run: Run) -> bool:
        return in_a_row[id(run.model)] >= GIVING_UP

    turn = _Turn()
    arriving = _one_by_one(wanted(), given_up) if jobs == 1 else _threads(wanted(), given_up, jobs, turn)
    with closing(arriving):
        for run, number, error in arriving:
            if error is not None and not isinstance(error, EndpointError):
                raise error
            if error is None:
                in_a_row[id(run.model)] = 0
            elif not isinstance(error, _NotBegun):
                in_a_row[id(run.model)] += 1
            left[id(run)].remove(number)
            if error is not None:
                failed[id(run)][number] = None if isinstance(error, _NotBegun) else error
            if not left[id(run)]:
                with turn.lock:
                    if not failed[id(run)]:
                        run.finish()
                    yield run, failed[id(run)]


class _NotBegun(EndpointError):
    """Raised when an episode was not begun."""


class _Stopped(Exception):
    """Raised when everything has been stopped."""


class _Turn:
    """Held by the one episode that plays.

    Attributes:
        lock: Its lock.
        over: Whether nobody may play any more.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.over = False


class _Waiting:
    """A model that lets others play while it is asked.

    Args:
        model: The model.
        turn: Given away meanwhile.
    """

    def __init__(self, model: Model, turn: _Turn) -> None:
        self._model, self._turn = model, turn

    def ask(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = (), use: str = "auto"
    ) -> Reply:
        """Return the model's reply.

        Raises:
            EndpointError: As of the model.
        """
        self._turn.lock.release()
        try:
            return self._model.ask(messages, tools, use)
        finally:
            self._turn.lock.acquire()
            if self._turn.over:
                raise _Stopped


def _attempt(run: Run, number: int, model: Model, given_up: bool) -> BaseException | None:
    """Play an episode; return what kept it from finishing."""
    if given_up:
        return _NotBegun("it was not begun", "")
    try:
        run.play(number, model)
    except BaseException as error:
        return error
    return None


def _one_by_one(items: Iterator[tuple[Some, int]], given_up: Callable[[Run], bool]) -> Generator[Arrived[Some]]:
    for run, number in items:
        yield run, number, _attempt(run, number, run.model, given_up(run))


def _threads(
    items: Iterator[tuple[Some, int]], given_up: Callable[[Run], bool], jobs: int, turn: _Turn
) -> Generator[Arrived[Some]]:
    """Yield the episodes as they finish; closing the generator stops all others before they write again."""
    arrived: queue.Queue[Arrived[Some] | None] = queue.Queue()

    def work() -> None:
        with turn.lock:
            while not turn.over and (item := next(items, None)) is not None:
                run, number = item
                error = _attempt(run, number, _Waiting(run.model, turn), given_up(run))
                if not isinstance(error, _Stopped):
                    arrived.put((run, number, error))
        arrived.put(None)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    working = len(threads)
    try:
        while working:
            try:
                one = arrived.get(timeout=LISTEN)
            except queue.Empty:
                continue
            if one is None:
                working -= 1
            else:
                yield one
    finally:
        with turn.lock:
            turn.over = True
        until = time.monotonic() + PATIENCE
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0.0))
