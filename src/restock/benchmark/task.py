"""The tasks of a run: a policy in a scenario, for some of the seeds. A task's result depends on nothing else."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from restock.benchmark.entries import Entry
from restock.benchmark.guests import Guest
from restock.benchmark.suite import MARK, Scenario, Suite, load_suite
from restock.core.play import draw_each
from restock.core.problem import Problem
from restock.evaluation.audit import audit
from restock.evaluation.provenance import versions
from restock.evaluation.simulate import Simulation, run
from restock.policies._base import Policy

KINDS: dict[str, type[Entry] | type[Guest]] = {"policies": Entry, "guests": Guest}  # as a run's description keeps them


@dataclasses.dataclass(frozen=True)
class Task:
    """A policy or a guest, a scenario, and seeds.

    Attributes:
        entry: The policy, or the guest.
        scenario: The problem.
        seeds: Of its episodes.
        audited: Whether the policy is first audited in the scenario.
        name: Of its file.
        mark: A hash of everything that decides its result: suite, scenario, seeds, policy.
    """

    entry: Entry | Guest
    scenario: Scenario
    seeds: tuple[int, ...]
    audited: bool
    name: str
    mark: str

    def to_dict(self) -> dict[str, Any]:
        """Return the task as plain data, for a worker."""
        data = dataclasses.asdict(self)
        data["entry"] = self.entry.model_dump(mode="json")
        data["scenario"] = json.loads(self.scenario.as_json())
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Task:
        """Return the task in plain data."""
        entry, scenario = Entry.model_validate(data["entry"]), Scenario.model_validate(data["scenario"])
        return cls(entry, scenario, tuple(data["seeds"]), data["audited"], data["name"], data["mark"])


@dataclasses.dataclass(frozen=True)
class Plan:
    """The plan of a run.

    Attributes:
        suite: The scenarios and seeds.
        suite_mark: The suite's hash when the run was made.
        entries: The policies and guests.
        marks: The hash of each of them when it was last run, by name.
        versions: Of everything that could change a digit.
    """

    suite: Suite
    suite_mark: str
    entries: tuple[Entry | Guest, ...]
    marks: Mapping[str, str]
    versions: Mapping[str, str]

    @classmethod
    def new(cls, suite: Suite, entries: Sequence[Entry | Guest]) -> Plan:
        """Make a plan for policies and guests in their present versions."""
        marks = {entry.name: entry.mark for entry in entries}
        return cls(suite, suite.mark, tuple(entries), marks, versions())

    def joined(self, before: Plan) -> Plan:
        """Return the plan with the policies of an earlier plan that this one does not name."""
        entries = {entry.name: entry for entry in (*before.entries, *self.entries)}
        return dataclasses.replace(self, entries=tuple(entries.values()), marks={**before.marks, **self.marks})

    def tasks(self) -> Iterator[Task]:
        """Yield all tasks, entry by entry; a policy is audited once per kind of scenario."""
        suite = self.suite
        for entry in self.entries:
            size = entry.chunk or len(suite.seeds)
            tried = set()
            for number, scenario in enumerate(suite.scenarios):
                audited = scenario.kind not in tried
                tried.add(scenario.kind)
                for first in range(0, len(suite.seeds), size):
                    seeds = tuple(suite.seeds[first : first + size])
                    said = json.dumps([self.suite_mark, scenario.name, seeds, self.marks[entry.name]])
                    mark = hashlib.sha256(said.encode()).hexdigest()[:MARK]
                    name = f"{_file_name(entry.name)}.{number:03d}.{first:04d}"
                    yield Task(entry, scenario, seeds, audited and first == 0, name, mark)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        kinds = {
            key: [
                {**entry.model_dump(mode="json"), "mark": self.marks[entry.name]}
                for entry in self.entries
                if isinstance(entry, kind)
            ]
            for key, kind in KINDS.items()
        }
        suite = self.suite.model_dump(mode="json", exclude_unset=True)
        return {"suite": suite, "suite_mark": self.suite_mark, **kinds, "versions": dict(self.versions)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """Return the plan in plain data.

        Raises:
            InvalidInput: It is not a plan.
        """
        marks: dict[str, str] = {}
        entries: list[Entry | Guest] = []
        for key, kind in KINDS.items():
            for one in data.get(key, ()):
                entries.append(kind.model_validate({name: value for name, value in one.items() if name != "mark"}))
                marks[one["name"]] = one["mark"]
        return cls(load_suite(data["suite"]), data["suite_mark"], tuple(entries), marks, data["versions"])


def _file_name(policy: str) -> str:
    """Return the policy's name as a part of a file name; different names stay different."""
    safe = re.sub(r"[^A-Za-z0-9-]+", "_", policy)[-60:]
    return safe if safe == policy else f"{safe}.{hashlib.sha256(policy.encode()).hexdigest()[:6]}"


def do(task: Task) -> dict[str, Any]:
    """Play the episodes of a policy's task, period by period so that decisions can be timed.

    Returns:
        What `outcome` tells of them. Where the policy was audited, what was found too.

    Raises:
        InvalidInput: The policy cannot be made, or decides nothing usable.
    """
    assert isinstance(task.entry, Entry)
    problem = task.scenario.problem()
    began = time.perf_counter()
    policy = task.entry.fitted(problem)
    making = time.perf_counter() - began
    found = played(task, problem, policy)
    assert found.deciding is not None
    findings = [str(finding) for finding in audit(task.entry.make, problem)] if task.audited else None
    seconds = {"making": making, "deciding": found.deciding, "all": found.seconds}
    return {**outcome(task, found), "audit": findings, "seconds": seconds}


def played(task: Task, problem: Problem, policy: Policy) -> Simulation:
    """Return the episodes of a task as played by a policy."""
    return run(problem, policy, draw_each(problem, task.seeds), task.seeds[0], compiled=False)


def outcome(task: Task, found: Simulation) -> dict[str, Any]:
    """Return the results of episodes as plain data: information, parameters and, per profit, bound and key figures.

    The bound is None where the policy proves none.
    """
    # Under goodwill nothing is proven, and there is no number for that in JSON.
    proven = np.full(len(task.seeds), np.nan) if found.bound is None else found.bound
    episodes = []
    for b, (seed, bound) in enumerate(zip(task.seeds, proven.tolist(), strict=True)):
        figures = {key: float(values[b]) for key, values in found.kpis.items() if key != "profit"}
        bound = bound if np.isfinite(bound) else None
        episodes.append({"seed": seed, "profit": float(found.profit[b]), "bound": bound, "kpis": figures})
    return {
        "mark": task.mark,
        "policy": task.entry.name,
        "scenario": task.scenario.name,
        "information": found.policy.information,
        "parameters": found.policy.parameters_in_words(),
        "horizon": found.problem.horizon,
        "episodes": episodes,
    }
