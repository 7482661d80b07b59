"""One setting or more of every kind of problem, small enough to be played often."""

from __future__ import annotations

from typing import Any

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "network": ("restock/Serial-v0", {"horizon": 8}),
    "network, goodwill": ("restock/Divergent-v0", {"horizon": 6, "demand": {"goodwill": True, "mean": 40}}),
    "sharing": ("restock/Sharing-v0", {"n_timesteps": 9}),
    "sharing, variable": (
        "restock/Sharing-v0",
        {
            "instance": "sharing-variable",
            "n_timesteps": 14,
            "n_locations": 3,
            "starting_inventory": [9.0, 2.0, 20.0],
            "lead_times": [[1, 0, 2], [3, 1, 1], [1, 2, 4]],
            "random_truncation": True,
            "cost_weight": 0.01,
        },
    ),
    "retail": ("restock/Retail-v0", {"task": "easy", "horizon": 9, "demand_stream": "seed"}),
    "retail, fast stream": (
        "restock/Retail-v0",
        {"task": "medium", "horizon": 7, "demand_stream": "fast", "reward": "decomposed", "initial_cash": 4000.0},
    ),
    "minimal": ("restock/Minimal-v0", {"horizon": 15}),
    "production": ("restock/Production-v0", {"max_steps": 12}),
    "production, going bankrupt": ("restock/Production-v0", {"max_steps": 9, "initial_cash": 10.0, "price_std": 0.01}),
}
