"""The known policies by name; those from outside the package by their place."""

from __future__ import annotations

import contextlib
import inspect
from importlib import import_module
from typing import Any

from restock.core.errors import InvalidInput, nearest
from restock.core.places import names_a_place
from restock.core.problem import Problem
from restock.policies import outside
from restock.policies._base import Policy
from restock.problems import manifest
from restock.problems.manifest import manifest_of

_TRAINED = "restock.learning.trained"


def list_policies(family: str | None = None) -> list[str]:
    """Return the names that `make_policy` knows: restock's own, then those of installed packages.

    Args:
        family: Only restock's own for this kind of problem (`network`, ...).
    """
    if family is not None:
        return list(manifest_of(family).policies)
    own = dict.fromkeys(name for said in manifest.known().values() for name in said.policies)
    return [*own, *(name for name in sorted(outside.entry_points()) if name not in own)]


def playable(problem: Problem) -> list[str]:
    """Return the names of restock's own policies that can play a problem: not every one solves every instance."""
    found = []
    for name in list_policies(problem.family):
        with contextlib.suppress(InvalidInput):
            make_policy(name, problem)
            found.append(name)
    return found


def usual_policies(family: str) -> tuple[str, ...]:
    """Return fast policies that any problem of a family can be compared with."""
    return manifest_of(family).usual


def yardsticks(family: str) -> tuple[str, str | None]:
    """Return what policies for a family are measured by: the policy to beat, and the bound if there is one."""
    said = manifest_of(family)
    return said.to_beat, said.bound


def families_of(name: str) -> list[str]:
    """Return the families that a policy of restock's own is for."""
    return [family for family, said in manifest.known().items() if name in said.policies]


def policy_class(name: str, family: str | None = None) -> type[Policy]:
    """Return the class of a policy.

    Args:
        name: One of `list_policies()`, `package.module:Class`, `path/to/file.py:Class`, or the folder of a
            training run.
        family: The kind of problem it is for; None: the first there is.

    Raises:
        InvalidInput: There is no such policy, or it is for other problems.
    """
    known = families_of(name) if isinstance(name, str) else []
    if known:
        if family is not None and name not in manifest_of(family).policies:
            mend = nearest(name, list_policies(family))
            raise InvalidInput("policy", name, f"this is for problems of the kind {' or '.join(known)}", mend)
        return outside.class_named(manifest_of(family or known[0]).policies[name])
    if isinstance(name, str) and names_a_place(name):
        return outside.class_at(name)
    if isinstance(name, str) and outside.names_a_run(name):
        found: type[Policy] = import_module(_TRAINED).policy_at(name)  # of a layer above, which knows its folders
        return found
    point = outside.entry_points().get(name) if isinstance(name, str) else None
    if point is None:
        raise InvalidInput("policy", name, "there is no such policy", nearest(name, list_policies()))
    return outside.class_of(point)


def make_policy(name: str, problem: Problem | Any, **params: Any) -> Policy:
    """Return a policy for a problem.

    Args:
        name: One of `list_policies()`, or where your own stands: `package.module:Class` or
            `path/to/file.py:Class`; or the folder of a training run (`runs/serial-pathwise-0`).
        problem: A problem, or anything `load_problem` takes.
        **params: The policy's own parameters, see its class.

    Raises:
        InvalidInput: Unknown policy or parameter, or a parameter that does not hold.

    Example:
        >>> make_policy("base-stock", "serial", levels=[120, 110, 120]).name
        'base-stock'
        >>> make_policy("restock.policies.base_stock:BaseStock", "serial").name
        'base-stock'
    """
    from restock.problems.load import load_problem

    problem = load_problem(problem)
    kind = policy_class(name, problem.family)
    known = [p for p in inspect.signature(kind.__init__).parameters if p not in ("self", "problem")]
    for parameter, value in params.items():
        if parameter not in known:
            mend = nearest(parameter, known) if known else f"{name} has no parameters."
            raise InvalidInput(parameter, value, f"{name} has no such parameter", mend)
    return kind(problem, **params)
