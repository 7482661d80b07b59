"""Key figures of a trajectory. Every one is computed from the named arrays, for any problem that has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from restock.core.errors import InvalidInput
from restock.core.trajectory import Trajectory

Array = NDArray[np.float64]

MEANINGS = {
    "profit": "sum of the rewards (discounted as the problem says)",
    "profit_per_period": "profit / periods",
    "demand": "units asked for",
    "sold": "units sold, at once or later",
    "fill_rate": "share of demand that was filled from stock in its own period (type-2 or beta service); 1 without "
    "demand",
    "served_rate": "sold / demand, late sales included (the fill rate of gym-invmgmt); 1 without demand",
    "ready_rate": "share of periods that ended with stock on hand, mean over the places that serve customers",
    "alpha_service": "share of periods in which all demand was met, anywhere (type-1 or alpha service of a period; the "
    "service level of gym-invmgmt)",
    "backlog": "units still owed at the end",
    "lost_sales": "units of demand that were lost",
    "average_inventory": "stock at the end of a period, mean over periods, all places together",
    "inventory_turns": "sold / average inventory, in one episode",
    "average_in_transit": "units under way at the end of a period, mean over periods, all together",
    "bullwhip_cv": "largest coefficient of variation of a link's or product's orders / that of demand; 0 if that is 0",
    "bullwhip_variance": "variance of all orders together / variance of demand; 1 if demand never varies",
    "goodwill": "goodwill at the end",
}

OF_DEMAND = ("fill_rate", "served_rate")  # shares of what was asked for
RATES = ("fill_rate", "served_rate", "ready_rate", "alpha_service")  # of these an episode has 0 to 1


def kpis(trajectory: Trajectory, horizon: int | None = None, partial: bool = False) -> dict[str, Array]:
    """Return the key figures by name (see `MEANINGS`), each of the shape of the batch.

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
    figures: dict[str, Array] = {"profit": trajectory.rewards.sum(axis=-1)}
    figures["profit_per_period"] = figures["profit"] / trajectory.lengths
    for name, amount in trajectory.money.items():
        figures[name] = amount.sum(axis=(-2, -1))
    if all(name in trajectory for name in (*trajectory.layout.service, "demand", "sold")):
        figures.update(_service(trajectory))
    if "on_hand" in trajectory:
        stock = trajectory["on_hand"][..., 1:, :]
        figures["average_inventory"] = _over_time(stock.sum(axis=-1), trajectory)
        if "sold" in figures:
            figures["inventory_turns"] = _ratio(figures["sold"], figures["average_inventory"], np.inf)
    if "in_transit" in trajectory:
        figures["average_in_transit"] = _over_time(trajectory["in_transit"][..., 1:, :].sum(axis=-1), trajectory)
    if "ordered" in trajectory and "demand" in trajectory:
        figures.update(bullwhip(trajectory))
    if "sentiment" in trajectory:
        figures["goodwill"] = trajectory["sentiment"][..., -1, 0]
    return figures


def _service(trajectory: Trajectory) -> dict[str, Array]:
    layout = trajectory.layout
    demand = trajectory["demand"].sum(axis=(-2, -1))
    sold = trajectory["sold"].sum(axis=(-2, -1))
    served, asked = (trajectory[name] for name in layout.service)
    late = trajectory.get("backlog")
    # What waits is served first, so what is left of the sales fills demand of the period itself.
    at_once = served if late is None else np.maximum(served - late[..., :-1, :], 0.0)
    whole = asked.sum(axis=(-2, -1))
    figures = {
        "demand": demand,
        "sold": sold,
        "fill_rate": _ratio(at_once.sum(axis=(-2, -1)), whole, 1.0),
        "served_rate": _ratio(served.sum(axis=(-2, -1)), whole, 1.0),
    }
    if layout.serving is not None and "on_hand" in trajectory:
        stock = trajectory["on_hand"][..., 1:, sorted(set(layout.serving))]
        figures["ready_rate"] = _over_time((stock > 1e-9).mean(axis=-1), trajectory)
    if "unmet" in trajectory:
        unmet = trajectory["unmet"].sum(axis=-1)
        figures["alpha_service"] = _over_time((unmet <= 1e-9).astype(np.float64), trajectory)
        owed = late[..., -1, :].sum(axis=-1) if late is not None else np.zeros_like(sold)
        figures["backlog"] = owed
        figures["lost_sales"] = np.maximum(demand - sold - owed, 0.0)
    return figures


def variance_ratio(placed: Array, received: Array, trajectory: Trajectory) -> Array:
    """Return the variance of orders placed over that of orders received, both of shape (..., T); 1 if constant."""
    return _ratio(_moments(placed, trajectory)[1], _moments(received, trajectory)[1], 1.0)


def bullwhip(trajectory: Trajectory) -> dict[str, Array]:
    """Return both published measures of how much orders vary more than demand.

    `bullwhip_cv`: max over links of CV(orders of the link), over CV(demand of all markets);
    0 where demand does not vary.
    `bullwhip_variance`: Var(sum of all orders) / Var(sum of demand); 1 where demand does not vary.
    Orders are those asked for, whatever was filled; variances divide by the number of periods.
    """
    orders = np.moveaxis(trajectory["ordered"], -1, 0)  # links first
    demand = trajectory["demand"].sum(axis=-1)
    mean, variance = _moments(orders, trajectory)
    demand_mean, demand_variance = _moments(demand, trajectory)
    link_cv = _ratio(np.sqrt(variance), mean, 0.0)
    demand_cv = _ratio(np.sqrt(demand_variance), demand_mean, 0.0)
    all_orders = _moments(orders.sum(axis=0), trajectory)[1]
    return {
        "bullwhip_cv": _ratio(link_cv.max(axis=0, initial=0.0), demand_cv, 0.0),
        "bullwhip_variance": _ratio(all_orders, demand_variance, 1.0),
    }


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
