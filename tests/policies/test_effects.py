"""No parameter is taken without effect: every policy, every parameter, under every law of demand."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import restock
from restock.policies.registry import policy_class

SERIES = [3.0, 9.0, 22.0, 17.0, 30.0, 8.0, 12.0, 0.0, 5.0, 44.0, 26.0, 31.0, 18.0, 2.0]
DEMANDS: dict[str, dict[str, Any]] = {
    "poisson": {"mean": 20},
    "normal": {"mean": 20, "distribution": {"name": "normal", "sd": 6}},
    "wild normal": {"mean": 20, "distribution": {"name": "normal", "cv": 1.0}},
    "uniform": {"mean": 20, "distribution": "uniform"},
    "negative binomial": {"mean": 20, "distribution": {"name": "negative_binomial", "dispersion": 3}},
    "resampled": {"series": SERIES, "distribution": "empirical"},
    "resampled weeks": {"series": SERIES * 3, "distribution": {"name": "empirical", "block": 7}},
    "resampled windows": {"series": SERIES * 5, "distribution": {"name": "empirical", "block": "window"}},
    "history": {"series": SERIES * 6, "past": 28},
    "series with a prior": {"series": SERIES * 4, "prior": 18, "noise_scale": 1.0},
    "goodwill": {"mean": 20, "goodwill": True},
}
OTHER: dict[str, Any] = {  # than the default
    "levels": 77.0, "reorder_points": 77.0, "multiples": 1.7, "batches": 33.0, "caps": 9.0, "review": 4,
    "memory": 2.0, "alpha": 0.9, "beta": 0.7, "damping": 0.2, "mean": 31.0, "sd": 13.0, "service": 0.61,
    "echelon": None, "shares": [1, 9, 1, 1], "quantity": 3.0, "horizon": 6, "hedge": False, "integer": True,
    "paths": 3, "branching": [3, 2],
}  # fmt: skip
# What changes how the work is done and not what is decided, and what is another policy's word for its knowledge.
ASIDE = {"self", "problem", "information", "jobs"}
CLASSICAL = [name for name in restock.list_policies("network") if not name.startswith("published")]
CASES = [
    (name, parameter)
    for name in CLASSICAL
    for parameter in inspect.signature(policy_class(name).__init__).parameters
    if parameter not in ASIDE and name not in ("hindsight", "optimal", "random", "idle", "nothing")
]


def orders(problem: Any, name: str, **params: Any) -> np.ndarray:
    found: np.ndarray = restock.simulate(problem, restock.make_policy(name, problem, **params), 2, 3).trajectory[
        "ordered"
    ]
    return found


def test_every_parameter_has_another_value_to_try():
    assert {parameter for _, parameter in CASES} <= set(OTHER)
    assert len(CASES) > 40


@pytest.mark.parametrize("demand", DEMANDS)
@pytest.mark.parametrize(("name", "parameter"), CASES)
def test_a_parameter_changes_what_is_ordered(name, parameter, demand):
    problem = restock.load_problem("diamond", demand=DEMANDS[demand], horizon=40)
    value = OTHER[parameter]
    if parameter == "echelon":
        value = not inspect.signature(policy_class(name).__init__).parameters["echelon"].default
    # Who is told a certain series has nothing to hedge against.
    given = {"information": "blind"} if demand == "history" and name in ("rolling", "stochastic") else {}
    assert (orders(problem, name, **given) != orders(problem, name, **given, **{parameter: value})).any()


@pytest.mark.parametrize("demand", ["poisson", "normal", "history", "series with a prior"])
@pytest.mark.parametrize("name", [name for name in CLASSICAL if len(policy_class(name).may_know) > 1])
def test_being_told_the_mean_changes_what_is_ordered(name, demand):
    told = {**DEMANDS[demand], "effects": ["trend", "shock"]}
    problem = restock.load_problem("diamond", demand=told, horizon=40)
    blind, informed = (orders(problem, name, information=level) for level in ("blind", "informed"))
    assert (blind != informed).any()


@pytest.mark.parametrize("field", ["mean", "noise_scale", "effects", "goodwill", "distribution", "block"])
def test_a_field_of_demand_changes_what_is_asked_for(field):
    start: dict[str, Any] = {"mean": 20} if field != "block" else DEMANDS["resampled"]
    if field == "noise_scale":
        start = DEMANDS["resampled"]  # once it had none there
    changed = {
        "mean": {"mean": 30}, "noise_scale": {**start, "noise_scale": 0.4}, "effects": {**start, "effects": ["shock"]},
        "goodwill": {**start, "goodwill": True}, "distribution": {**start, "distribution": "normal"},
        "block": {**start, "distribution": {"name": "empirical", "block": 5}},
    }[field]  # fmt: skip
    asked = [
        restock.simulate(restock.load_problem("serial", demand=demand), "constant-order", 4, 1).trajectory["demand"]
        for demand in (start, changed)
    ]
    assert (asked[0] != asked[1]).any()
