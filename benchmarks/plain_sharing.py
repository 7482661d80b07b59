"""Shared stock as a tutorial would write it: one class, loops over locations, missions and lots on the way."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np


class PlainSharing(gym.Env[Any, Any]):
    """The tutorial scenario for n locations, the last of which is the depot, in plain Python."""

    def __init__(self, n_locations: int = 4, n_timesteps: int = 50) -> None:
        self.n, self.days = n_locations, n_timesteps
        block = gym.spaces.Box(0.0, np.inf, (self.n,), np.float32)
        self.action_space = gym.spaces.Box(0.0, 100.0, (self.n, self.n), np.float32)
        self.observation_space = gym.spaces.Dict(
            dict.fromkeys(("inventory", "expected_demand", "expected_demand_ratio", "pipeline_inventory"), block)
        )
        draw = np.random.default_rng(0)
        self.missions = [
            [
                [(draw.uniform(5000.0, 5000.0), int(draw.integers(7, 9))) for _ in range(draw.integers(8, 12))]
                for _ in range(self.days)
            ]
            for _ in range(self.n)
        ]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.inventory = np.full(self.n, 20.0)
        self.inventory[-1] = 100_000.0
        self.pipeline = np.zeros(self.n)
        self.in_transit: list[list[Any]] = []
        self.today = 0
        return self._observe(), {}

    def _observe(self) -> dict[str, Any]:
        expected = np.zeros(self.n)
        for i in range(self.n):
            for distance, aircraft in self.missions[i][self.today]:
                expected[i] += distance * aircraft / 1e6 + aircraft * 0.02
        return {
            "inventory": self.inventory.astype(np.float32),
            "expected_demand": expected.astype(np.float32),
            "expected_demand_ratio": (self.inventory / expected).astype(np.float32),
            "pipeline_inventory": self.pipeline.astype(np.float32),
        }

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        action = np.array(action)
        for j in range(self.n):
            asked = action[:, j].sum()
            if asked > self.inventory[j]:
                action[:, j] *= self.inventory[j] / asked
        reward = 0.0
        filled, stockouts = np.zeros(self.n), np.zeros(self.n)
        for i in range(self.n):
            for distance, aircraft in self.missions[i][self.today]:
                chance = self.np_random.uniform(0.01, 0.03)
                self.inventory[i] -= distance * aircraft / 1e6 + self.np_random.binomial(aircraft, chance)
                if self.inventory[i] < 0.0:
                    self.inventory[i] = 0.0
                    stockouts[i] += 1
                    reward -= 1.0
                else:
                    filled[i] += 1
                    reward += 1.0
        for lot in self.in_transit:
            lot[0] -= 1
            if lot[0] == 0:
                self.inventory[lot[2]] += lot[1]
                self.pipeline[lot[2]] -= lot[1]
        self.in_transit = [lot for lot in self.in_transit if lot[0] > 0]
        cost = 0.0
        for i in range(self.n):
            for j in range(self.n):
                if i != j:
                    quantity = min(action[i, j], self.inventory[j])
                    self.inventory[j] -= quantity
                    self.pipeline[i] += quantity
                    self.in_transit.append([2, quantity, i])
                    cost += quantity + (10.0 if quantity > 1.0 else 0.0)
        cost += self.inventory[:-1].sum()
        self.today += 1
        info = {"filled": filled, "stockouts": stockouts, "cost": cost}
        return self._observe(), reward, self.today >= self.days - 1, False, info
