"""Compiled kernels per problem class, built lazily and cached per process."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from restock.core import backends
from restock.core.backends import Text

if TYPE_CHECKING:
    from restock.core.problem import Problem

_COMPILED: dict[Any, Any] = {}


def compiled(kind: type[Problem]) -> SimpleNamespace:
    """Return the compiled kernels of a problem class, built once per process."""
    if kind not in _COMPILED:
        texts = kind.texts
        _COMPILED[kind] = backends.compile_texts(texts.all, backends.TEMPLATES, texts.name)
    kernels: SimpleNamespace = _COMPILED[kind]
    return kernels


def compiled_rollout(kind: type[Problem], *policy: Text) -> Any:
    """Return the compiled rollout with a policy's texts inside, the last its decision; built once per process."""
    if (kind, policy) not in _COMPILED:
        from restock.core import kernels

        texts = kind.texts
        *helpers, act = policy
        needed = (*texts.laws, texts.unpack, texts.step, texts.ends, *helpers, _as_act(act))
        name = f"{texts.name}_{act.__module__.rpartition('.')[2]}"
        _COMPILED[kind, policy] = backends.compile_texts(needed, (kernels.rollout,), name, free=True).rollout
    return _COMPILED[kind, policy]


def compiled_parts(kind: type[Problem]) -> Any:
    """Return the compiled sums of the reward's parts, built once per process."""
    if (kind, "parts") not in _COMPILED:
        from restock.core import kernels

        texts = kind.texts
        needed = (*texts.laws, texts.unpack, texts.totals)
        _COMPILED[kind, "parts"] = backends.compile_texts(needed, (kernels.parted,), f"{texts.name}_parts").parted
    return _COMPILED[kind, "parts"]


def _as_act(act: Text) -> Text:
    """Return the policy's text under the name that the rollout calls."""
    renamed = backends.bind(act, {})
    renamed.__name__ = "act"
    return renamed
