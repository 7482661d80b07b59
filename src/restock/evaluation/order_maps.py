"""Maps of a policy: its order on a link as a function of two numbers of the state.

A cell of a map is asked in states that were visited: the few episodes that came nearest to it in the
period in question are moved into it, and the answers averaged. So what else the policy sees (the last
demand, the shape of the pipeline, all other nodes) is what it is in such states, not a mixture that never
happens; and a policy that remembers has lived through those episodes.

    split    inventory position of the buyer across, units under way on the link upwards. Moving a state
             scales the pipeline and sets what is on hand. A base-stock policy orders the same all along
             a column, since it knows no more than the position.
    period   inventory position across, the period upwards. Moving a state sets what is on hand.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array
from restock.core.trajectory import Trajectory
from restock.evaluation.views import Seen
from restock.policies._base import Policy, View
from restock.problems.network import NetworkProblem

CELLS = 26  # of a map in each direction, about
MOST_PERIODS = 30  # rows of a map of periods
NEAREST = 6  # visited states that are moved into a cell
OUTER = 0.005  # share of the visited states that may lie beyond each end of an axis


@dataclasses.dataclass(frozen=True)
class OrderMap:
    """The orders of policies on one link.

    Attributes:
        link: Its name (`2->1`).
        kind: `split` or `period`.
        period: In which the policies were asked; None for a map of periods.
        position: Inventory positions of the buyer, shape (P,) (units).
        other: Units under way on the link, or periods, shape (Q,).
        orders: By policy, shape (Q, P) (units); NaN where there is no such state: with what is under way the
            position would be larger.
        visited: States in which the explained policy was asked, shape (V, 3): position, other axis, its order.
        slopes: By policy, over the cells that were visited, each as often as it was: how much the order
            changes with one unit more on hand, and with one unit more under way in place of on hand (0 for
            a base-stock policy). Empty for a map of periods.
    """

    link: str
    kind: Literal["split", "period"]
    period: int | None
    position: Array
    other: Array
    orders: Mapping[str, Array]
    visited: Array
    slopes: Mapping[str, tuple[float, float]]


@dataclasses.dataclass(frozen=True)
class Ground:
    """The data that maps are drawn from: the explained policy, undisturbed.

    Attributes:
        problem: The network.
        seen: What it saw.
        orders: What it ordered, shape (B, T, E) (units).
        seed: Of the policies' random streams.
    """

    problem: NetworkProblem
    seen: Seen
    orders: Array
    seed: int

    @classmethod
    def of(cls, problem: NetworkProblem, trajectory: Trajectory, seed: int) -> Ground:
        """Return the data of its simulation."""
        return cls(problem, Seen.of(trajectory, True), np.maximum(trajectory[problem.decision], 0.0), seed)

    def position(self, node: int) -> Array:
        """Return the inventory position of a node, shape (B, T) (units)."""
        fixed = self.problem.fixed
        links, markets = fixed.links, fixed.markets
        fields = self.seen.fields
        position = fields["on_hand"][:, :-1, node].copy()
        position += fields["in_transit"][:, :-1, np.asarray(links.buyer) == node].sum(axis=2)
        position -= fields["backlog"][:, :-1, np.asarray(markets.retailer) == node].sum(axis=2)
        return np.asarray(position)


class Place:
    """A link and its buyer, and how their state is set."""

    def __init__(self, ground: Ground, link: int) -> None:
        problem = ground.problem
        fixed = problem.fixed
        links, markets = fixed.links, fixed.markets
        self.link = link
        self.node = int(links.buyer[link])
        self.lead = int(links.lead_time[link])
        self._beside = [i for i in range(len(problem.links)) if links.buyer[i] == self.node and i != link]
        self._markets = [m for m in range(len(problem.markets)) if markets.retailer[m] == self.node]
        self._waits = problem.spec.backlog
        self.whole = all(
            np.array_equal(values, np.rint(values))
            for values in (ground.seen.fields["on_hand"][..., self.node], ground.seen.fields["in_transit"][..., link])
        )

    def set(self, view: View, rows: slice, position: Array, under_way: Array | None) -> NDArray[np.bool_]:
        """Write positions and pipelines of the link into rows of a view; return which rows are valid states."""
        now, past = view.now, view.past
        if under_way is not None:
            self._write(view, "in_transit", self.link, rows, under_way)
            span = slice(view.t - self.lead, view.t)
            before = past["shipped"][rows, span, self.link]
            before = np.where(before.sum(axis=1, keepdims=True) > 0.0, before, 1.0)
            share = np.cumsum(before, axis=1) / before.sum(axis=1, keepdims=True)
            until = share * under_way[:, None]
            until = np.floor(until + 0.5) if self.whole else until
            sent = np.diff(until, axis=1, prepend=0.0)
            for name in ("shipped", "ordered"):
                past[name][rows, span, self.link] = sent
        others = now["in_transit"][rows][:, [self.link, *self._beside]].sum(axis=1)
        on_hand = position - others
        waits = np.zeros_like(on_hand)
        possible = on_hand >= 0.0
        if self._markets:
            if self._waits:
                waits, possible = np.maximum(-on_hand, 0.0), np.ones_like(possible)
            for k, market in enumerate(self._markets):
                for name in ("backlog", "unmet") if self._waits else ():
                    self._write(view, name, market, rows, waits if k == 0 else np.zeros_like(waits))
        self._write(view, "on_hand", self.node, rows, np.maximum(on_hand, 0.0))
        return np.asarray(possible)

    def add(self, view: View, rows: slice, until: int, unit: float) -> None:
        """Add a unit to rows of a view: on hand (-1), or to the arrivals of a given period."""
        name, entry = ("on_hand", self.node) if until < 0 else ("in_transit", self.link)
        self._write(view, name, entry, rows, view.now[name][rows, entry] + unit)
        if until >= 0:
            for name in ("shipped", "ordered"):
                view.past[name][rows, view.t - self.lead + until, self.link] += unit

    def _write(self, view: View, name: str, entry: int, rows: slice, values: Array) -> None:
        view.now[name][rows, entry] = values
        if view.t:
            view.past[name][rows, -1, entry] = values


def split_map(ground: Ground, policies: Mapping[str, Policy], link: int, period: int) -> OrderMap | None:
    """Return the orders by position and units in transit; None if nothing is ever in transit in that period."""
    place = Place(ground, link)
    horizon = ground.problem.horizon
    if not 0 < place.lead <= period:
        return None
    near = slice(max(period - horizon // 8, place.lead), min(period + horizon // 8 + 1, horizon))
    positions = ground.position(place.node)[:, near].ravel()
    under_way = ground.seen.fields["in_transit"][:, near, link].ravel()
    across, upwards = _axis(positions, place.whole), _axis(under_way, place.whole, 0.0)
    if len(upwards) < 2 or len(across) < 2:
        return None
    cells = np.stack([a.ravel() for a in np.meshgrid(across, upwards)], axis=1)
    there = ground.position(place.node)[:, period], ground.seen.fields["in_transit"][:, period, link]
    nearest = _nearest(np.stack(there, axis=1), cells)
    asked = {period: (slice(None), np.repeat(cells, nearest.shape[1], axis=0))}
    found = {
        name: _asked(ground, policy, place, nearest, asked).reshape(len(upwards), len(across))
        for name, policy in policies.items()
    }
    visited = np.stack([positions, under_way, ground.orders[:, near, link].ravel()], axis=1)
    slopes = {name: _slopes(orders, across, upwards, visited) for name, orders in found.items()}
    return OrderMap(_name(ground, link), "split", period, across, upwards, found, visited, slopes)


def period_map(ground: Ground, policies: Mapping[str, Policy], link: int) -> OrderMap | None:
    """Return the orders by position and period; None if the position never changes."""
    place = Place(ground, link)
    horizon = ground.problem.horizon
    periods = np.unique(np.linspace(1, horizon - 1, min(horizon - 1, MOST_PERIODS)).astype(int))
    positions = ground.position(place.node)
    begun = max(1, min(2 * place.lead, horizon // 3))  # before, the pipeline fills up
    across = _axis(positions[:, begun:].ravel(), place.whole)
    if len(across) < 2 or len(periods) < 2:
        return None
    nearest = np.concatenate([_nearest(positions[:, t : t + 1], across[:, None]) for t in periods])
    each = len(across) * nearest.shape[1]
    cells = np.repeat(across[:, None], nearest.shape[1], axis=0)
    asked = {int(t): (slice(k * each, (k + 1) * each), cells) for k, t in enumerate(periods)}
    found = {
        name: _asked(ground, policy, place, nearest, asked).reshape(len(periods), len(across))
        for name, policy in policies.items()
    }
    upwards = np.repeat(periods[None, :], len(positions), axis=0)
    visited = np.stack(
        [part.ravel() for part in (positions[:, periods], upwards, ground.orders[:, periods, link])], axis=1
    )
    return OrderMap(_name(ground, link), "period", None, across, periods.astype(float), found, visited, {})


def _nearest(states: Array, cells: Array) -> NDArray[np.int64]:
    """Return the episodes with the states nearest to each cell, shape (C, K)."""
    scale = states.std(axis=0) + 1e-9
    apart = ((states[None] / scale - cells[:, None] / scale) ** 2).sum(axis=2)
    return np.argsort(apart, axis=1, kind="stable")[:, :NEAREST]


def _asked(
    ground: Ground,
    policy: Policy,
    place: Place,
    nearest: NDArray[np.int64],
    asked: Mapping[int, tuple[slice, Array]],
) -> Array:
    """Return the mean order in each cell, shape (C,) (units); NaN where the cell is not a state.

    Args:
        ground: Of the maps.
        policy: Who is asked.
        place: Where.
        nearest: Episodes that are moved into each cell, shape (C, K).
        asked: In which period which rows of the C K episodes are moved where: position, units under way.
    """
    seen = ground.seen.rows(nearest.ravel())
    if policy.information == "blind":
        seen = Seen(seen.fields, None)
    policy.begin(nearest.size, ground.seed, None)
    orders = np.full(nearest.size, np.nan)
    for t in range(max(asked) + 1):
        view = seen.view(t, writable=True)  # rows that were moved are not looked at again
        if t not in asked:
            policy.act(view)
            continue
        rows, cells = asked[t]
        possible = place.set(view, rows, cells[:, 0], cells[:, 1] if cells.shape[1] > 1 else None)
        answers = np.asarray(policy.act(view), dtype=np.float64)[rows, place.link]
        orders[rows] = np.where(possible, np.maximum(answers, 0.0), np.nan)
    each = orders.reshape(nearest.shape)
    known = np.isfinite(each).sum(axis=1)
    return np.asarray(np.where(known > 0, np.nansum(each, axis=1) / np.maximum(known, 1), np.nan))


def _axis(values: Array, whole: bool, least: float = -np.inf) -> Array:
    """Return an axis of a map: evenly spaced from the least to the largest visited value, without outliers."""
    low, high = np.quantile(values, [OUTER, 1.0 - OUTER])
    room = 0.08 * (high - low)
    low, high = max(low - room, least), high + room
    if not whole:
        return np.linspace(low, high, CELLS) if high > low + 1e-9 else np.array([low])
    low, high = np.floor(low), np.ceil(high)
    step = max(1.0, np.ceil((high - low) / CELLS))
    return np.arange(low, high + step, step)


def _slopes(orders: Array, across: Array, upwards: Array, visited: Array) -> tuple[float, float]:
    """Return the change of the order with a unit on hand, and with a unit in transit in place of one on hand."""
    weight = np.histogram2d(visited[:, 1], visited[:, 0], [_edges(upwards), _edges(across)])[0]
    found = []
    for axis, places in ((1, across), (0, upwards)):
        steep = np.diff(orders, axis=axis) / np.diff(places).mean()
        beside = weight[:, :-1] + weight[:, 1:] if axis == 1 else weight[:-1] + weight[1:]
        known = np.isfinite(steep) & (beside > 0.0)
        found.append(float(np.average(steep[known], weights=beside[known])) if known.any() else float("nan"))
    return found[0], found[1]


def _edges(centres: Array) -> Array:
    half = (centres[1] - centres[0]) / 2.0
    return np.append(centres - half, centres[-1] + half)


def _name(ground: Ground, link: int) -> str:
    return ground.problem.labels()["ordered"][link]


def busiest(ground: Ground, count: int) -> Sequence[int]:
    """Return the links with the largest orders, in the problem's order."""
    total = ground.orders.sum(axis=(0, 1))
    return sorted(np.argsort(-total, kind="stable")[:count].tolist())
