"""The play of a model: its episodes, period by period, whatever it answers."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from restock.agents import prompt
from restock.agents.client import Model
from restock.agents.conversation import Answer, Conversation
from restock.agents.counts import Counts, Prices
from restock.agents.modes import Mode, make
from restock.agents.seat import Advised, Seat
from restock.agents.transcript import FORMAT, Tape, Transcript
from restock.core.checks import whole_number
from restock.core.errors import InvalidInput, nearest
from restock.core.problem import Problem
from restock.core.streams import episode_seeds
from restock.evaluation.grading import graded
from restock.policies._base import Policy

LEVELS = ("blind", "informed")


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a model plays.

    Attributes:
        mode: What it is asked for.
        information: What it is told of the demand to come: `blind`, as it is known beforehand; `informed`, the mean
            of every period.
        history: Turns before the present one that it is sent again.
        retries: How often it is asked again for an answer that can be used.
        fallback: The policy that decides where it gives none; None to do nothing.
        price_in: Of a million tokens read (money); None where it is not known.
        price_out: Of a million tokens written.
        price_reasoning: Of a million tokens of reasoning; None for that of tokens written.
        price_cached: Of a million tokens read that the endpoint had kept; None for that of tokens read.
    """

    mode: Mode = dataclasses.field(default_factory=Mode)
    information: str = "blind"
    history: int = 7
    retries: int = 2
    fallback: str | None = None
    price_in: float | None = None
    price_out: float | None = None
    price_reasoning: float | None = None
    price_cached: float | None = None

    def check(self, problem: Problem) -> None:
        """Check the settings before anything is played.

        Raises:
            InvalidInput: One of them does not.
        """
        if self.information not in LEVELS:
            mend = nearest(self.information, LEVELS)
            raise InvalidInput("information", self.information, "there is no such level", mend)
        whole_number("history", self.history, 0, example=7)
        whole_number("retries", self.retries, 0, example=2)
        for name in (*self.mode.policies, *((self.fallback,) if self.fallback is not None else ())):
            make(problem, name, {}, self.information)
        for name in ("price_in", "price_out", "price_reasoning", "price_cached"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value < float("inf"):
                raise InvalidInput(
                    name, value, "must be a finite number >= 0", "Write for instance 0.15: money for a million tokens."
                )

    @property
    def prices(self) -> Prices:
        """All prices."""
        return Prices(self.price_in, self.price_out, self.price_reasoning, self.price_cached)

    def to_dict(self) -> dict[str, Any]:
        """Return all settings by name, for a transcript."""
        return dataclasses.asdict(self) | {"mode": dataclasses.asdict(self.mode)}

    @classmethod
    def of(cls, data: dict[str, Any]) -> Settings:
        """Return the settings that `to_dict` wrote."""
        mode = data["mode"] | {"policies": tuple(data["mode"]["policies"])}
        return cls(**data | {"mode": Mode(**mode)})


class Play:
    """A run of one problem: its episodes, in whatever order they are played, and its transcript.

    Args:
        problem: What is played.
        model: Who decides.
        settings: How.
        transcript: A fresh one, or one to resume; what is in it is done again without asking.
        episodes: How many.
        seed: Of the episodes: the same as those of `simulate` and `compare`, each begun by a seed of its own.
        about: More for the first line: names of the model and the problem.
        tell: Called with every line.
        seeds: The episodes that these very seeds begin, instead; as many as `episodes`.

    Raises:
        InvalidInput: A setting does not hold, or the transcript is of another run.
    """

    def __init__(
        self,
        problem: Problem,
        model: Model,
        settings: Settings,
        transcript: Transcript,
        episodes: int,
        seed: int,
        about: dict[str, Any],
        tell: Callable[[dict[str, Any]], None] = lambda line: None,
        seeds: Sequence[int] | None = None,
    ) -> None:
        settings.check(problem)
        self.problem, self.model, self.settings, self.episodes = problem, model, settings, episodes
        self.transcript, self._tell = transcript, tell
        self._seeds = episode_seeds(seed, episodes) if seeds is None else seeds
        self._known = problem.prior() if settings.information == "blind" else problem
        self._system = prompt.system_prompt(self._known, settings.mode)
        self._ended: dict[int, tuple[Counts, float]] = {}
        chosen = {} if seeds is None else {"seeds": list(seeds)}
        self._write(
            transcript, "run", format=FORMAT, **about, horizon=problem.horizon, settings=settings.to_dict(),
            episodes=episodes, seed=seed, **chosen, system_sha256=hashlib.sha256(self._system.encode()).hexdigest(),
            system=self._system,
        )  # fmt: skip

    def play(self, number: int, model: Model) -> None:
        """Play an episode.

        Raises:
            InvalidInput: The transcript is of another run.
            EndpointError: The model does not answer; the transcript can be resumed.
        """
        tape = self.transcript.tape(number)
        tools = prompt.tools(self._known, self.settings.mode)
        table = _Episode(
            Seat(self.problem), model, self.settings, tape, self._system, tools,
            lambda event, **fields: self._write(tape, event, **fields),
        )  # fmt: skip
        self._ended[number] = table.play(self._seeds[number])

    def finish(self) -> dict[str, Any]:
        """Write the last line once all episodes are played, and return it."""
        total, returns = Counts(), []
        for number in range(self.episodes):
            counts, earned = self._ended[number]
            total.add(counts)
            returns.append(earned)
        return self._write(
            self.transcript, "result", returns=returns, mean=sum(returns) / len(returns), counts=total.to_dict(),
            cost=self.settings.prices.cost(total), seconds=total.seconds,
        )  # fmt: skip

    def _write(self, place: Transcript | Tape, event: str, **fields: Any) -> dict[str, Any]:
        line = place.tell(event, **fields)
        self._tell(line)
        return line


class _Episode:
    """One episode being played."""

    def __init__(
        self,
        seat: Seat,
        model: Model,
        settings: Settings,
        tape: Tape,
        system: str,
        tools: list[dict[str, Any]],
        write: Callable[..., dict[str, Any]],
    ) -> None:
        self.seat, self.settings, self.write = seat, settings, write
        self.talk = Conversation(
            model, tape, system, settings.history, settings.retries, tools, settings.mode, self._suggest
        )
        self.fallback: Advised | None = None
        self.chosen: Advised | None = None  # the policy whose parameters the model chose
        self.parameters: dict[str, Any] = {}

    def play(self, seed: int) -> tuple[Counts, float]:
        """Play all periods; return the counts and the return."""
        seen, total, t, note = self.seat.reset(seed), Counts(), 0, None
        self.write("episode", seed=seed, seen=seen)
        while not self.seat.done:
            counts = Counts()
            before = seen
            deciding = self._by_parameters if self.settings.mode.kind == "parameters" else self._alone
            seen, action, by, answer = deciding(t, seen, note, counts)
            faults = self.seat.faults()
            counts.faults.update(faults)
            played = self.seat.table.played
            self.write(
                "turn", period=t, seen=before, note=note, reply=answer and answer.reply,
                error=answer and answer.error, repairs=list(answer.repairs) if answer else [], by=by, action=action,
                parameters=self.parameters or None, faults=faults, parts=dict(played.parts),
                reward=played.reward, done=self.seat.done, counts=counts.to_dict(), seconds=counts.seconds,
            )  # fmt: skip
            total.add(counts)
            note = _note(answer, by, faults)
            t += 1
        earned = self.seat.earned
        figures = self.seat.table.environment.kpis()
        self.write(
            "end", seed=seed, periods=t, seen=seen, total=earned, figures=figures,
            grade=self._grade(figures), counts=total.to_dict(), cost=self.settings.prices.cost(total),
            seconds=total.seconds,
        )  # fmt: skip
        return total, earned

    def _grade(self, figures: dict[str, float]) -> dict[str, float] | None:
        """Return the score of the profit if there is a published one."""
        found = graded(self.seat.problem, figures, self.seat.trajectory.exogenous)
        return None if found is None else found.to_dict()

    def _alone(
        self, t: int, seen: dict[str, Any], note: str | None, counts: Counts
    ) -> tuple[dict[str, Any], dict[str, Any], str, Answer | None]:
        """Play a period as the model decides; return the observation, the action, who decided, and the answer."""
        text = prompt.turn(seen, note)
        answer, after = self.talk.answer(text, self.seat.step, counts)
        if after is not None and answer.data is not None:
            self.talk.remember(text, answer.reply)
            return after, answer.data, "model", answer
        after, action, by = self._instead(counts)
        self.talk.remember(text, json.dumps(action))
        return after, action, by, answer

    def _by_parameters(
        self, t: int, seen: dict[str, Any], note: str | None, counts: Counts
    ) -> tuple[dict[str, Any], dict[str, Any], str, Answer | None]:
        """Play a period with the policy whose parameters the model chooses."""
        every, (name,) = self.settings.mode.every, self.settings.mode.policies
        answer = None
        if t == 0 or (every and t % every == 0):
            answer = self._choose(name, prompt.turn(seen, note), counts)
        assert self.chosen is not None
        try:
            action = self.chosen.action()
            return self.seat.step(action), action, "policy", answer
        except InvalidInput as error:  # the parameters hold, but lead to a decision that cannot be
            counts.rejected += 1
            counts.fallbacks += 1
            after, action, by = self._instead(counts)
            return after, action, by, dataclasses.replace(answer or Answer(None, "", None, ()), error=str(error))

    def _choose(self, name: str, text: str, counts: Counts) -> Answer:
        """Ask for parameters; without usable ones, keep those in force, which are the defaults at first."""

        def use(data: dict[str, Any]) -> Advised:
            for field, value in data.items():
                if field != "parameters":
                    raise InvalidInput(field, value, "there is no such field", nearest(field, ["parameters"]))
            given = data.get("parameters")
            if not isinstance(given, dict):
                mend = "Write {} for the defaults."
                raise InvalidInput("parameters", given, "must be a mapping of names to values", mend)
            return Advised(self._policy(name, given), self.seat)

        answer, found = self.talk.answer(text, use, counts)
        if found is not None and answer.data is not None:
            self.chosen, self.parameters = found, answer.data["parameters"]
            self.talk.remember(text, answer.reply)
            return answer
        counts.fallbacks += 1
        if self.chosen is None:
            self.chosen = Advised(self._policy(name, {}), self.seat)
        self.talk.remember(text, json.dumps({"parameters": self.parameters}))
        return answer

    def _instead(self, counts: Counts) -> tuple[dict[str, Any], dict[str, Any], str]:
        """Play a period without the model."""
        counts.fallbacks += 1
        name = self.settings.fallback
        if name is not None:
            self.fallback = self.fallback or Advised(self._policy(name, {}), self.seat)
            try:
                action = self.fallback.action()
                return self.seat.step(action), action, "fallback"
            except InvalidInput:  # a policy from outside may decide anything
                counts.rejected += 1
        action = self.seat.nothing()
        return self.seat.step(action), action, "nothing"

    def _policy(self, name: str, parameters: dict[str, Any]) -> Policy:
        """Return a policy that knows no more than the model."""
        return make(self.seat.problem, name, parameters, self.settings.information)

    def _suggest(self, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return what a policy would decide now."""
        return Advised(self._policy(name, parameters), self.seat).action()


def _note(answer: Answer | None, by: str, faults: list[str]) -> str | None:
    """Return the note about the last period for the model, if something went wrong."""
    words = []
    if answer is not None and answer.error is not None:
        words.append(f"No answer of yours could be used last time; it was decided without you ({by}).")
        words.append(prompt.reason(answer.error))
    wrong = prompt.went_wrong(faults)
    if wrong is not None:
        words.append(wrong)
    return " ".join(words) or None
