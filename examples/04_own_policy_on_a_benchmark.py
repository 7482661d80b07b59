"""Run a policy of your own on a suite of the benchmark, beside built-in ones, and read the leaderboard.

    python examples/04_own_policy_on_a_benchmark.py

The same on the command line, for the 22 scenarios of a published benchmark (a minute or two):

    restock bench --suite gym-invmgmt --policies examples/04_own_policy_on_a_benchmark.py:Smoothed --policies fast
    restock leaderboard runs/gym-invmgmt --out leaderboard.html
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from restock.benchmark.leaderboard import leaderboard
from restock.benchmark.runner import bench
from restock.policies import Policy, View
from restock.policies.flows import last_useful_period, mean_flow
from restock.report.board import write_board
from restock.report.standings import answer, notes


class Smoothed(Policy):
    """Sends through every link the flow that smoothed past demand asks for, while it can still be sold."""

    name: ClassVar[str] = "smoothed"
    summary: ClassVar[str] = "the flow of each link at exponentially smoothed demand"

    def __init__(self, problem: object, weight: float = 0.2) -> None:
        super().__init__(problem)
        self.weight = weight
        markets = np.eye(len(self.problem.markets))
        # Orders of each link for one unit of demand at each market: shape (M, E).
        self.per_unit = np.stack([mean_flow(self.problem, one)[1] for one in markets])
        self.last = last_useful_period(self.problem)

    def act(self, view: View) -> np.ndarray:
        """Orders of shape (episodes, links)."""
        level = np.tile(self.problem.demand.mean[0], (len(view["on_hand"]), 1))
        for demand in np.moveaxis(view.past["demand"], 1, 0):
            level += self.weight * (demand - level)
        return np.where(view.t < self.last, level @ self.per_unit, 0.0)


def main() -> None:
    """Run it, print who is ahead, and write the page."""
    mine = {"name": "smoothed", "policy": f"{Path(__file__).resolve()}:Smoothed"}
    policies = [
        mine,
        "base-stock",
        {"name": "base-stock-I", "policy": "base-stock", "params": {"information": "informed"}},
    ]
    run = bench("smoke", policies, out="runs/example", jobs=2)
    board = leaderboard([run.path])
    for row in board.rows:
        share = "not finished" if row.ratio is None else f"{row.ratio.mean:6.1%} of the bound"
        print(f"{row.rank or '-':>3}  {row.shown:15} {row.information:12} {share}")
    print("\n".join([*answer(board), *notes(board)]))
    print(write_board(board, "leaderboard.html"))


if __name__ == "__main__":
    main()
