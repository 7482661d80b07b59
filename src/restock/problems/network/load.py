"""From a name, a path or a spec to a network problem."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from restock.core.errors import InvalidInput, nearest
from restock.core.reading import read_yaml
from restock.core.validation import validated
from restock.demand.spec import check_demand
from restock.problems.network.problem import NetworkProblem
from restock.problems.network.spec import NetworkSpec, check_network


def instances() -> list[str]:
    """Names of the networks shipped with restock."""
    folder = resources.files("restock.problems.network").joinpath("instances")
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def instance_text(name: str) -> str:
    """The YAML of a shipped network.

    Raises:
        InvalidInput: There is none of that name.
    """
    if name not in instances():
        raise InvalidInput("instance", name, "there is no such network", nearest(name, instances()))
    folder = resources.files("restock.problems.network").joinpath("instances")
    return folder.joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def load_network(
    instance: Any = "divergent",
    *,
    demand: Any = None,
    horizon: int | None = None,
    backlog: bool | None = None,
    discount: float | None = None,
) -> NetworkProblem:
    """A network problem; keywords that are not None replace what the instance says.

    Args:
        instance: Name of a shipped network, path of a YAML file, mapping, or `NetworkSpec`.
        demand: Demand spec, mapping, or mean.
        horizon: Periods in an episode.
        backlog: Whether unmet demand waits.
        discount: Worth of next period's money in today's.

    Raises:
        InvalidInput: Anything in the above does not hold.
    """
    data, where = _data_of(instance)
    spec = check_network(data, where)
    changes = {"horizon": horizon, "backlog": backlog, "discount": discount}
    changed: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    if demand is not None:
        changed["demand"] = new = check_demand(demand)
        if new.fixes_mean:
            changed["markets"] = [market.model_copy(update={"mean": None}) for market in spec.markets]
    if changed:
        spec = validated(NetworkSpec, {**_fields(spec), **changed}, "")
    try:
        return NetworkProblem(spec)
    except InvalidInput as error:
        if demand is None and error.field.startswith("demand"):
            raise error.within(where) from None
        raise


def _fields(spec: NetworkSpec) -> dict[str, Any]:
    return {name: getattr(spec, name) for name in NetworkSpec.model_fields}


def _data_of(instance: Any) -> tuple[Any, str]:
    """What describes the instance, and how to call it in an error."""
    if isinstance(instance, (NetworkSpec, Mapping)):
        return instance, "network"
    if isinstance(instance, Path) or (isinstance(instance, str) and _looks_like_path(instance)):
        path = Path(instance)
        return read_yaml(path), f"{path.name}:"
    if isinstance(instance, str):
        if instance not in instances() and not difflib.get_close_matches(instance, instances(), n=1):
            raise InvalidInput(
                "instance", instance, "there is no such network", f"Known: {', '.join(instances())}; or a YAML path."
            )
        import yaml

        return yaml.safe_load(instance_text(instance)), instance
    raise InvalidInput(
        "instance", instance, "this is a name, a path, a mapping or a NetworkSpec", f"Known: {', '.join(instances())}."
    )


def _looks_like_path(text: str) -> bool:
    return "/" in text or "\\" in text or text.endswith((".yaml", ".yml"))
