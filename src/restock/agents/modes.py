"""Modes of play: decisions, parameters of a policy, or decisions with policies as tools."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from restock.core.checks import whole_number
from restock.core.errors import InvalidInput, nearest, shown
from restock.core.problem import Problem
from restock.policies._base import Policy
from restock.policies.registry import list_policies, make_policy, policy_class
from restock.problems.manifest import manifest_of

KINDS = ("alone", "parameters", "tool")
# Parameters of policies that are nothing for a model to choose: some decide what it costs to decide.
FIXED = ("self", "problem", "information", "jobs", "paths", "branching")


@dataclasses.dataclass(frozen=True)
class Mode:
    """What a model is asked for.

    Attributes:
        kind: `alone`: a decision every period. `parameters`: parameters of a policy, which then decides. `tool`: a
            decision every period, and policies say what they would do when they are asked.
        policies: In `parameters` the policy, in `tool` those it may ask.
        every: In `parameters`, periods from one choice to the next; 0 for one choice at the start.
        calls: In `tool`, how often it may ask in a period.
    """

    kind: str = "alone"
    policies: tuple[str, ...] = ()
    every: int = 0
    calls: int = 3


def mode_of(
    problem: Problem, kind: str = "alone", policies: tuple[str, ...] = (), every: int = 0, calls: int = 3
) -> Mode:
    """Return a mode, with its usual policy if none is named.

    Raises:
        InvalidInput: There is no such mode or policy, or something is given that the mode does not take.
    """
    if kind not in KINDS:
        raise InvalidInput("mode", kind, "there is no such mode", nearest(kind, KINDS))
    whole_number("every", every, 0, example=7)
    whole_number("calls", calls, 1, example=3)
    if kind == "alone" and policies:
        raise InvalidInput("policy", policies[0], "a model that decides alone has none", "Add --mode tool.")
    if kind == "parameters" and len(policies) > 1:
        raise InvalidInput("policy", policies[1], "parameters are chosen of one policy", "Name one.")
    if kind != "parameters" and every:
        raise InvalidInput("every", every, "only parameters are chosen every so often", "Add --mode parameters.")
    named = policies or (() if kind == "alone" else usual(problem, kind))
    for name in named:
        policy_class(name, problem.family)
    return Mode(kind, tuple(dict.fromkeys(named)), every, calls)


def usual(problem: Problem, kind: str) -> tuple[str, ...]:
    """Return the policies that a mode uses if none is named."""
    said = manifest_of(problem.family)
    if kind == "parameters":
        return (said.rule or list_policies(problem.family)[0],)
    idle = ("random", "nothing", "passive", "idle")
    found = [name for name in said.usual if name not in idle]
    return tuple(found) or said.usual[:1]


def make(problem: Problem, name: str, parameters: dict[str, Any], information: str) -> Policy:
    """Make a policy with the parameters that a model chose; it knows no more than the model.

    Args:
        problem: What it decides in.
        name: Of the policy.
        parameters: Its parameters; what is not named has its default.
        information: What the model is told, `blind` or `informed`.

    Raises:
        InvalidInput: There is none of that name, it needs to know more, or a parameter does not hold.
    """
    for given, value in parameters.items():
        if given not in choices(problem, name):
            known = choices(problem, name)
            mend = nearest(given, known) if known else f"{name} has no parameters."
            raise InvalidInput(f"parameters.{given}", value, f"{name} has no such parameter", mend)
    kind = policy_class(name, problem.family)
    if information not in kind.may_know and "blind" not in kind.may_know:
        if "informed" in kind.may_know:
            mend = "Tell the model as much: information informed. Or name another policy."
            raise InvalidInput("policy", name, "it knows the mean demand of every period", mend)
        raise InvalidInput("policy", name, "it knows the future", "Name a policy that does not.")
    told = information in kind.may_know and "information" in inspect.signature(kind.__init__).parameters
    with deciding(name):
        return make_policy(name, problem, **parameters, **({"information": information} if told else {}))


@contextmanager
def deciding(name: str) -> Iterator[None]:
    """Report any failure of a policy with its given parameters as invalid input."""
    try:
        yield
    except InvalidInput:
        raise
    except (
        ValueError,
        TypeError,
        ArithmeticError,
        LookupError,
    ) as error:  # a record that does not hold is a ValueError
        problem = f"with these parameters it comes to no decision that can be ({shown(str(error))})"
        raise InvalidInput("policy", name, problem, "Choose other parameters.") from None


def choices(problem: Problem, name: str) -> list[str]:
    """Return the parameters of a policy that a model may choose."""
    kind = policy_class(name, problem.family)
    return [p for p in inspect.signature(kind.__init__).parameters if p not in FIXED]


def parameters_in_words(problem: Problem, name: str) -> dict[str, Any]:
    """Return the parameters that can be chosen, in words: their defaults, ranges and shapes."""
    kind = policy_class(name, problem.family)
    signature = inspect.signature(kind.__init__).parameters
    tunable = make_policy(name, problem).tunables()
    found: dict[str, Any] = {}
    for parameter in choices(problem, name):
        default = signature[parameter].default
        told: dict[str, Any] = {"default": None if default is inspect.Parameter.empty else default}
        if parameter in tunable:
            turn = tunable[parameter]
            told |= {
                "in force by default": turn.start.tolist(),
                "least": _bound(turn.low),
                "most": _bound(turn.high),
                "numbers": "one" if turn.start.ndim == 0 else " x ".join(str(n) for n in turn.start.shape),
            }
            if turn.instead_of:
                told["not together with"] = list(turn.instead_of)
        found[parameter] = told
    return found


def _bound(values: Any) -> Any:
    """Return one number if all are equal; None if there is no bound."""
    import numpy as np

    if not np.isfinite(values).all():
        return None
    return float(values.flat[0]) if (values == values.flat[0]).all() else values.tolist()
