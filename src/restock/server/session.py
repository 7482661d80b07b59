"""One client's episode, and all of them."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import pydantic

from restock.core.errors import InvalidInput
from restock.core.problem import Problem
from restock.envs.structured import StructuredEnvironment
from restock.server import wire
from restock.server.errors import Refused, refused

LONGEST_ID = 255  # characters of an episode id
MOST_SEED = 2**63 - 1


class Session:
    """An episode and who plays it.

    Args:
        task: The task it begins with.

    Attributes:
        id: What nobody can guess.
        episode_id: Of the running episode.
        steps: Periods that it has been played.
        touched: When it was used last (seconds of the monotonic clock).
        expire: Set by a socket: tells its client that it was idle too long, and closes it.
    """

    def __init__(self, task: str) -> None:
        self.id = secrets.token_hex(16)
        self.task = task
        self.episode_id: str | None = None
        self.seed: int | None = None
        self.steps = 0
        self.total_reward = 0.0
        self.touched = time.monotonic()
        self.expire: Callable[[], Awaitable[None]] | None = None
        self._env: StructuredEnvironment | None = None

    @property
    def env(self) -> StructuredEnvironment:
        """What is played.

        Raises:
            Refused: No episode has begun.
        """
        if self._env is None or self.episode_id is None:
            raise Refused("NO_EPISODE", "no episode has begun: reset first")
        return self._env

    def reset(
        self, task: str, problem: Problem, seed: int | None = None, episode_id: str | None = None
    ) -> dict[str, Any]:
        """Begin an episode; the reply as `wire.reply` gives it.

        Args:
            task: Its name.
            problem: What is played.
            seed: Of the episode; None: the one of the description where it has one, else any.
            episode_id: What to call it; None: anything.

        Raises:
            Refused: A bad seed or id; the running episode goes on.
        """
        own = getattr(getattr(problem, "spec", None), "seed", None)
        if seed is None:
            seed = own if isinstance(own, int) else secrets.randbelow(2**32)
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MOST_SEED:
            message = f"seed: this should be a whole number, 0 to {MOST_SEED}"
            raise Refused("VALIDATION_ERROR", message, "seed", str(seed)[:80])
        if episode_id is not None and not (isinstance(episode_id, str) and len(episode_id) <= LONGEST_ID):
            message = f"episode_id: this should be text of at most {LONGEST_ID} characters"
            raise Refused("VALIDATION_ERROR", message, "episode_id")
        env = self._env if self._env is not None and self._env.problem is problem else StructuredEnvironment(problem)
        env.reset(seed=seed)
        self._env, self.task, self.seed = env, task, seed
        self.episode_id = episode_id if episode_id is not None else str(uuid.uuid4())
        self.steps, self.total_reward = 0, 0.0
        return wire.reply(env)

    def step(self, action: Any) -> dict[str, Any]:
        """Play a period; the reply as `wire.reply` gives it.

        Args:
            action: The fields of an action; `metadata`, which every client of OpenEnv may send, is left aside.

        Raises:
            Refused: The action cannot be, no episode has begun, or it is over; nothing is changed then.
        """
        env = self.env
        if env.done:
            raise Refused("EPISODE_OVER", f"the episode is over after {self.steps} periods: reset to begin another")
        action = _fields(action)
        with contextlib.suppress(pydantic.ValidationError):  # the step tells what is wrong, and the mend
            action = env.action_type.model_validate(action)
        try:
            env.advance(action)
        except InvalidInput as error:
            raise refused(error) from None
        self.steps += 1
        told = wire.reply(env)
        self.total_reward += told["reward"]
        return told

    def state(self) -> dict[str, Any]:
        """What there is to know about the episode besides the observation."""
        told: dict[str, Any] = {"episode_id": self.episode_id, "step_count": self.steps, "task": self.task}
        if self._env is None or self.episode_id is None:
            return told
        env = self._env
        told |= {"seed": self.seed, "done": env.done, "total_reward": self.total_reward}
        return told | env.records.summary(env.played)


def _fields(action: Any) -> Any:
    """The fields of an action; forms on web pages send a mapping as the text of one."""
    if not isinstance(action, Mapping):
        return action
    found = {name: value for name, value in action.items() if name != "metadata"}
    for name, value in found.items():
        if isinstance(value, str) and value.lstrip().startswith("{"):
            with contextlib.suppress(Refused):
                found[name] = wire.loads(value)
    return found


class Sessions:
    """All sessions of a server.

    Args:
        most: How many there may be.
        idle: How long one may be left alone (seconds).
    """

    def __init__(self, most: int, idle: float) -> None:
        self.most, self.idle = most, idle
        self._open: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, id: object) -> bool:
        return id in self._open

    def open(self, task: str) -> Session:
        """A new session.

        Raises:
            Refused: There are too many.
        """
        if len(self._open) >= self.most:
            message = f"Server at capacity: {self.most}/{self.most} sessions active. Cannot accept new connections."
            raise Refused("CAPACITY_REACHED", message, active_sessions=len(self._open), max_sessions=self.most)
        session = Session(task)
        self._open[session.id] = session
        return session

    def get(self, id: str) -> Session:
        """A session that is open.

        Raises:
            Refused: There is none of that id: it was closed, was idle too long, or never was.
        """
        session = self._open.get(id)
        if session is None:
            message = f"there is no session {id[:80]!r}: it was closed, was idle for {self.idle:g} s, or never was"
            raise Refused("UNKNOWN_SESSION", message, "session_id", id[:80])
        session.touched = time.monotonic()
        return session

    def close(self, id: str) -> None:
        """Close a session, whether or not it is there."""
        self._open.pop(id, None)

    @contextlib.contextmanager
    def attached(self, session: Session, expire: Callable[[], Awaitable[None]]) -> Iterator[None]:
        """A socket that plays a session, alone.

        Raises:
            Refused: Another socket does.
        """
        if session.expire is not None:
            raise Refused("SESSION_IN_USE", "another socket plays this session", "session_id")
        session.expire = expire
        try:
            yield
        finally:
            session.expire = None

    async def watch(self) -> None:
        """Close what nobody uses, for ever."""
        while True:
            await asyncio.sleep(min(self.idle / 4.0, 30.0))
            now = time.monotonic()
            for session in [one for one in self._open.values() if now - one.touched > self.idle]:
                self.close(session.id)
                if session.expire is not None:
                    with contextlib.suppress(Exception):  # it is gone already
                        await session.expire()

    def every(self) -> list[Session]:
        """Return all that are open."""
        return list(self._open.values())
