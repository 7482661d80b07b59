"""Shared stock as the tutorial's published example works: one class, loops over locations, missions and lots.

Restated from what the class `MultiInvEnv` of github.com/kziliask/drl_inventory_env (src/example_env.py) does in a day,
in the same plain way: missions are dictionaries; what each needs is drawn on the day, a chance before a count;
demand and stock-outs are kept for analysis; stock and what is on the way are lists; the reward is a NumPy float32;
expected demand is summed up twice an observation, once to show it and once for the ratio; every block is cut off at
zero; `info` has the lead times and the day. For each pair of locations that may ship, the example also goes through
the whole action for a fee on every entry of a unit or more, at the rate 0 in the recorded version: `fee=None` leaves
that out. What it gets wrong is left out: lots outlive no reset here, and the caller keeps his action.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

Blocks = dict[str, Any]


class PlainSharing(gym.Env[Any, Any]):
    """The tutorial scenario for n locations, the last of which is the depot, in plain Python.

    Args:
        n_locations: Locations [n].
        n_timesteps: Days [T]; T - 1 of them are played.
        fee: Reward lost for every entry of the action of a unit or more, for each pair of locations; None to leave
            the search for such entries out.
    """

    def __init__(self, n_locations: int = 4, n_timesteps: int = 50, fee: float | None = 0.0) -> None:
        self.n, self.days, self.fee = n_locations, n_timesteps, fee
        block = gym.spaces.Box(0.0, np.inf, (self.n,), np.float32)
        self.action_space = gym.spaces.Box(0.0, 100.0, (self.n, self.n), np.float32)
        self.observation_space = gym.spaces.Dict(
            dict.fromkeys(("inventory", "expected_demand", "expected_demand_ratio", "pipeline_inventory"), block)
        )
        self.lead_times = [[2] * self.n for _ in range(self.n)]
        self.depot = self.n - 1
        self.draw = np.random.default_rng(42)
        self.missions = [[self._drawn() for _ in range(self.days)] for _ in range(self.n)]

    def _drawn(self) -> list[dict[str, Any]]:
        count = self.draw.integers(8, 12)
        return [
            {"distance": self.draw.uniform(5000.0, 5000.0), "aircraft": self.draw.integers(7, 9)} for _ in range(count)
        ]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Blocks, Blocks]:
        super().reset(seed=seed)
        self.inventory: list[Any] = [20.0] * self.n
        self.inventory[self.depot] = 100_000.0
        self.pipeline: list[Any] = [0] * self.n
        self.in_transit: list[list[Any]] = []
        self.demands: list[list[list[Any]]] = []
        self.shortages: list[dict[str, int]] = []
        self.cost = 0.0
        self.today = 0
        return self._observe(), self._info()

    def _demand(self) -> list[list[Any]]:
        demand = []
        for i in range(self.n):
            needs = []
            for mission in self.missions[i][self.today]:
                sure = mission["distance"] * mission["aircraft"] / 1e6
                needs.append(sure + self.draw.binomial(int(mission["aircraft"]), self.draw.uniform(0.01, 0.03)))
            demand.append(needs)
        return demand

    def _expected(self) -> list[Any]:
        expected = []
        for i in range(self.n):
            distance, aircraft = 0.0, 0
            for mission in self.missions[i][self.today]:
                distance += mission["distance"]
                aircraft += mission["aircraft"]
            expected.append(distance * aircraft / 1e6 + aircraft * (0.01 + 0.03) / 2)
        return expected

    def _observe(self) -> Blocks:
        stock = np.array(self.inventory, dtype=np.float32)
        expected, again = (np.array(self._expected(), dtype=np.float32) for _ in range(2))
        return {
            "inventory": np.clip(stock, 0, np.inf),
            "expected_demand": np.clip(expected, 0, np.inf),
            "expected_demand_ratio": np.clip(stock / again, 0, np.inf),
            "pipeline_inventory": np.clip(np.array(self.pipeline, dtype=np.float32), 0, np.inf),
        }

    def _info(self) -> Blocks:
        return {"lead_times": np.array(self.lead_times), "current_T": np.array(self.today)}

    def step(self, action: Any) -> tuple[Blocks, Any, bool, bool, Blocks]:
        action = np.array(action)
        for j in range(self.n):
            asked = np.sum(action[:, j])
            if asked > self.inventory[j]:
                action[:, j] *= self.inventory[j] / asked
        reward = np.float32(0.0)
        demand = self._demand()
        self.demands.append(demand)
        for i in range(self.n):
            for need in demand[i]:
                self.inventory[i] -= need
                if self.inventory[i] < 0.0:
                    self.inventory[i] = 0.0
                    self.shortages.append({"location": i, "time": self.today})
                    reward -= 1
                else:
                    reward += 1
        still = []
        for lot in self.in_transit:
            lot[0] -= 1
            if lot[0] == 0:
                self.inventory[lot[2]] += lot[1]
                self.pipeline[lot[2]] -= lot[1]
            else:
                still.append(lot)
        self.in_transit = still
        for i in range(self.n):
            for j in range(self.n):
                if i != j:
                    quantity = min(action[i][j], self.inventory[j])
                    self.inventory[j] -= quantity
                    self.pipeline[i] += quantity
                    self.in_transit.append([self.lead_times[i][j], quantity, i])
                    self.cost += quantity + (10.0 if quantity > 1 else 0.0)
                    if j != self.depot:
                        self.cost += self.inventory[j]
                    if self.fee is not None:
                        for row in action:
                            for units in row:
                                if units >= 1.0:
                                    reward -= self.fee
        self.today += 1
        return self._observe(), reward, self.today >= self.days - 1, False, self._info()
