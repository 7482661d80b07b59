"""restock: inventory control where operations research and reinforcement learning meet.

`import restock` registers the environments with Gymnasium and loads nothing heavy; every public
name is imported at its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from restock.core.errors import InvalidInput
from restock.envs.registration import register_all

if TYPE_CHECKING:
    from restock.core.kpis import kpis
    from restock.core.trust import trusting
    from restock.demand.registry import register as register_demand
    from restock.evaluation.compare import compare
    from restock.evaluation.explain import explain
    from restock.evaluation.fit import fit
    from restock.evaluation.simulate import simulate
    from restock.learning.adapted import as_policy
    from restock.policies.registry import list_policies, make_policy
    from restock.problems.load import load_problem

__version__ = "0.1.0"

_HOMES = {
    "as_policy": "restock.learning.adapted",
    "compare": "restock.evaluation.compare",
    "explain": "restock.evaluation.explain",
    "fit": "restock.evaluation.fit",
    "kpis": "restock.core.kpis",
    "list_policies": "restock.policies.registry",
    "load_problem": "restock.problems.load",
    "make_policy": "restock.policies.registry",
    "simulate": "restock.evaluation.simulate",
    "trusting": "restock.core.trust",
}
_RENAMED = {"register_demand": ("restock.demand.registry", "register")}

__all__ = [
    "InvalidInput",
    "__version__",
    "as_policy",
    "compare",
    "explain",
    "fit",
    "kpis",
    "list_policies",
    "load_problem",
    "make_policy",
    "register_demand",
    "simulate",
    "trusting",
]


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        home, name = _RENAMED[name]
        return getattr(import_module(home), name)
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'restock' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


register_all()
