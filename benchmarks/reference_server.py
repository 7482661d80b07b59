"""The reference server, stated again: OpenEnv's own application over the plain statement of the store.

python -m benchmarks.reference_server PORT
"""

from __future__ import annotations

import sys
from typing import Any

from openenv.core.env_server.http_server import create_app
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import Action, Observation, State
from pydantic import Field

from benchmarks.plain_retail import PlainRetail
from restock.problems.load import load_problem

SESSIONS = 64


class StoreAction(Action):
    buy_quantities: dict[str, int] = Field(default={})
    delivery_method: str = "slow"
    liquidate: dict[str, int] = Field(default={})
    price_multipliers: dict[str, float] = Field(default={})


class StoreObservation(Observation):
    current_day: int
    total_cash: float
    day_profit: float
    total_profit: float
    demand_today: dict[str, int]
    updated_inventory: dict[str, list[list[int | None]]]
    remaining_capacity: dict[str, int]
    updated_events: dict[str, int]
    updated_deliveries: list[dict[str, list[int]]]


class Store(Environment):
    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self) -> None:
        super().__init__()
        self._store = PlainRetail(load_problem("retail-medium").spec, StoreObservation)
        self._store.reset()

    def reset(self, seed: int | None = None, episode_id: str | None = None, **asked: Any) -> StoreObservation:
        return self._store.reset()

    def step(self, action: StoreAction, timeout_s: float | None = None, **asked: Any) -> StoreObservation:
        return self._store.step(action)

    @property
    def state(self) -> State:
        return State()


def main(port: int) -> None:
    import uvicorn

    app = create_app(Store, StoreAction, StoreObservation, env_name="store", max_concurrent_envs=SESSIONS)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]))
