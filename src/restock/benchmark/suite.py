"""Suites: frozen sets of scenarios and seeds, identified by a hash of their contents."""

from __future__ import annotations

import functools
import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Any

import pydantic

from restock.core.errors import InvalidInput, nearest
from restock.core.problem import Problem
from restock.core.reading import parsed, read_yaml
from restock.core.validation import Spec, validated
from restock.demand.series import beside
from restock.demand.spec import check_demand
from restock.problems.load import load_problem
from restock.problems.network.load import SHELF, instance_text, instances

MARK = 12  # hexadecimal digits of a hash that are shown


class Scenario(Spec):
    """One problem of a suite."""

    name: str = pydantic.Field(min_length=1, description="what tables call it")
    groups: list[str] = pydantic.Field([], description="groups whose means are shown too")
    instance: str | dict[str, Any] = pydantic.Field(description="a shipped instance, a YAML file, or a network")
    demand: Any = pydantic.Field(None, description="demand in place of the instance's")
    horizon: int | None = pydantic.Field(None, description="periods in an episode")
    backlog: bool | None = pydantic.Field(None, description="whether unmet demand waits")
    discount: float | None = pydantic.Field(None, description="worth of next period's money")

    def problem(self) -> Problem:
        """Return the problem, ready to be simulated.

        Raises:
            InvalidInput: Something in it does not hold.
        """
        return _problem(self.as_json())

    @property
    def kind(self) -> tuple[str, bool]:
        """The kind of a scenario for an audit: the network, and whether demand depends on service."""
        goodwill = isinstance(self.demand, dict) and bool(self.demand.get("goodwill"))
        return json.dumps(self.instance, sort_keys=True), goodwill

    def as_json(self) -> str:
        """Return the definition as one line of JSON."""
        return json.dumps(self.model_dump(mode="json", exclude_unset=True), sort_keys=True)


