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

_HOMES = {
    "random": ("restock.policies.random_order", "RandomOrder"),
    "constant-order": ("restock.policies.constant_order", "ConstantOrder"),
    "newsvendor": ("restock.policies.newsvendor", "Newsvendor"),
    "base-stock": ("restock.policies.base_stock", "BaseStock"),
    "echelon-base-stock": ("restock.policies.echelon_base_stock", "EchelonBaseStock"),
    "capped-base-stock": ("restock.policies.capped_base_stock", "CappedBaseStock"),
    "s-S": ("restock.policies.s_s", "ReorderPointLevel"),
    "r-Q": ("restock.policies.r_q", "ReorderPointQuantity"),
    "R-S": ("restock.policies.periodic_review", "PeriodicReview"),
    "published-newsvendor": ("restock.policies.published.newsvendor", "PublishedNewsvendor"),
    "published-s-S": ("restock.policies.published.s_s", "PublishedReorderPoint"),
    "published-exponential-smoothing": (
        "restock.policies.published.exponential_smoothing",
        "PublishedExponentialSmoothing",
    ),
    "published-echelon": ("restock.policies.published.echelon_approximation", "PublishedEchelon"),
    "holt-base-stock": ("restock.policies.holt_base_stock", "HoltBaseStock"),
    "published-dlp": ("restock.policies.published.look_ahead", "PublishedDLP"),
    "published-mssp": ("restock.policies.published.look_ahead", "PublishedMSSP"),
    "rolling": ("restock.policies.rolling", "Rolling"),
    "stochastic": ("restock.policies.stochastic", "Stochastic"),
    "optimal": ("restock.policies.optimal", "Optimal"),
    "hindsight": ("restock.policies.hindsight", "Hindsight"),
}
_TRAINED = "restock.learning.trained"
# The policies above are for supply networks. Those of other problems, some under the same names:
_OTHERS = {
    "sharing": {
        "nothing": ("restock.policies.nothing", "Nothing"),
        "random": ("restock.policies.random_order", "RandomOrder"),
        "constant-shipment": ("restock.policies.constant_shipment", "ConstantShipment"),
        "base-stock": ("restock.policies.depot_base_stock", "DepotBaseStock"),
        "hindsight": ("restock.policies.sharing_hindsight", "SharingHindsight"),
    },
    "production": {
        "idle": ("restock.policies.nothing", "Idle"),
        "random": ("restock.policies.random_order", "RandomOrder"),
        "buy-buy-convert": ("restock.policies.buy_buy_convert", "BuyBuyConvert"),
        "dynamic-program": ("restock.policies.dynamic_program", "DynamicProgram"),
    },
    "retail": {
        "passive": ("restock.policies.retail.passive", "Passive"),
        "random": ("restock.policies.random_order", "RandomOrder"),
        "restock-to-target": ("restock.policies.retail.restock_to_target", "RestockToTarget"),
        "price-and-cover": ("restock.policies.retail.price_and_cover", "PriceAndCover"),
        "tuned-price-and-cover": ("restock.policies.retail.price_and_cover", "TunedPriceAndCover"),
        "hindsight": ("restock.policies.retail.hindsight", "RetailHindsight"),
    },
    "minimal": {
        "nothing": ("restock.policies.nothing", "Nothing"),
        "random": ("restock.policies.random_order", "RandomOrder"),
        "dynamic-program": ("restock.policies.dynamic_program", "DynamicProgram"),
    },
}
# For any problem, those from outside too.
_ANY = {
    "nothing": ("restock.policies.nothing", "Nothing"),
    "random": ("restock.policies.random_order", "RandomOrder"),
}
_USUAL = {
    "sharing": ("nothing", "random", "constant-shipment", "base-stock"),
    "network": ("random", "constant-order", "newsvendor", "base-stock", "echelon-base-stock", "s-S"),
    "production": ("idle", "random", "buy-buy-convert", "dynamic-program"),
    "retail": ("passive", "random", "restock-to-target", "price-and-cover", "tuned-price-and-cover"),
    "minimal": ("nothing", "random", "dynamic-program"),
}

# What a policy is measured by: one to beat, and one that no policy beats.
_YARDSTICKS: dict[str, tuple[str, str | None]] = {
    "network": ("base-stock", "hindsight"),
    "sharing": ("base-stock", "hindsight"),
    "production": ("dynamic-program", None),
    "retail": ("tuned-price-and-cover", "hindsight"),
    "minimal": ("dynamic-program", None),
}


def list_policies(family: str | None = None) -> list[str]:
    """Return the names that `make_policy` knows: restock's own, then those of installed packages.

    Args:
        family: Only restock's own for this kind of problem (`network`, ...).
    """
    if family is not None:
        return list(_homes(family))
    own = dict.fromkeys([*_HOMES, *(name for homes in _OTHERS.values() for name in homes)])
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
    return _USUAL.get(family, tuple(_ANY))


def yardsticks(family: str) -> tuple[str, str | None]:
    """Return what policies for a family are measured by: the policy to beat, and the bound if there is one."""
    return _YARDSTICKS.get(family, ("random", None))


def _homes(family: str) -> dict[str, tuple[str, str]]:
    return _HOMES if family == "network" else _OTHERS.get(family, _ANY)


def families_of(name: str) -> list[str]:
    """Return the families that a policy of restock's own is for."""
    return [family for family in ("network", *_OTHERS) if name in _homes(family)]


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
        if family is not None and name not in _homes(family):
            mend = nearest(name, list_policies(family))
            raise InvalidInput("policy", name, f"this is for problems of the kind {' or '.join(known)}", mend)
        module, attribute = _homes(family or known[0])[name]
        kind: type[Policy] = getattr(import_module(module), attribute)
        return kind
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
