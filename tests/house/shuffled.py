"""Tests in random order: `RESTOCK_TEST_ORDER=3 python -m pytest -p tests.house.shuffled`.

Modules are shuffled, and the tests within each: what they share is still made once. The number is the seed, so
an order can be had again.
"""

from __future__ import annotations

import os
import random

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests into the order of the seed."""
    modules: dict[str, list[pytest.Item]] = {}
    for item in items:
        modules.setdefault(item.nodeid.partition("::")[0], []).append(item)
    order = random.Random(int(os.environ.get("RESTOCK_TEST_ORDER", "0")))
    groups = list(modules.values())
    order.shuffle(groups)
    for group in groups:
        order.shuffle(group)
    items[:] = [item for group in groups for item in group]
