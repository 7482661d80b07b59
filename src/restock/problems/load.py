"""`load_problem`: from an environment id, a name or a path to a problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from restock.core.errors import InvalidInput, nearest
from restock.core.problem import Problem

IDS: dict[str, dict[str, Any]] = {
    "restock/Network-v0": {},
    "restock/Divergent-v0": {"instance": "divergent"},
    "restock/Serial-v0": {"instance": "serial"},
}
KEYWORDS = ("instance", "demand", "horizon", "backlog", "discount")


def load_problem(id_or_path: Any, **kwargs: Any) -> Problem:
    """A problem, ready to be simulated, solved, learned and compared.

    Args:
        id_or_path: An environment id (``restock/Serial-v0``), the name of a shipped instance
            (``serial``), the path of a YAML file, a mapping, a spec, or a problem.
        **kwargs: What to change in it: `demand`, `horizon`, `backlog`, `discount`.

    Raises:
        InvalidInput: There is no such thing, or something in it does not hold.

    Example:
        >>> load_problem("serial").horizon
        30
    """
    if isinstance(id_or_path, Problem) and not kwargs:
        return id_or_path
    check_keywords(kwargs, KEYWORDS)
    instance = getattr(id_or_path, "spec", id_or_path) if isinstance(id_or_path, Problem) else id_or_path
    if isinstance(instance, str) and instance.startswith("restock/"):
        if instance not in IDS:
            raise InvalidInput("id", instance, "there is no such environment", nearest(instance, IDS))
        given = IDS[instance]
        if "instance" in given and "instance" in kwargs:
            raise InvalidInput("instance", kwargs["instance"], f"{instance} is one instance", "Use restock/Network-v0.")
        return _network()(**{**given, **kwargs})
    if "instance" in kwargs:
        raise InvalidInput("instance", kwargs["instance"], "the instance is named already", "Give it once.")
    return _network()(instance, **kwargs)


def check_keywords(kwargs: dict[str, Any], known: tuple[str, ...]) -> None:
    """Refuse keywords that nobody reads.

    Raises:
        InvalidInput: Naming the first unknown keyword and the nearest known one.
    """
    for name, value in kwargs.items():
        if name not in known:
            raise InvalidInput(name, value, "there is no such keyword", nearest(name, known))


def _network() -> Callable[..., Problem]:
    from restock.problems.network.load import load_network

    return load_network
