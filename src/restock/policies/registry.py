"""The known policies by name."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from restock.core.errors import InvalidInput, nearest
from restock.core.problem import Problem
from restock.policies._base import Policy

_HOMES = {
    "random": ("restock.policies.random_order", "RandomOrder"),
    "constant-order": ("restock.policies.constant_order", "ConstantOrder"),
    "base-stock": ("restock.policies.base_stock", "BaseStock"),
    "hindsight": ("restock.policies.hindsight", "Hindsight"),
}


def list_policies() -> list[str]:
    """Names that `make_policy` knows."""
    return list(_HOMES)


def policy_class(name: str) -> type[Policy]:
    """The class of a policy.

    Raises:
        InvalidInput: There is no such policy.
    """
    if not isinstance(name, str) or name not in _HOMES:
        raise InvalidInput("policy", name, "there is no such policy", nearest(name, _HOMES))
    module, attribute = _HOMES[name]
    kind: type[Policy] = getattr(import_module(module), attribute)
    return kind


def make_policy(name: str, problem: Problem | Any, **params: Any) -> Policy:
    """A policy for a problem.

    Args:
        name: One of `list_policies()`.
        problem: A problem, or anything `load_problem` takes.
        **params: The policy's own parameters, see its class.

    Raises:
        InvalidInput: Unknown policy or parameter, or a parameter that does not hold.

    Example:
        >>> make_policy("base-stock", "serial", levels=[120, 110, 120]).name
        'base-stock'
    """
    from restock.problems.load import load_problem

    kind = policy_class(name)
    known = [p for p in inspect.signature(kind.__init__).parameters if p not in ("self", "problem")]
    for parameter, value in params.items():
        if parameter not in known:
            mend = nearest(parameter, known) if known else f"{name} has no parameters."
            raise InvalidInput(parameter, value, f"{name} has no such parameter", mend)
    return kind(load_problem(problem), **params)
