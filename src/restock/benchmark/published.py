"""Published results for the scenarios of a suite; only their means are known."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Mapping
from importlib import resources
from typing import cast

from restock.benchmark.suite import shipped
from restock.policies._base import Information


@dataclasses.dataclass(frozen=True)
class PublishedRow:
    """The published results of one agent.

    Attributes:
        name: The agent.
        information: What it knew.
        profit: Mean profit of an episode, by scenario.
        seconds: Mean seconds an episode, by scenario; on the authors' machine.
    """

    name: str
    information: Information
    profit: Mapping[str, float]
    seconds: Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Published:
    """A published table.

    Attributes:
        source: Where it comes from.
        oracle: Mean profit of its hindsight optimum, by scenario.
        rows: One an agent.
    """

    source: str
    oracle: Mapping[str, float]
    rows: tuple[PublishedRow, ...]


def load_published(name: str) -> Published:
    """Return a published table shipped with the package."""
    about = shipped("published", name)
    place = resources.files("restock.benchmark").joinpath("published", f"{name}.csv")
    profit: dict[str, dict[str, float]] = {agent: {} for agent in about["agents"]}
    seconds: dict[str, dict[str, float]] = {agent: {} for agent in about["agents"]}
    for entry in csv.DictReader(place.read_text(encoding="utf-8").splitlines()):
        profit[entry["agent"]][entry["scenario"]] = float(entry["profit"])
        seconds[entry["agent"]][entry["scenario"]] = float(entry["seconds"])
    rows = tuple(
        PublishedRow(agent, cast(Information, level), profit[agent], seconds[agent])
        for agent, level in about["agents"].items()
    )
    return Published(about["source"], profit[about["oracle"]], rows)
