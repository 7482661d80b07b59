"""The command that repeats what a page shows, and the link that shows it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from restock.agents.run import kept
from restock.core.problem import Problem
from restock.policies.registry import list_policies
from restock.problems.load import load_problem
from restock.problems.manifest import manifest_for
from restock.server.catalogue import Catalogue
from restock.server.hub import Hub

AGAIN = "/again"

MOST_SEEDS = 1000  # that a command names one by one


def link(kind: str, fields: Iterable[tuple[str, Any]]) -> str:
    """Return the address that shows something again, in any browser that reaches the server.

    Args:
        kind: `comparison`, `show` or `transcript`.
        fields: What its form is to be filled in with.
    """
    return f"{AGAIN}?{urlencode([('kind', kind), *((name, str(value)) for name, value in fields)])}"


def compare_command(
    hub: Hub, task: str, problem: Problem, names: Sequence[str], episodes: int, seed: int | None, seeds: Sequence[int]
) -> str:
    """Return the command that repeats a comparison; empty if there is none.

    Args:
        hub: Of the server.
        task: Name of what is played.
        problem: What is played.
        names: Of the policies.
        episodes: How many.
        seed: What they are drawn from; None where they are those of `seeds`.
        seeds: Of each episode.
    """
    drawn = ["--episodes", str(episodes), "--seed", str(seed)]
    if seed is None:
        drawn = ["--seeds", ",".join(map(str, seeds))]
    return _command("compare", hub, task, problem, names, drawn)


def show_command(hub: Hub, task: str, problem: Problem, policy: str, seed: int) -> str:
    """Return the command that plays an episode with a policy; empty if there is none."""
    return _command("simulate", hub, task, problem, [policy], ["--seeds", str(seed)])


def agent_command(hub: Hub, task: str, problem: Problem, run: Mapping[str, Any]) -> str:
    """Return the command that lets the model of a transcript play again; empty if it would contain anything unusual.

    A transcript may be anybody's, and a command is for the hands of who reads it: problem and policies are only those
    of restock itself, and no name may hold what a terminal carries out.

    Args:
        hub: Of the server.
        task: Whose problem the transcript was found to be of.
        problem: That problem.
        run: The first line.
    """
    name = _name(hub, task)
    if name is None or (Catalogue.known(task) is not None and kept(load_problem(task)) != kept(problem)):
        return ""
    settings = _mapping(run.get("settings"))
    mode = _mapping(settings.get("mode"))
    policies = mode.get("policies") or []
    fallback = [] if settings.get("fallback") is None else [settings["fallback"]]
    known = list_policies()
    if not isinstance(policies, list) or len(policies) > len(known):
        return ""
    if any(one not in known for one in (*policies, *fallback)):
        return ""
    options = [("--env", name), ("--model", run.get("model"))]
    if mode.get("kind", "alone") != "alone":
        options += [("--mode", mode["kind"]), *(("--policy", one) for one in policies)]
        options += [(f"--{one}", mode[one]) for one in ("every", "calls") if one in mode]
    options += [("--fallback", one) for one in fallback]
    usual = {"information": "blind", "history": 7, "retries": 2, "price_in": None, "price_out": None}
    options += [
        (f"--{one.replace('_', '-')}", settings[one]) for one in usual if settings.get(one, usual[one]) != usual[one]
    ]
    seeds = run.get("seeds")
    if isinstance(seeds, list):
        if len(seeds) > MOST_SEEDS:
            return ""
        options.append(("--seeds", ",".join(map(str, seeds))))
    else:
        options += [("--episodes", run.get("episodes", 1)), ("--seed", run.get("seed"))]
    if not all(_harmless(value) for _, value in options):
        return ""
    return shlex.join(["restock", "agent", *(str(word) for pair in options for word in pair)])


def _command(kind: str, hub: Hub, task: str, problem: Problem, names: Sequence[str], drawn: Sequence[str]) -> str:
    name = _name(hub, task)
    if name is None:
        return ""
    more = []
    if manifest_for(problem).money is not None and Catalogue.known(task) is not None:
        usual, reward = (one.description()["reward"] for one in (load_problem(task), problem))
        if usual != reward:
            more = ["--with", f"reward={reward}"]
    return shlex.join(["restock", kind, name, *names, *drawn, *more])


def _name(hub: Hub, task: str) -> str | None:
    """Return what a command calls a task; None if it was made in Python and no command can name it."""
    name = task if Catalogue.known(task) is not None else hub.settings.problem
    return name if isinstance(name, str) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _harmless(value: object) -> bool:
    """Return whether a value is a number, or text that is neither an option nor a control sequence."""
    if isinstance(value, (int, float)):
        return True
    return isinstance(value, str) and value.isprintable() and not value.startswith("-") and len(value) <= 200
