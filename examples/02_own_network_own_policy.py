"""Describe a supply network, write a policy of your own, and compare it fairly with the built-in ones.

    python examples/02_own_network_own_policy.py

Every policy meets the same demand; the hindsight optimum says what could have been earned.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

import restock
from restock.policies import Policy, View

SHOP = {
    "name": "corner-shop",
    "horizon": 60,
    "nodes": [
        {"id": "shop", "initial_inventory": 60, "holding_cost": 0.03},
        {"id": "depot", "initial_inventory": 120, "holding_cost": 0.01},
        {"id": "supplier"},  # no supplier of its own: never runs short
    ],
    "links": [
        {"from": "depot", "to": "shop", "lead_time": 2, "price": 1.2, "pipeline_cost": 0.01},
        {"from": "supplier", "to": "depot", "lead_time": 5, "price": 0.7},
    ],
    "markets": [{"from": "shop", "to": "customers", "price": 2.0, "shortage_cost": 0.1, "mean": 12}],
    "demand": {"distribution": "poisson", "effects": {"seasonal": {"amplitude": 0.4, "period": 30}}},
}


class Weekly(Policy):
    """The supplier comes once a week: order up to a level then; the shop replaces what it sold yesterday."""

    name: ClassVar[str] = "weekly"
    summary: ClassVar[str] = "the depot orders up to a level once a week; the shop replaces what it sold"

    def __init__(self, problem: object, level: float = 220.0) -> None:
        super().__init__(problem)
        self.level = level

    def act(self, view: View) -> np.ndarray:
        """Orders of shape (episodes, links); nodes are depot and shop, links depot -> shop and supplier -> depot."""
        sold = view.past["sold"][:, -1, 0] if view.t else np.full(len(view["on_hand"]), 12.0)
        position = view["on_hand"][:, 0] + view["in_transit"][:, 1]
        weekly = np.maximum(self.level - position, 0.0) if view.t % 7 == 0 else np.zeros(len(position))
        return np.stack([sold, weekly], axis=1)

    def parameters_in_words(self) -> dict[str, float]:
        """Shown in tables and reports."""
        return {"level": self.level}


def main() -> None:
    """Compare on common demand."""
    problem = restock.load_problem(SHOP)
    print(problem.explain())
    print()
    policies = {
        "constant-order": "constant-order",
        "base-stock": "base-stock",
        "weekly, up to 180": Weekly(problem, level=180.0),
        "weekly, up to 220": Weekly(problem),
    }
    table = restock.compare(problem, policies, episodes=100, seed=7)
    print(f"{'policy':18} {'profit':>8} {'95% interval':>18} {'of the bound':>13} {'fill rate':>10}")
    for row in table.rows:
        interval = f"{row.profit.low:.1f} to {row.profit.high:.1f}"
        print(
            f"{row.name:18} {row.profit.mean:8.1f} {interval:>18} {1.0 - row.gap:13.1%} {row.kpis['fill_rate']:10.1%}"
        )


if __name__ == "__main__":
    main()
