"""How actions of the store are read, and what the entries of its vectors are called."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

from restock.core.operations import MOST, SHIFT, UNIT, reading, smaller

MEASURES = (
    "revenue", "purchases", "service", "expired", "rejected", "liquidated", "revenue score", "fulfilment score",
    "waste score", "cash score", "capacity score", "profit score", "hard failures",
)  # fmt: skip
FAILURES = ("invalid_action", "unaffordable_order", "bankrupt", "idle")
PARTS = (
    "revenue", "purchases", "service", "expiry", "rejection", "liquidation", "revenue_score", "fulfilment_score",
    "waste_score", "cash_score", "capacity_score", "profit_score", "hard_failures",
)  # fmt: skip


def decide(action, ints, floats, products, deliveries, rules, state, chance, flows):
    """Read an action: decision = unit * action + shift, not above the most."""
    for i in range(len(flows.decision)):
        asked = reading(UNIT, i, ints, floats) * action[i] + reading(SHIFT, i, ints, floats)
        flows.decision[i] = smaller(asked, reading(MOST, i, ints, floats))
