"""Language models on a benchmark: a file that names them, and the workers that play their tasks.

    models:
      - stand-in:base-stock
      - name: small
        model: some-small-model
        base_url: https://example.org/v1
        api_key_env: EXAMPLE_KEY
        price_in: 0.15
        price_out: 0.6
      - {name: small with tools, model: some-small-model, mode: tool, policies: [base-stock, s-S]}

A key never stands in the file: `api_key_env` names the environment variable that holds it. Without a `base_url` a
model is asked at the address, and with the key, of the environment (`API_BASE_URL`, `API_KEY` ...). A file that is not
trusted reads no other variable, sends no key to an address of its own, and nothing beyond this machine. Every scenario
has a transcript in the run's folder, from which a stopped run is resumed, and whose decisions are played again in the
simulator before they count.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pydantic

from restock.agents.client import KEYS, Endpoint, EndpointError, Model, Request, public, url_of
from restock.agents.counts import Counts, Prices
from restock.agents.judge import Recorded, check_rewards
from restock.agents.modes import KINDS, mode_of
from restock.agents.play import Play, Settings
from restock.agents.run import about, request_of
from restock.agents.side_by_side import settled
from restock.agents.standins import PREFIX
from restock.agents.standins.endpoint import StandIn
from restock.agents.transcript import Transcript
from restock.benchmark.guests import Guest
from restock.benchmark.suite import MARK, Suite
from restock.benchmark.task import Task, outcome, played
from restock.core.errors import InvalidInput, nearest
from restock.core.loopback import LOOPBACK
from restock.core.problem import Problem
from restock.core.reading import read_yaml
from restock.core.trust import trusted
from restock.core.validation import Spec, validated

FOLDER = "agents"  # of transcripts, in that of the run
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
PRICES = ("price_in", "price_out", "price_reasoning", "price_cached")
COUNTED = (
    "replies", "unreadable", "rejected", "retries", "fallbacks", "suggestions",
    "tokens_in", "tokens_out", "tokens_reasoning", "tokens_cached", "uncounted",
)  # fmt: skip


class ModelSpec(Spec):
    """One model of a file, and how it plays; see `Settings`, `Mode` and `Request`."""

    name: str = pydantic.Field("", description="what tables call it")
    model: str = pydantic.Field(min_length=1, description="its name at the endpoint")
    base_url: str | None = pydantic.Field(None, description="address of the endpoint, up to /v1")
    api_key_env: str | None = pydantic.Field(None, description="name of the environment variable with its key")
    mode: str = pydantic.Field("alone", description="alone, parameters or tool")
    policies: list[str] = pydantic.Field([], description="of the modes parameters and tool")
    every: int = pydantic.Field(0, ge=0, description="periods between two choices of parameters")
    calls: int = pydantic.Field(3, ge=1, description="how often it may ask policies in a period")
    information: str = pydantic.Field("blind", description="blind or informed")
    history: int = pydantic.Field(7, ge=0, description="earlier turns that it is sent again")
    retries: int = pydantic.Field(2, ge=0, description="how often it is asked again for a usable answer")
    fallback: str | None = pydantic.Field(None, description="the policy that decides where no answer is usable")
    price_in: float | None = pydantic.Field(None, ge=0, description="money for a million tokens read")
    price_out: float | None = pydantic.Field(None, ge=0, description="money for a million tokens written")
    price_reasoning: float | None = pydantic.Field(None, ge=0, description="of reasoning; default: as written")
    price_cached: float | None = pydantic.Field(None, ge=0, description="of those read from a cache; default: as read")
    request: dict[str, Any] = pydantic.Field({}, description="how it is asked: temperature, max_tokens, timeout ...")

    @pydantic.model_validator(mode="before")
    @classmethod
    def _without_a_key(cls, data: Any) -> Any:
        if isinstance(data, dict) and "api_key" in data:
            mend = "Put it into an environment variable and name that: api_key_env: MY_KEY."
            raise InvalidInput("api_key", "...", "a key must not stand in this file", mend)
        return data

    @pydantic.model_validator(mode="after")
    def _holds(self) -> ModelSpec:
        if self.api_key_env is not None and not VARIABLE.fullmatch(self.api_key_env):
            problem = "must be the name of an environment variable, in capitals"  # whatever it is, it may be a key
            raise InvalidInput("api_key_env", "...", problem, "Write for instance MY_KEY.")
        if self.mode not in KINDS:
            raise InvalidInput("mode", self.mode, "there is no such mode", nearest(self.mode, KINDS))
        known = [field.name for field in dataclasses.fields(Request) if field.name != "model"]
        for name, value in self.request.items():
            if name not in known:
                raise InvalidInput(f"request.{name}", value, "there is no such field", nearest(name, known))
        try:
            request_of(self.model, self.request)
        except InvalidInput as error:
            raise error.within("request") from None
        return self

    @property
    def shown(self) -> str:
        """The name that tables show."""
        return self.name or (self.model if self.mode == "alone" else f"{self.model} ({self.mode})")

    def settings(self, problem: Problem) -> Settings:
        """Return how it plays a problem.

        Raises:
            InvalidInput: It cannot so.
        """
        mode = mode_of(problem, self.mode, tuple(self.policies), self.every, self.calls)
        found = Settings(mode, self.information, self.history, self.retries, self.fallback)
        found.check(problem)
        return found

    @property
    def scripted(self) -> bool:
        """Whether it is a stand-in on this machine."""
        return self.model.startswith(PREFIX)

    def stand_in(self, problem: Problem) -> StandIn:
        """Return the script of that name.

        Raises:
            InvalidInput: There is none, or not for this problem.
        """
        return StandIn(problem, self.information, request_of(self.model, self.request))

    def endpoint(self) -> Endpoint:
        """Return the endpoint of the model.

        Raises:
            InvalidInput: No address is known, the variable with its key is not set, or the file is not trusted.
        """
        if not trusted():
            self._refuse()
        key = None if self.base_url is None else "none"
        if self.api_key_env is not None:
            key = os.environ.get(self.api_key_env)
            if not key:
                mend = f"Set it: export {self.api_key_env}=..."
                problem = "there is no such variable in the environment"
                raise InvalidInput("api_key_env", self.api_key_env, problem, mend)
        return Endpoint(self.base_url, key, request_of(self.model, self.request))

    def _refuse(self) -> None:
        """Reject what a file decides that only the user may: which variable is read, and what leaves this machine.

        Without trust it may name an address on this machine, which gets no key, and the usual variables for the key of
        the address in the environment.
        """
        address = self.base_url and self.base_url.strip()
        to = "the address of the environment" if address is None else public(address)
        if address is not None and url_of(address).host not in LOOPBACK and self.api_key_env is None:
            problem = "a file must not send anything beyond this machine by itself, and this would send prompts to "
            raise InvalidInput("base_url", to, problem + to, "If they belong there, add --trust.")
        if self.api_key_env is not None and (address is not None or self.api_key_env not in KEYS):
            problem = f"a file must not send a key by itself, and this would send {self.api_key_env} to {to}"
            mend = f"If that is where {self.api_key_env} belongs, add --trust."
            raise InvalidInput("api_key_env", self.api_key_env, problem, mend)

    def playing(self) -> dict[str, Any]:
        """Return what determines the model's decisions: not its name, its address or its prices."""
        return self.model_dump(mode="json", exclude={"name", "base_url", "api_key_env", *PRICES})


