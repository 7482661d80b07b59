"""Parameters of compiled policies: declared once, packed by name, the same compiled and row-wise."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import restock
from restock.core.errors import InvalidInput
from restock.core.play import draw
from restock.evaluation import simulate as simulation
from restock.policies import TextPolicy
from restock.policies.parameters import LINK, NODE, PERIOD, Packing, Parameter
from restock.policies.registry import policy_class

SOURCES = Path(inspect.getfile(restock)).parent / "policies"


def growing(t, own, nodes, links, markets, rules, state, chance, flows):
    """Order what was ordered in the period before and the quantity of this one, up to a limit."""
    for i in range(len(flows.ordered)):
        before = own.ordered[i] if t > 0 else 0.0
        own.ordered[i] = clipped(before + own.rate * own.quantity[i], own.limit[i])
        flows.ordered[i] = own.ordered[i]


def clipped(amount: Any, limit: Any) -> Any:
    """Return the amount, at most the limit."""
    return smaller(amount, limit)  # noqa: F821 - an operation that every back end brings


class Growing(TextPolicy):
    """A policy with a table by period, one by link, a single number and a note."""

    name, summary = "growing", "more every day"
    text, helpers = staticmethod(growing), (clipped,)
    packing = Packing(
        "Own",
        __name__,
        rate=Parameter((), "", "factor", "rate"),
        quantity=Parameter((PERIOD, LINK), "units", "added in a period", "quantity"),
        limit=Parameter((LINK,), "units", "most"),
        ordered=Parameter((LINK,), "units", "ordered last", note=True),
    )

    def __init__(self, problem: Any, rate: float = 0.5) -> None:
        super().__init__(problem)
        links, periods = len(self.problem.links), self.problem.horizon
        table = 1.0 + np.arange(periods * links, dtype=float).reshape(periods, links) / 7.0
        self.reads(rate=rate, quantity=table, limit=np.full(links, 31.5))


Own = Growing.packing.kind


def test_compiled_and_row_wise_are_the_same() -> None:
    problem = restock.load_problem("divergent")
    policy, chance = Growing(problem), draw(problem, 6, 4)
    fast, slow = (simulation.run(problem, policy, chance, 0, compiled=compiled) for compiled in (True, False))
    np.testing.assert_array_equal(fast.trajectory["ordered"], slow.trajectory["ordered"])
    links, table = len(problem.links), policy._own
    assert table is not None and table["quantity"].shape == (problem.horizon, links)
    np.testing.assert_allclose(
        fast.trajectory["ordered"][0], np.minimum(np.cumsum(0.5 * table["quantity"], axis=0), 31.5)
    )  # fmt: skip
    assert policy.packing.in_words(table, {LINK: ["a"] * links, NODE: []})["rate"] == 0.5


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rate": None}, "rate"),
        ({"more": 1.0}, "more"),
        ({"limit": np.ones(2)}, "limit"),
        ({"limit": np.ones((3, 3))}, "limit"),
        ({"rate": np.ones(3)}, "rate"),
        ({"ordered": np.ones(3)}, "ordered"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(change: dict[str, Any], field: str) -> None:
    given = {"rate": 1.0, "quantity": np.ones((4, 3)), "limit": np.ones(3), **change}
    with pytest.raises(InvalidInput, match=f"^{field}"):
        Growing.packing.checked({name: value for name, value in given.items() if value is not None})


def test_notes_come_last() -> None:
    with pytest.raises(TypeError, match="notes"):
        Packing("Own", __name__, kept=Parameter((LINK,), "", "", note=True), rate=Parameter((), "", ""))


def test_no_text_counts_places_in_the_flat_numbers() -> None:
    for path in set(SOURCES.rglob("*.py")) - {SOURCES / "parameters.py"}:
        assert not re.search(r"\bparameters\[", path.read_text(encoding="utf-8")), path


def test_every_parameter_says_what_it_is() -> None:
    for family in ("network", "sharing", "retail"):
        for name in restock.list_policies(family):
            packing = getattr(policy_class(name, family), "packing", None)
            for one in () if packing is None else packing.parameters.values():
                assert one.meaning, name
