"""What all routes of a server share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import pydantic

from restock.core.errors import InvalidInput
from restock.core.validation import WHOLE, Spec, validated
from restock.server.catalogue import Catalogue
from restock.server.errors import Refused, refused
from restock.server.judged import Book
from restock.server.meter import Meter
from restock.server.session import LONGEST_ID, MOST_SEED, Session, Sessions
from restock.server.settings import Settings

Natural = Annotated[int, pydantic.Field(ge=0, le=MOST_SEED), WHOLE]


class Reset(Spec):
    """The request of a reset; every field is optional."""

    model_config = pydantic.ConfigDict(json_schema_extra={"examples": [{"task": "medium", "seed": 42}, {}]})

    seed: Natural | None = pydantic.Field(None, description="seed of the episode; default: that of the task, or any")
    episode_id: str | None = pydantic.Field(None, max_length=LONGEST_ID, description="what to call the episode")
    task: str | None = pydantic.Field(None, max_length=LONGEST_ID, description="what is played; see GET /problems")
    task_name: str | None = pydantic.Field(None, max_length=LONGEST_ID, description="the same as task")
    split: str | None = pydantic.Field(None, max_length=LONGEST_ID, description="a split of tasks, with index")
    index: Natural | None = pydantic.Field(None, description="place of the task in its split")
    player: str | None = pydantic.Field(
        None, max_length=LONGEST_ID, description="who plays, for the results of a judged server"
    )


class Hub:
    """The settings, the tasks and the sessions of a server.

    Args:
        settings: See `Settings`.

    Attributes:
        meter: Shares the time of the event loop among clients.

    Raises:
        InvalidInput: The problem is none.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        judged = settings.judged
        self.catalogue = Catalogue(settings.problem, settings.reward, alone=judged is not None)
        task = self.catalogue.default
        self.sessions = Sessions(settings.max_sessions, settings.idle, task, settings.limits.sessions_of_one)
        self.book = None if judged is None else Book(judged, task, self.catalogue.loaded(task))
        self.meter = Meter()
        self._loose = Session(task)

    def loose(self) -> Session:
        """Return a session for one request, which no later request can use.

        It is the same one each time, for making an environment takes longer than a reply. Nothing is waited for between
        its reset and the reply, and the next request resets it.
        """
        self._loose.task = self.catalogue.default
        return self._loose

    async def reset(self, session: Session, asked: Reset | Mapping[str, Any], called: str = "reset") -> dict[str, Any]:
        """Begin an episode; without a task, of the task that the session plays.

        Args:
            session: Whose episode it will be.
            asked: What the reset says.
            called: What errors call it.

        Raises:
            Refused: Something in it cannot be, or there are too many episodes; the running episode goes on.
        """
        name, said = self.meant(session, asked, called)
        problem = await self.catalogue.ready(name)
        if self.book is None:
            return self.sessions.admit(session).reset(name, problem, said.seed, said.episode_id)
        if said.seed is not None or not session.id:
            message = "this server judges: it chooses the seed of every episode, which is played once, to its end"
            raise Refused("JUDGED", message, "seed" if said.seed is not None else None)
        if session.under_way:
            message = "the episode must be played to its end before another begins; who closes the session gives it up"
            raise Refused("EPISODE_UNDER_WAY", message)
        self.book.room()
        self.sessions.admit(session)
        entry = session.entry = self.book.begin(said.player)
        told = session.reset(name, problem, entry.seed, said.episode_id)
        session.seed = None  # which nobody is told
        return told

    def close(self) -> None:
        """Close all sessions and the file of judged results."""
        self.sessions.close_all()
        if self.book is not None:
            self.book.close()

    def meant(self, session: Session, asked: Reset | Mapping[str, Any], called: str = "reset") -> tuple[str, Reset]:
        """Return the task that a reset means, and the reset; errors name the task's field `called`.

        Raises:
            Refused: Something in it cannot be.
        """
        try:
            said = validated(Reset, asked, called)
        except InvalidInput as error:
            raise refused(error) from None
        task = self._task(said)
        return session.task if task is None else self.catalogue.name(task), said

    def _task(self, said: Reset) -> str | None:
        named = {name: value for name in ("task", "task_name") if (value := getattr(said, name)) is not None}
        if said.split is not None or said.index is not None:
            tasks = self.catalogue.splits(said.split or "all")
            index = said.index or 0
            if index >= len(tasks):
                message = f"the split has {len(tasks)} tasks: write 0 to {len(tasks) - 1}"
                raise Refused("UNKNOWN_TASK", message, "index", str(index))
            named["index"] = tasks[index]
        if len(set(named.values())) > 1:
            message = f"this names different tasks: {', '.join(f'{k} {v!r}' for k, v in named.items())}"
            raise Refused("VALIDATION_ERROR", message, "task")
        return next(iter(named.values()), None)
