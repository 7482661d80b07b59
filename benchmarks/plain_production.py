"""The plant as a notebook would write it: one class, one step at a time, NumPy for the random numbers."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np


class PlainProduction(gym.Env[Any, Any]):
    """Buy, convert, sell with cash, in plain Python."""

    def __init__(self, max_steps: int = 500) -> None:
        self.max_steps = max_steps
        self.action_space = gym.spaces.Discrete(3)
        self.observation_space = gym.spaces.Box(0.0, np.inf, (6,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.raw, self.product, self.cash, self.steps = 0.0, 0.0, 1000.0, 0
        self.raw_price = max(0.1, 5.0 + self.np_random.normal(0.0, 0.2))
        self.product_price = max(0.1, 20.0 + self.np_random.normal(0.0, 0.2))
        self.demand = max(0.0, self.np_random.normal(10.0, 3.0))
        return self._observe(), {}

    def _observe(self) -> Any:
        return np.array(
            [self.raw, self.product, self.raw_price, self.product_price, self.demand, self.cash], dtype=np.float32
        )

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward, invalid = 0.0, False
        if action == 1 and self.cash >= self.raw_price:
            self.raw += 1
            self.cash -= self.raw_price
        elif action == 2 and self.raw >= 2:
            self.raw -= 2
            self.product += 1
            reward += 10.0
        elif action != 0:
            reward -= 2.0
            invalid = True
        before = self.product
        self.demand = max(0.0, self.np_random.normal(10.0, 3.0))
        sold = min(self.product, self.demand)
        unmet = self.demand - sold
        self.product -= sold
        revenue = sold * self.product_price
        self.cash += revenue
        holding = 0.1 * (self.raw + self.product)
        reward += revenue - 5.0 * unmet - holding
        self.raw_price = max(0.1, self.raw_price + self.np_random.normal(0.0, 0.2))
        self.product_price = max(0.1, self.product_price + self.np_random.normal(0.0, 0.2))
        self.steps += 1
        terminated = self.cash <= 0.0
        if terminated:
            reward -= 100.0
        info = {
            "sold_units": sold,
            "unmet_demand": unmet,
            "revenue": revenue,
            "holding_cost": holding,
            "invalid_action": invalid,
            "product_inventory_before_sale": before,
            "product_inventory_after_sale": self.product,
        }
        return self._observe(), reward, terminated, self.steps >= self.max_steps, info
