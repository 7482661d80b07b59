"""A supply network for language models: actions and observations as records."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pydantic
from numpy.typing import NDArray

from restock.core.problem import Array
from restock.core.records import Amount, Counted, Names, Played, Records
from restock.core.trajectory import tidy
from restock.core.validation import Spec, validated
from restock.problems.network import words

LINK = "by link, 'supplier->buyer'"


class NetworkAction(Spec):
    """What is ordered in a period; a link that is not named orders nothing."""

    orders: dict[str, Amount] = pydantic.Field({}, description=f"units ordered {LINK} (units, at least 0)")


class NetworkObservation(Spec):
    """What is known at the start of a period."""

    period: int = pydantic.Field(description="periods played (periods)")
    horizon: int = pydantic.Field(description="periods of the episode (periods)")
    on_hand: dict[str, float] = pydantic.Field(description="stock by stocking point (units)")
    in_transit: dict[str, float] = pydantic.Field(description=f"shipped and not yet arrived {LINK} (units)")
    arriving: dict[str, list[float]] = pydantic.Field(
        description=f"the same by period of arrival {LINK}: the next period first, one number a period (units)"
    )
    backlog: dict[str, float] = pydantic.Field(
        description="demand that waits to be served by market, 'retailer->market' (units); 0 where it is lost"
    )
    inventory_position: dict[str, float] = pydantic.Field(
        description="on hand + in transit to it - backlog, by stocking point (units)"
    )
    demand: dict[str, float] = pydantic.Field(
        description="demand of the last period by market, served or not (units); 0 before the first"
    )
    sold: dict[str, float] = pydantic.Field(
        description="units sold in the last period by market, backlog included (units)"
    )
    unmet: dict[str, float] = pydantic.Field(
        description="units not served in the last period by market: waiting, or lost (units)"
    )
    shipped: dict[str, float] = pydantic.Field(
        description=f"what the suppliers sent in the last period {LINK}: the order, or what they had (units)"
    )
    goodwill: float = pydantic.Field(description="factor of customers' goodwill on mean demand (1 = as usual)")
    profit: dict[str, float] = pydantic.Field(
        description="profit of the last period by parts, discounted; they add up to the reward (money)"
    )
    reward: float = pydantic.Field(description="profit of the last period, discounted (money)")
    done: bool = pydantic.Field(description="whether the last period is over (yes or no)")


class NetworkRecords(Records):
    """Records of a supply network."""

    action_type = NetworkAction
    observation_type = NetworkObservation

    @cached_property
    def _names(self) -> dict[str, Names]:
        labels = self.problem.labels()
        fields = {"stocking point": "on_hand", "link": "ordered", "market": "demand"}
        return {what: Names(what, labels[field]) for what, field in fields.items()}

    @cached_property
    def _leads(self) -> list[int]:
        return [link.lead_time for link in self.problem.spec.ordered_links]

    @cached_property
    def _ends(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Buyer of each link and retailer of each market, as places among the stocking points."""
        problem = self.problem
        buyers = [problem.rank[buyer] for _, buyer in problem.links]
        return np.array(buyers), np.array([problem.rank[one] for one, _ in problem.markets])

    def allowed(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the links."""
        return {"orders": {name: {} for name in self._names["link"]}}

    def decision(self, action: NetworkAction | Mapping[str, Any]) -> Array:
        """Return the units ordered on each link, shape (E,).

        Raises:
            InvalidInput: A link that there is not, or a number that is no quantity.
        """
        asked = validated(NetworkAction, action, "action")
        found = np.zeros(len(self.problem.links))
        self._names["link"].write(asked.orders, found, "action.orders")
        return found

    def action(self, decision: Any) -> NetworkAction:
        """Return the record of units ordered on each link."""
        return NetworkAction(orders=self._names["link"].above_zero(np.asarray(decision, dtype=np.float64)))

    def counted(self) -> tuple[Counted, ...]:
        """Return what each part of the profit counts."""
        return words.counted(self.problem)

    def observation(self, played: Played) -> NetworkObservation:
        """Return the present observation."""
        nodes, links, markets = self._names.values()
        now = {name: played.now(name) for name in ("on_hand", "in_transit")}
        # What of demand was served, or was not, is something or nothing beside all of it.
        served = tidy(np.stack([played.now(name) for name in ("backlog", "sold", "unmet")]), played.largest("demand"))
        now |= dict(zip(("backlog", "sold", "unmet"), served, strict=True))
        buyers, retailers = self._ends
        coming = np.bincount(buyers, now["in_transit"], len(nodes))
        owed = np.bincount(retailers, now["backlog"], len(nodes))
        position = tidy(now["on_hand"] + coming - owed, now["on_hand"] + coming + owed)
        return NetworkObservation(
            period=played.periods,
            horizon=self.problem.horizon,
            on_hand=nodes.read(now["on_hand"]),
            in_transit=links.read(now["in_transit"]),
            arriving=self._arriving(played),
            backlog=markets.read(now["backlog"]),
            inventory_position=nodes.read(position),
            demand=markets.read(played.now("demand")),
            sold=markets.read(now["sold"]),
            unmet=markets.read(now["unmet"]),
            shipped=links.read(played.now("shipped")),
            goodwill=float(played.now("sentiment")[0]),
            profit=dict(played.parts),
            reward=played.reward,
            done=played.done,
        )

    def _arriving(self, played: Played) -> dict[str, list[float]]:
        """Return what each link shipped in its last lead time, the oldest first: the next to arrive."""
        shipped = played["shipped"]
        shipped = tidy(shipped[max(0, len(shipped) - max(self._leads)) :], played.largest("shipped"))
        found = {}
        for k, (link, lead) in enumerate(zip(self._names["link"], self._leads, strict=True)):
            sent = shipped[max(0, len(shipped) - lead) :, k].tolist() if lead else []
            found[link] = [0.0] * (lead - len(sent)) + sent
        return found


def read(problem: Any, seen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recorded fields that an observation, as plain data, tells."""
    found = {name: list(seen[name].values()) for name in ("on_hand", "in_transit", "backlog", "unmet")}
    return found | {"sentiment": [seen["goodwill"]]}