class ModelList(Spec):
    """The contents of a file of models."""

    models: list[str | ModelSpec] = pydantic.Field(min_length=1, description="names, or mappings")


def load_models(path: str | Path) -> Models:
    """Return the models of a file.

    Raises:
        InvalidInput: It cannot be read, or something in it does not hold.
    """
    path = Path(path)
    listed = validated(ModelList, read_yaml(path, empty="Write in it `models: [...]`."), f"{path.name}:").models
    specs = [validated(ModelSpec, {"model": one}, "model") if isinstance(one, str) else one for one in listed]
    return Models(specs, f"{path.name}: models")


class Models:
    """Models as guests of a benchmark; see `restock.benchmark.guests.Host`.

    Args:
        specs: The models.
        where: How the reader knows them.

    Attributes:
        guests: What the run keeps of each.
    """

    def __init__(self, specs: Sequence[ModelSpec], where: str = "models") -> None:
        self.specs, self._where = specs, where
        self.guests = [
            Guest(name=spec.shown, about={**spec.playing(), **{name: getattr(spec, name) for name in PRICES}})
            for spec in specs
        ]

    def check(self, suite: Suite) -> None:
        """Check, before anything is played, that the models can play the suite.

        Raises:
            InvalidInput: One cannot.
        """
        for k, spec in enumerate(self.specs):
            try:
                for scenario in suite.scenarios:
                    problem = scenario.problem()
                    spec.settings(problem)
                    if spec.scripted:
                        spec.stand_in(problem)
                if not spec.scripted:
                    spec.endpoint().close()
            except InvalidInput as error:
                raise error.within(f"{self._where}[{k}]") from None

    def answers(
        self, tasks: Sequence[Task], folder: Path, jobs: int, tell: Callable[[str], None]
    ) -> Generator[tuple[Task, dict[str, Any]]]:
        """Yield each task with its result (`result`) or the reason of its failure (`failed`), as they finish."""
        by_name = dict(zip((guest.name for guest in self.guests), self.specs, strict=True))
        endpoints: dict[str, Model] = {}
        runs = []
        with ExitStack() as stack:
            for task in tasks:
                name = task.entry.name
                spec = by_name[name]
                if spec.scripted:
                    model: Model = spec.stand_in(task.scenario.problem())
                else:
                    if name not in endpoints:
                        endpoints[name] = stack.enter_context(closing(spec.endpoint()))
                    model = endpoints[name]
                runs.append(stack.enter_context(closing(_Scenario(task, spec, model, folder / FOLDER, tell))))
            with closing(settled(runs, jobs)) as arriving:
                for run, missing in arriving:
                    reasons = [str(error) for error in missing.values() if error is not None]
                    failed = {"failed": reasons[0] if reasons else "its endpoint failed too often"}
                    yield run.task, failed if missing else run.answer()
                    run.close()


