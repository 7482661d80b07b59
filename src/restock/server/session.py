"""The episode of a client, and all sessions."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from restock.core.errors import InvalidInput
from restock.core.problem import Problem
from restock.envs.structured import StructuredEnvironment
from restock.server import wire
from restock.server.errors import Refused, refused
from restock.server.judged import Entry
from restock.server.limits import CLIENT, Share
from restock.server.tickets import Tickets

LONGEST_ID = 255  # characters of an episode id
MOST_SEED = 2**63 - 1


class Session:
    """An episode and its player.

    Args:
        task: The task it begins with.
        id: What nobody can guess; empty for one that lasts for a single request.

    Attributes:
        episode_id: Of the running episode.
        seed: Of the running episode; None in a judged one.
        steps: Periods that it has been played.
        touched: When it was used last (seconds of the monotonic clock).
        client: Whose it is.
        harness: Whether a program resets it and a model only plays: no tool then resets it or tells its seed.
        entry: Of the running episode in the results of a judged server.
        expire: Set by a socket: tells its client that it was idle too long, and closes it.
    """

    def __init__(self, task: str, id: str = "") -> None:
        self.id = id
        self.task = task
        self.episode_id: str | None = None
        self.seed: int | None = None
        self.steps = 0
        self.total_reward = 0.0
        self.touched = time.monotonic()
        self.client = CLIENT.get()
        self.harness = False
        self.entry: Entry | None = None
        self.expire: Callable[[], Awaitable[None]] | None = None
        self._env: StructuredEnvironment | None = None

    @property
    def env(self) -> StructuredEnvironment:
        """The player of the episode.

        Raises:
            Refused: No episode has begun.
        """
        if self._env is None or self.episode_id is None:
            raise Refused("NO_EPISODE", "no episode has begun: begin one first")
        return self._env

    @property
    def under_way(self) -> bool:
        """Whether an episode has begun and is not over."""
        return self._env is not None and self.episode_id is not None and not self._env.done

    def reset(
        self, task: str, problem: Problem, seed: int | None = None, episode_id: str | None = None
    ) -> dict[str, Any]:
        """Begin an episode and return the reply of `wire.reply`.

        Args:
            task: Its name.
            problem: What is played.
            seed: Of the episode; None: the one of the description where it has one, else any.
            episode_id: What to call it; None: anything.
        """
        if seed is None:
            own = getattr(getattr(problem, "spec", None), "seed", None)
            seed = own if isinstance(own, int) else secrets.randbelow(2**32)
        env = self._env if self._env is not None and self._env.problem is problem else StructuredEnvironment(problem)
        env.reset(seed=seed)
        self._env, self.task, self.seed = env, task, seed
        self.episode_id = episode_id if episode_id is not None else str(uuid.uuid4())
        self.steps, self.total_reward = 0, 0.0
        return wire.reply(env)

    def step(self, action: Any) -> dict[str, Any]:
        """Play a period and return the reply of `wire.reply`.

        Args:
            action: The fields of an action; `metadata`, which every client of OpenEnv may send, is left aside.

        Raises:
            Refused: The action cannot be, no episode has begun, or it is over; nothing is changed then.
        """
        env = self.env
        if env.done:
            raise Refused("EPISODE_OVER", f"the episode is over after {self.steps} periods: begin another")
        try:
            env.advance(_fields(action))
        except InvalidInput as error:
            raise refused(error) from None
        self.steps += 1
        told = wire.reply(env)
        self.total_reward += told["reward"]
        if env.done:
            self.settle()
        return told

    def settle(self) -> None:
        """Record the result of a judged episode, whether it was finished or is given up here."""
        if self.entry is not None and self._env is not None:
            entry, self.entry = self.entry, None
            entry.end(self._env, self.steps, self.total_reward)

    def state(self, seed: bool = True) -> dict[str, Any]:
        """Return the state of the episode, besides the observation.

        Args:
            seed: Whether to tell the seed.
        """
        told: dict[str, Any] = {"episode_id": self.episode_id, "step_count": self.steps, "task": self.task}
        if self._env is None or self.episode_id is None:
            return told
        env = self._env
        told |= {"seed": self.seed} if seed and self.seed is not None else {}
        told |= {"done": env.done, "total_reward": self.total_reward}
        return {**told, **env.records.summary(env.played).__dict__}


def _fields(action: Any) -> Any:
    """Return the fields of an action; forms of web pages send a mapping as its text."""
    if not isinstance(action, Mapping):
        return action
    found = {name: value for name, value in action.items() if name != "metadata"}
    for name, value in found.items():
        if isinstance(value, str) and value.lstrip().startswith("{"):
            try:
                found[name] = wire.loads(value)
            except Refused as error:
                raise Refused(error.code, f"action.{name}: {error.message}", f"action.{name}") from None
    return found


class Sessions:
    """All sessions of a server.

    Args:
        most: How many episodes there may be.
        idle: How long one may be left alone (seconds).
        task: What a session plays whose client names no task.
        of_one: How many of them one client may have; None: all.
    """

    def __init__(self, most: int, idle: float, task: str, of_one: int | None = None) -> None:
        self.most, self.idle, self._task = most, idle, task
        self._share = Share("sessions", most, of_one)
        self._tickets = Tickets()
        self._open: dict[str, Session] = {}  # those whose episode has begun
        self._waiting: dict[str, Session] = {}  # of sockets, whose episode has not

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, id: object) -> bool:
        return id in self._open

    def new(self) -> Session:
        """Return a new session. Until its episode begins it takes no place and exists only in its id."""
        return Session(self._task, self._tickets.issue())

    def get(self, id: str) -> Session:
        """Return the session of an id.

        Raises:
            Refused: There is none: it was closed, was idle too long, or never was.
        """
        session = self._open.get(id) or self._waiting.get(id)
        if session is None and self._tickets.holds(id):
            session = Session(self._task, id)
        if session is None:
            message = f"there is no session {id[:80]!r}: it was closed, was idle for {self.idle:g} s, or never was"
            raise Refused("UNKNOWN_SESSION", message, "session_id", id[:80])
        session.touched = time.monotonic()
        return session

    def room(self) -> None:
        """Check that another episode may begin.

        Raises:
            Refused: There are too many.
        """
        if len(self._open) >= self.most:
            message = f"Server at capacity: {self.most}/{self.most} sessions active. Cannot accept new connections."
            raise Refused("CAPACITY_REACHED", message, active_sessions=len(self._open), max_sessions=self.most)
        self._share.check((one.client for one in self._open.values()), CLIENT.get())

    def admit(self, session: Session) -> Session:
        """Give a session a place, unless it has one or lasts for a single request.

        Raises:
            Refused: There are too many, it was closed, or another request has begun it.
        """
        holder = self._open.get(session.id)
        if holder is None and session.id:
            self.get(session.id)
            self.room()
            self._open[session.id] = session
            self._waiting.pop(session.id, None)
        elif holder not in (None, session):
            raise Refused("SESSION_IN_USE", "another request has begun an episode in this session", "session_id")
        return session

    def every(self) -> list[Session]:
        """Return the sessions whose episode has begun, and those of sockets whose episode has not."""
        return [*self._open.values(), *self._waiting.values()]

    def close(self, id: str) -> None:
        """Close a session if it exists; an episode that has begun is given up."""
        self._tickets.end(id)
        session = self._open.pop(id, None) or self._waiting.pop(id, None)
        if session is not None:
            session.settle()

    def close_all(self) -> None:
        """Close all sessions."""
        for id in list(self._open):
            self.close(id)

    @contextlib.contextmanager
    def attached(self, session: Session, expire: Callable[[], Awaitable[None]]) -> Iterator[None]:
        """Attach a socket to a session, which it alone plays.

        Raises:
            Refused: Another socket does.
        """
        if session.expire is not None:
            raise Refused("SESSION_IN_USE", "another socket plays this session", "session_id")
        session.expire = expire
        if session.id not in self._open:
            self._waiting[session.id] = session
        try:
            yield
        finally:
            session.expire = None
            self._waiting.pop(session.id, None)

    async def watch(self) -> None:
        """Close idle sessions, for ever."""
        while True:
            await asyncio.sleep(min(self.idle / 4.0, 30.0))
            now = time.monotonic()
            for session in [one for one in self.every() if now - one.touched > self.idle]:
                self.close(session.id)
                if session.expire is not None:
                    with contextlib.suppress(Exception):  # it is gone already
                        await session.expire()
