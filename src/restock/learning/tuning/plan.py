"""The plan of a hyper-parameter search: base run, space, and how trials are compared."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from restock.core.checks import whole_number, yes_or_no
from restock.core.errors import InvalidInput, shown
from restock.learning import presets
from restock.learning.train import configuration
from restock.learning.tuning.spaces import Choices, Range, Space, dimension, falling, present, space_of, split

FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Plan:
    """A search for the hyper-parameters of an algorithm.

    Attributes:
        base: Configuration of a run with the preset, and with what was settled.
        space: What each trial changes in it.
        startup: Trials that are drawn at random, the preset before them.
        pruning: Whether trials that lag behind are ended.
    """

    base: Mapping[str, Any]
    space: Space
    startup: int
    pruning: bool

    @property
    def algo(self) -> str:
        """The algorithm."""
        return str(self.base["algo"])

    @property
    def seed(self) -> int:
        """Of the search, and of the training of every trial."""
        return int(self.base["seed"])

    @property
    def problem(self) -> str:
        """Name of the problem that is trained for."""
        return str(self.base["problem"]["name"])

    def described(self) -> dict[str, Any]:
        """Return the plan as a file keeps it."""
        space = {name: str(one) if isinstance(one, Range) else list(one.values) for name, one in self.space.items()}
        return {
            "format": FORMAT,
            "startup": self.startup,
            "pruning": self.pruning,
            "space": space,
            "base": dict(self.base),
        }

    def first(self) -> dict[str, Any]:
        """Return the values of the preset, each moved into its range; the first trial's."""
        found = {}
        for name, one in self.space.items():
            value = present(self.base, name)
            begins = falling(value)
            if begins is not None and isinstance(one, Range):
                value = begins
            inward = one.inward(_usual(self.algo, name) if value is None else value)
            found[name] = inward if inward is not None else one.ends[0]
        return found

    def config(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the configuration of a trial's run.

        Raises:
            InvalidInput: The values do not hold, or not together.
        """
        given = {}
        for name, value in values.items():
            falls = isinstance(self.space[name], Range) and falling(present(self.base, name)) is not None
            given[name] = f"lin_{value!r}" if falls else value
        return _with(self.base, given)

    def place(self, restart: int, step: int) -> int:
        """Return the number of an evaluation, from 1, the same for the same share of the training in every trial."""
        every = self._every()
        if self.algo in presets.ALGORITHMS:
            return step // every
        return restart * self._rounds() + -(-step // every)

    @property
    def evaluations(self) -> int:
        """The number of evaluations of a complete trial."""
        if self.algo in presets.ALGORITHMS:
            return max(1, int(self.base["training"]["steps"]) // self._every())
        return int(self.base["training"]["restarts"]) * self._rounds()

    def _every(self) -> int:
        training = self.base["training"]
        return int(training["evaluate_every"] or max(1, training["steps"] // 20))

    def _rounds(self) -> int:
        """Return the number of evaluations of a restart of pathwise training."""
        return -(-int(self.base["training"]["steps"]) // self._every())


def make_plan(
    problem: Any,
    algo: str,
    seed: int,
    search: Sequence[str] | Mapping[str, Any],
    architecture: Mapping[str, Any],
    regimes: Mapping[str, Any] | None,
    preset: presets.Given | None,
    startup: int,
    pruning: bool,
    numbers: Mapping[str, Any],
) -> Plan:
    """Return a plan all of whose values can be trained with; arguments as those of `tune`.

    Raises:
        InvalidInput: An argument does not hold.
    """
    whole_number("startup", startup, 1, 10)
    yes_or_no("pruning", pruning)
    fixed = [*numbers, *(f"network.{name}" for name in architecture)]
    space = space_of(algo, search, fixed)
    base = configuration(problem, algo, seed, architecture, regimes, numbers, preset)
    if base.get("preparation", {}).get("residual", "") is None:
        space.pop("span", None)  # nothing is corrected
    plan = Plan(base, space, startup, pruning)
    for name, one in space.items():
        for value in one.ends:
            try:
                plan.config({name: value})
            except InvalidInput as error:
                problem = f"{shown(value)} cannot be trained with: {error.problem}"
                raise InvalidInput(f"--search {name}", str(one), problem, error.mend) from None
    return plan


def read_plan(data: Mapping[str, Any]) -> Plan:
    """Return the plan of a file.

    Raises:
        InvalidInput: It does not hold.
    """
    try:
        space: Space = {
            name: Choices(tuple(text)) if isinstance(text, list) else dimension(name, text)
            for name, text in data["space"].items()
        }
        return Plan(data["base"], space, int(data["startup"]), bool(data["pruning"]))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput("tuning", sorted(data), "this is not what a search is kept as", "Start another.") from None


def _with(base: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's configuration, changed."""
    numbers, network = split(values)
    training, preparation = dict(base["training"]), dict(base.get("preparation", {}))
    if "architecture" in base:
        return _again(base, {**base["architecture"], **network}, {**training, **numbers})
    settled = {name: value for name, value in training.pop("numbers").items() if name != "policy_kwargs"}
    keywords = dict(base["training"]["numbers"].get("policy_kwargs") or {})
    hidden = keywords.pop("net_arch", None)
    network = {**keywords, **({} if hidden is None else {"hidden": hidden}), **network}
    return _again(base, network, {**preparation, **training, **settled, **numbers})


def _again(base: Mapping[str, Any], network: Mapping[str, Any], numbers: Mapping[str, Any]) -> dict[str, Any]:
    nothing: dict[str, Any] = {}  # of the shipped preset: the base has all of it that was meant
    return configuration(base["problem"], base["algo"], base["seed"], network, base["regimes"], numbers, nothing)


def _usual(algo: str, name: str) -> Any:
    """Return the defaults of an algorithm of stable-baselines3."""
    if algo not in presets.ALGORITHMS:
        return None
    from restock.learning.algorithms import algorithm

    found = inspect.signature(algorithm(algo).__init__).parameters.get(name)
    return None if found is None or found.default is inspect.Parameter.empty else found.default