class _Scenario:
    """A model in a scenario: a run that begins with its first episode.

    Args:
        task: What is played.
        spec: The model.
        model: The same, to be asked.
        folder: Of transcripts.
        tell: Called with what is played.

    Attributes:
        task: As given.
        model: As given.
        episodes: How many.
    """

    def __init__(self, task: Task, spec: ModelSpec, model: Model, folder: Path, tell: Callable[[str], None]) -> None:
        self.task, self.model, self.episodes = task, model, len(task.seeds)
        self._spec, self._tell, self._opened = spec, tell, ExitStack()
        said = json.dumps([task.scenario.as_json(), task.seeds, spec.playing()], sort_keys=True)
        self._path = folder / f"{task.name}.{hashlib.sha256(said.encode()).hexdigest()[:MARK]}.jsonl"
        self._play: Play | None = None
        self._counts: dict[str, Any] = {}

    def play(self, number: int, model: Model) -> None:
        """Play an episode.

        Raises:
            EndpointError: The model does not answer, or its transcript cannot be resumed.
        """
        try:
            if self._play is None:
                self._play = self._begun()
            self._play.play(number, model)
        except InvalidInput as error:  # one scenario's fault is no reason to stop the others
            raise EndpointError(str(error), error.mend) from None

    def finish(self) -> None:
        """Finish the transcript."""
        assert self._play is not None
        self._play.finish()

    def answer(self) -> dict[str, Any]:
        """Return the result of the task, with its decisions replayed, or why it does not count."""
        assert self._play is not None
        problem, transcript = self._play.problem, self._play.transcript
        try:
            found = played(self.task, problem, Recorded(problem, transcript))
            check_rewards(transcript, found.trajectory.rewards)
        except InvalidInput as error:
            return {"failed": str(error)}
        result = transcript.lines[-1]
        counts, waited = result["counts"], result["seconds"]
        counted = {name: counts[name] for name in COUNTED}
        counted |= {"repaired": sum(counts["repairs"].values()), "faults": sum(counts["faults"].values())}
        counted["cost"] = Prices(*(getattr(self._spec, name) for name in PRICES)).cost(Counts.of(counts))
        about = {"model": self._spec.model, "mode": self._spec.mode}
        seconds = {"making": 0.0, "deciding": waited, "all": waited + found.seconds}
        kept = {"audit": None, "parameters": about, "counted": counted, "seconds": seconds}
        return {"result": {**outcome(self.task, found), **kept}}

    def close(self) -> None:
        """Close the transcript, and a script that belongs to this scenario only."""
        self._opened.close()
        if isinstance(self.model, StandIn):
            self.model.close()

    def _begun(self) -> Play:
        """Return the run in its present state, new or resumed."""
        there = self._path.exists() and "\n" in self._path.read_text(encoding="utf-8")  # else it was stopped at once
        if not there:
            self._path.unlink(missing_ok=True)
        transcript = Transcript.resume(self._path)[0] if there else Transcript.begin(self._path)
        self._opened.enter_context(closing(transcript))
        problem, spec, seeds = self.task.scenario.problem(), self._spec, list(self.task.seeds)
        address = self.model.base_url if isinstance(self.model, Endpoint) else PREFIX
        said = about(problem, spec.model, address, request_of(spec.model, spec.request))
        settings = spec.settings(problem)
        return Play(problem, self.model, settings, transcript, len(seeds), 0, said, self._told, seeds)

    def _told(self, line: dict[str, Any]) -> None:
        if line["event"] == "turn":
            where = f"episode {line['episode'] + 1} of {self.episodes}, period {line['period'] + 1}"
            self._tell(f"{self.task.entry.name}, {self.task.scenario.name}: {where}")