class Suite(Spec):
    """Scenarios, and the seeds that each is played with.

    Attributes:
        name: What it is called.
        description: What it is for.
        source: Where it comes from.
        published: Name of the published results that its scenarios have.
        policies: What runs where no policies are named: a shipped list, or policies as in a list of one's own.
        seeds: Episode k of every scenario is the one after `reset(seed=seeds[k])`.
        scenarios: The problems.
    """

    name: str = pydantic.Field(min_length=1, pattern=r"^[\w.-]+$", description="letters, digits, dots and dashes")
    description: str = ""
    source: str = ""
    published: str | None = None
    policies: str | list[str | dict[str, Any]] = "fast"
    seeds: list[int] = pydantic.Field(min_length=1, description="one episode of each scenario for each seed")
    scenarios: list[Scenario] = pydantic.Field(min_length=1, description="the problems")

    @pydantic.model_validator(mode="after")
    def _holds(self) -> Suite:
        for k, seed in enumerate(self.seeds):
            if seed < 0:
                raise InvalidInput(f"seeds[{k}]", seed, "must be an integer >= 0", "Write 42.")
            if seed in self.seeds[:k]:
                raise InvalidInput(f"seeds[{k}]", seed, "this seed is in the list twice", "Write each seed once.")
        names = [scenario.name for scenario in self.scenarios]
        for k, name in enumerate(names):
            if name in names[:k]:
                raise InvalidInput(
                    f"scenarios[{k}].name", name, "this name is taken", "Give each scenario another name."
                )
        for k, scenario in enumerate(self.scenarios):
            try:
                scenario.problem()
            except InvalidInput as error:
                raise error.within(f"scenarios[{k}]") from None
        return self

    @functools.cached_property
    def mark(self) -> str:
        """A hash of everything that policies meet: name, seeds, and the full scenarios."""
        said = {"name": self.name, "seeds": self.seeds, "scenarios": [_in_full(one) for one in self.scenarios]}
        return hashlib.sha256(json.dumps(_canonical(said), sort_keys=True).encode()).hexdigest()[:MARK]

    def scenario(self, name: str) -> Scenario:
        """Return the scenario of that name."""
        return next(one for one in self.scenarios if one.name == name)

    @functools.cached_property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups of scenarios, in order of first mention."""
        return tuple(dict.fromkeys(group for scenario in self.scenarios for group in scenario.groups))


def list_suites() -> list[str]:
    """Return the names of the suites shipped with restock."""
    return names_in("suites")


def load_suite(suite: Any) -> Suite:
    """Return a suite by name, from a YAML file, a mapping, or a `Suite`.

    Raises:
        InvalidInput: There is none of that name, or something in it does not hold.

    Example:
        >>> len(load_suite("gym-invmgmt").scenarios)
        22
    """
    if isinstance(suite, str) and not suite.endswith((".yaml", ".yml")):
        if suite not in list_suites():
            mend = f"{nearest(suite, list_suites())} Or name a YAML file."
            raise InvalidInput("suite", suite, "there is no such suite", mend)
        return validated(Suite, shipped("suites", suite), f"{suite}:")
    if isinstance(suite, (str, Path)):
        path = Path(suite)
        return validated(Suite, _beside(dict(read_yaml(path)), path.parent), f"{path.name}:")
    return validated(Suite, suite, "suite")


def names_in(folder: str) -> list[str]:
    """Return the names of the YAML files that the package ships in a folder of the benchmark."""
    there = resources.files("restock.benchmark").joinpath(folder)
    return sorted(entry.name.removesuffix(".yaml") for entry in there.iterdir() if entry.name.endswith(".yaml"))


def shipped(folder: str, name: str) -> Any:
    """Return the contents of a shipped file."""
    text = resources.files("restock.benchmark").joinpath(folder, f"{name}.yaml").read_text(encoding="utf-8")
    return parsed(text)


def _beside(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return the data of a suite file, with the files that it names found from its folder."""
    if not isinstance(data.get("scenarios"), list):
        return data
    scenarios = []
    for one in data["scenarios"]:
        name = one.get("instance") if isinstance(one, dict) else None
        if isinstance(name, str) and name.endswith((".yaml", ".yml")) and not Path(name).is_absolute():
            one = {**one, "instance": str(folder / name)}
        if isinstance(one, dict) and "demand" in one:
            one = {**one, "demand": beside(one["demand"], folder)}
        scenarios.append(one)
    return {**data, "scenarios": scenarios}


@functools.lru_cache(maxsize=64)
def _problem(definition: str) -> Problem:
    """Return the problem of a scenario's definition; the last ones are cached."""
    data = json.loads(definition)
    changes = {name: data[name] for name in ("demand", "horizon", "backlog", "discount") if data.get(name) is not None}
    return load_problem(data["instance"], **changes)


def _in_full(scenario: Scenario) -> dict[str, Any]:
    """Return the definition of a scenario with everything it refers to written out."""
    data: dict[str, Any] = json.loads(scenario.as_json())
    data.pop("groups", None)
    instance = data["instance"]
    if isinstance(instance, str) and instance in instances():
        data["instance"] = parsed(instance_text(instance))
    elif isinstance(instance, str):
        data["instance"] = dict(SHELF.read(instance)[0]) if instance.endswith((".yaml", ".yml")) else instance
    if isinstance(data["instance"], dict):
        data["instance"].pop("description", None)
    for holder in (data, data["instance"]):
        demand = holder.get("demand") if isinstance(holder, dict) else None
        if isinstance(demand, dict) and isinstance(demand.get("series"), dict):
            series: Any = check_demand(demand).series
            holder["demand"] = {**demand, "series": series.read().tolist()}
    return data


def _canonical(value: Any) -> Any:
    """Return the value with integers as floats, so that 20 and 20.0 are the same."""
    if isinstance(value, dict):
        return {str(key): _canonical(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_canonical(entry) for entry in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
