"""Key figures of a trajectory. Every one is computed from the named arrays, for any problem that has them.

To add one, add an entry to `KPIS`: terminal, JSON, CSV, tables, reports and explanations follow from it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from restock.core.errors import InvalidInput
from restock.core.trajectory import Trajectory

Array = NDArray[np.float64]

Figures = dict[str, Array]  # by name, each of the shape of the batch


@dataclasses.dataclass(frozen=True)
class Kpi:
    """A key figure: everything that is computed, shown and explained of it follows from its entry in `KPIS`.

    Attributes:
        name: Its key in JSON and its column in CSV.
        title: What reports call it; `{words...}` stands for the problem's own words.
        meaning: What it is.
        unit: `money`, `units`, `share` (an episode has 0 to 1, shown as a percentage) or `ratio`.
        group: The table that it stands in.
        formula: Computes it from a trajectory and the figures declared before it.
        needs: Fields without which it is left out; see `_has` for those that stand for what the layout names.
        of_demand: Whether it is a share of demand: over several episodes that of all their demand together.
        idle: The value that says nothing; where every policy has it, reports leave the figure out.
        last: Whether it stands at the end of its table, and not where it is declared.
    """

    name: str
    title: str
    meaning: str
    unit: str
    group: str
    formula: Callable[[Trajectory, Figures], Array]
    needs: tuple[str, ...] = ()
    of_demand: bool = False
    idle: float = 0.0
    last: bool = False


def kpis(trajectory: Trajectory, horizon: int | None = None, partial: bool = False) -> dict[str, Array]:
    """Return the key figures by name (see `KPIS`), each of the shape of the batch.

    Money parts appear under their own names (`revenue`, `holding`, ...), undiscounted and positive.

    Args:
        trajectory: One episode or a batch.
        horizon: Periods of a whole episode; needed to tell whether this is one.
        partial: Whether an episode cut short is acceptable.

    Raises:
        InvalidInput: No period was played, or the episode is not over and `partial` is false.
    """
    periods = trajectory.periods
    if periods == 0:
        raise InvalidInput("trajectory", "0 periods", "nothing has happened yet", "Play at least one period.")
    if horizon is not None and periods < horizon and not partial:
        raise InvalidInput(
            "trajectory",
            f"{periods} of {horizon} periods",
            "the episode is not over",
            "Play it to the end, or pass partial=True.",
        )
    figures: Figures = {}
    _compute([kpi for kpi in KPIS.values() if kpi.group == MONEY], trajectory, figures)
    for name, amount in trajectory.money.items():
        figures[name] = amount.sum(axis=(-2, -1))
    _compute([kpi for kpi in KPIS.values() if kpi.group != MONEY], trajectory, figures)
    return figures


def _compute(which: Iterable[Kpi], trajectory: Trajectory, figures: Figures) -> None:
    """Add the figures that the trajectory has the fields for."""
    for kpi in which:
        if all(_has(trajectory, name) for name in kpi.needs):
            figures[kpi.name] = kpi.formula(trajectory, figures)


def _has(trajectory: Trajectory, name: str) -> bool:
    """Whether there is a field; `service`: those that the layout measures service by, `serving`: places that serve."""
    if name == "service":
        return all(field in trajectory for field in trajectory.layout.service)
    if name == "serving":
        return trajectory.layout.serving is not None
    return name in trajectory


def variance_ratio(placed: Array, received: Array, trajectory: Trajectory) -> Array:
    """Return the variance of orders placed over that of orders received, both of shape (..., T); 1 if constant."""
    return _ratio(_moments(placed, trajectory)[1], _moments(received, trajectory)[1], 1.0)


def _over_time(values: Array, trajectory: Trajectory) -> Array:
    """Return the mean of values of shape (..., T) over the periods that were played."""
    if trajectory.whole:
        return np.asarray(values.mean(axis=-1))
    return np.asarray((values * trajectory.played).sum(axis=-1) / trajectory.lengths)


def _moments(values: Array, trajectory: Trajectory) -> tuple[Array, Array]:
    """Return the mean and variance of values of shape (..., T) over the periods that were played."""
    mean = _over_time(values, trajectory)
    return mean, _over_time((values - mean[..., None]) ** 2, trajectory)


def _ratio(top: Array, bottom: Array, otherwise: float) -> Array:
    """Return the ratio, or `otherwise` if the denominator is (nearly) zero."""
    small = np.abs(bottom) <= 1e-8
    return np.where(small, otherwise, top / np.where(small, 1.0, bottom))


def _total(name: str, trajectory: Trajectory) -> Array:
    """Sum of a field over periods and entries."""
    return np.asarray(trajectory[name].sum(axis=(-2, -1)))


def _fill_rate(trajectory: Trajectory, figures: Figures) -> Array:
    served, asked = (trajectory[name] for name in trajectory.layout.service)
    late = trajectory.get("backlog")
    # What waits is served first, so what is left of the sales fills demand of the period itself.
    at_once = served if late is None else np.maximum(served - late[..., :-1, :], 0.0)
    return _ratio(at_once.sum(axis=(-2, -1)), asked.sum(axis=(-2, -1)), 1.0)


def _served_rate(trajectory: Trajectory, figures: Figures) -> Array:
    served, asked = trajectory.layout.service
    return _ratio(_total(served, trajectory), _total(asked, trajectory), 1.0)


def _ready_rate(trajectory: Trajectory, figures: Figures) -> Array:
    stock = trajectory["on_hand"][..., 1:, sorted(set(trajectory.layout.serving or ()))]
    return _over_time((stock > 1e-9).mean(axis=-1), trajectory)


def _alpha_service(trajectory: Trajectory, figures: Figures) -> Array:
    unmet = trajectory["unmet"].sum(axis=-1)
    return _over_time((unmet <= 1e-9).astype(np.float64), trajectory)


def _owed(trajectory: Trajectory, figures: Figures) -> Array:
    late = trajectory.get("backlog")
    return np.zeros_like(figures["sold"]) if late is None else np.asarray(late[..., -1, :].sum(axis=-1))


def _stock(name: str, trajectory: Trajectory) -> Array:
    """Mean over the periods of what is there at their end, all entries together."""
    return _over_time(trajectory[name][..., 1:, :].sum(axis=-1), trajectory)


def _bullwhip_cv(trajectory: Trajectory, figures: Figures) -> Array:
    mean, variance = _moments(np.moveaxis(trajectory["ordered"], -1, 0), trajectory)  # links first
    demand_mean, demand_variance = _moments(trajectory["demand"].sum(axis=-1), trajectory)
    link_cv = _ratio(np.sqrt(variance), mean, 0.0)
    return _ratio(link_cv.max(axis=0, initial=0.0), _ratio(np.sqrt(demand_variance), demand_mean, 0.0), 0.0)


def _bullwhip_variance(trajectory: Trajectory, figures: Figures) -> Array:
    orders = np.moveaxis(trajectory["ordered"], -1, 0).sum(axis=0)
    return variance_ratio(orders, trajectory["demand"].sum(axis=-1), trajectory)


MONEY, SERVICE, STOCK, ORDERS = "Money", "Service", "Stock", "Orders"  # groups
SALES = ("demand", "sold", "service")

# Each may use the figures above it. Orders count as placed, whatever was filled; variances divide by the number of
# periods.
KPIS = {
    kpi.name: kpi
    for kpi in (
        Kpi(
            "profit", "{words.worth}", "sum of the rewards (discounted as the problem says)",
            "money", MONEY, lambda trajectory, figures: trajectory.rewards.sum(axis=-1),
        ),
        Kpi(
            "profit_per_period", "{words.worth} per {words.period}", "profit / periods",
            "money", MONEY, lambda trajectory, figures: figures["profit"] / trajectory.lengths,
        ),
        Kpi(
            "demand", "demand", "units asked for",
            "units", SERVICE, lambda trajectory, figures: _total("demand", trajectory), SALES,
        ),
        Kpi(
            "sold", "sold", "units sold, at once or later",
            "units", SERVICE, lambda trajectory, figures: _total("sold", trajectory), SALES,
        ),
        Kpi(
            "fill_rate", "fill rate",
            "share of demand that was filled from stock in its own period (type-2 or beta service); 1 without demand",
            "share", SERVICE, _fill_rate, SALES, of_demand=True,
        ),
        Kpi(
            "served_rate", "served, late or at once",
            "sold / demand, late sales included (the fill rate of gym-invmgmt); 1 without demand",
            "share", SERVICE, _served_rate, SALES, of_demand=True,
        ),
        Kpi(
            "ready_rate", "ready rate",
            "share of periods that ended with stock on hand, mean over the places that serve customers",
            "share", SERVICE, _ready_rate, (*SALES, "serving", "on_hand"),
        ),
        Kpi(
            "alpha_service", "periods without a shortage",
            "share of periods in which all demand was met, anywhere (type-1 or alpha service of a period; the "
            "service level of gym-invmgmt)",
            "share", SERVICE, _alpha_service, (*SALES, "unmet"),
        ),
        Kpi(
            "backlog", "backlog at the end", "units still owed at the end",
            "units", SERVICE, _owed, (*SALES, "unmet"),
        ),
        Kpi(
            "lost_sales", "lost sales", "units of demand that were lost",
            "units", SERVICE,
            lambda trajectory, figures: np.maximum(figures["demand"] - figures["sold"] - figures["backlog"], 0.0),
            (*SALES, "unmet"),
        ),
        Kpi(
            "average_inventory", "average inventory, all {words.places}",
            "stock at the end of a period, mean over periods, all places together",
            "units", STOCK, lambda trajectory, figures: _stock("on_hand", trajectory), ("on_hand",),
        ),
        Kpi(
            "inventory_turns", "inventory turns", "sold / average inventory, in one episode",
            "ratio", STOCK,
            lambda trajectory, figures: _ratio(figures["sold"], figures["average_inventory"], np.inf),
            (*SALES, "on_hand"), last=True,
        ),
        Kpi(
            "average_in_transit", "average in transit",
            "units under way at the end of a period, mean over periods, all together",
            "units", STOCK, lambda trajectory, figures: _stock("in_transit", trajectory), ("in_transit",),
        ),
        Kpi(
            "bullwhip_cv", "bullwhip, ratio of variation",
            "largest coefficient of variation of a link's or product's orders / that of demand; 0 if that is 0",
            "ratio", ORDERS, _bullwhip_cv, ("ordered", "demand"),
        ),
        Kpi(
            "bullwhip_variance", "bullwhip, ratio of variance",
            "variance of all orders together / variance of demand; 1 if demand never varies",
            "ratio", ORDERS, _bullwhip_variance, ("ordered", "demand"),
        ),
        Kpi(
            "goodwill", "goodwill at the end", "goodwill at the end",
            "ratio", SERVICE, lambda trajectory, figures: trajectory["sentiment"][..., -1, 0], ("sentiment",),
            idle=1.0,
        ),
    )
}  # fmt: skip
