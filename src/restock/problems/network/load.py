"""From a name, a path or a spec to a network problem."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restock.core.errors import InvalidInput
from restock.demand.series import beside
from restock.demand.spec import check_demand
from restock.problems.network.family import FAMILY
from restock.problems.network.problem import NetworkProblem
from restock.problems.network.spec import NetworkSpec, check_network
from restock.problems.shelf import Shelf


def _beside(data: Any, folder: Path) -> Any:
    """Return the data of a file, the series of its demand found from the folder of the file."""
    return (
        {**data, "demand": beside(data["demand"], folder)} if isinstance(data, Mapping) and "demand" in data else data
    )


SHELF = Shelf(FAMILY.name, FAMILY.noun, FAMILY.instances, _beside)
KEYWORDS = ("instance", "demand", "horizon", "backlog", "discount")
instances, instance_text = SHELF.names, SHELF.text


def load(
    instance: Any = "divergent",
    *,
    demand: Any = None,
    horizon: int | None = None,
    backlog: bool | None = None,
    discount: float | None = None,
) -> NetworkProblem:
    """Return a network problem; keywords that are not None replace what the instance says.

    Args:
        instance: Name of a shipped network, path of a YAML file, mapping, or `NetworkSpec`.
        demand: Demand spec, mapping, or mean.
        horizon: Periods in an episode.
        backlog: Whether unmet demand waits.
        discount: Worth of next period's money in today's.

    Raises:
        InvalidInput: Anything in the above does not hold.
    """
    changed: dict[str, Any] = {"horizon": horizon, "backlog": backlog, "discount": discount}
    if demand is not None:
        data, where = SHELF.read(instance)
        instance = spec = check_network(data, where)
        changed["demand"] = new = check_demand(demand)
        if new.fixes_mean:
            changed["markets"] = [market.model_copy(update={"mean": None}) for market in spec.markets]
    spec, where = SHELF.spec(NetworkSpec, instance, changed)
    try:
        return NetworkProblem(spec)
    except InvalidInput as error:
        if demand is None and error.field.startswith("demand"):
            raise error.within(where) from None
        raise
