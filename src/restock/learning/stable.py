"""The configuration of a run of stable-baselines3 or sb3-contrib: the preset with its changes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pydantic

from restock.core.errors import InvalidInput
from restock.core.problem import Problem
from restock.core.validation import Spec, validated
from restock.learning.forms import forms_of, settled
from restock.learning.preparation import Preparation
from restock.learning.presets import Given, preset

CURRICULUM = {"curriculum", "curriculum_shares", "curriculum_steps"}


class Stable(Spec):
    """The settings of every run; the algorithm's own hyper-parameters stand beside them.

    Attributes:
        steps: Steps of the environment, all rows together.
        n_envs: Rows.
        evaluate_every: Steps between evaluations on held-out paths, which is also when a checkpoint is
            written; None: a twentieth of the steps.
        held_out: Held-out paths.
        cpu_seconds: No round of learning begins after this much processor time; None: no limit.
        policy: The network's kind, as the algorithm names it.
        normalize: Whether observations and rewards go over running statistics of what they were so far,
            cut to 10 on either side (see `normalising`).
    """

    steps: int = pydantic.Field(1_000_000, ge=1, le=10_000_000_000)
    n_envs: int = pydantic.Field(64, ge=1, le=100_000)
    evaluate_every: int | None = pydantic.Field(None, ge=1)
    held_out: int = pydantic.Field(256, ge=2, le=100_000)
    cpu_seconds: float | None = pydantic.Field(None, gt=0.0)
    policy: str = "MlpPolicy"
    normalize: bool = False


def configuration(
    problem: Problem,
    algo: str,
    network: Mapping[str, Any],
    given: Mapping[str, Any],
    blind: bool,
    file: Given | None = None,
) -> dict[str, Any]:
    """Return the algorithm's part of a run's configuration: the preset with its changes.

    Args:
        problem: What is trained for.
        algo: The algorithm.
        network: `hidden`, the units of its hidden layers, and other keywords of its policy.
        given: Fields of `Preparation` and `Stable`, and numbers of the algorithm.
        blind: Whether a generalist is trained, which needs to see past demand.
        file: Of presets, or an entry of one, instead of the shipped one.

    Raises:
        InvalidInput: Something does not hold.
    """
    from restock.learning.algorithms import algorithm, check_numbers

    kind = algorithm(algo)
    forms, entry = preset(algo, problem, file)
    if forms.get("curriculum"):  # one preset serves problems of any length
        forms["curriculum"] = [*(one for one in forms["curriculum"] if one < problem.horizon), problem.horizon]
    if "n_timesteps" in entry:
        entry["steps"] = _whole("n_timesteps", entry.pop("n_timesteps"))
    given = dict(given)
    for name in Preparation.model_fields:
        if name in given:
            forms[name] = given.pop(name)
    frame = {name: entry.pop(name) for name in list(entry) if name in Stable.model_fields}
    frame |= {name: given.pop(name) for name in list(given) if name in Stable.model_fields}
    numbers = entry | given
    keywords = dict(numbers.get("policy_kwargs") or {})
    for name, value in network.items():
        keywords["net_arch" if name == "hidden" else name] = value
    if keywords:
        numbers["policy_kwargs"] = keywords
    forms = {name: value for name, value in forms.items() if value is not None}
    if "action" not in forms and algo in ("dqn", "maskable-ppo"):
        several = algo != "dqn" and "multidiscrete" in problem.action_kinds
        forms["action"] = "multidiscrete" if several else "discrete"
    preparation = settled(problem, validated(Preparation, forms, ""))
    if blind and not preparation.recent:
        preparation = preparation.model_copy(update={"recent": 8})
    chosen = validated(Stable, frame, "")
    if chosen.policy not in kind.policy_aliases:
        known = ", ".join(kind.policy_aliases)
        raise InvalidInput("policy", chosen.policy, f"{algo} has no such policy", f"Known: {known}.")
    check_numbers(algo, numbers, problem, str(preparation.action))
    if preparation.curriculum is not None and preparation.curriculum_steps is None:
        each = -(-chosen.steps // chosen.n_envs)
        preparation = preparation.model_copy(update={"curriculum_steps": each})
    forms_of(problem, preparation, "blind" if blind else "informed")  # what is wrong with them is told now
    without = set() if preparation.curriculum else CURRICULUM  # runs without one are described as ever
    return {
        "preparation": preparation.model_dump(exclude=without),
        "training": chosen.model_dump(exclude=set() if chosen.normalize else {"normalize"}) | {"numbers": numbers},
    }


def _whole(name: str, value: Any) -> int:
    """Return a number that RL-Zoo writes as text or with a point (3e6)."""
    if not is_number(value) or float(value) != int(float(value)):
        raise InvalidInput(name, value, "must be an integer", "Write for instance 1e6.")
    return int(float(value))


def is_number(value: Any) -> bool:
    """Return whether it is a finite number, or text that says one."""
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False
