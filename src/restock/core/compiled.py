"""Compiled kernels of the texts of a problem, built lazily and cached per process."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from restock.core import backends
from restock.core.backends import Text

if TYPE_CHECKING:
    from restock.core.problem import Texts

_COMPILED: dict[Any, Any] = {}


def compiled(texts: Texts) -> SimpleNamespace:
    """Return the compiled kernels of a problem's texts, built once per process."""
    if texts not in _COMPILED:
        _COMPILED[texts] = backends.compile_texts(texts.all, backends.TEMPLATES, texts.name)
    kernels: SimpleNamespace = _COMPILED[texts]
    return kernels


def compiled_rollout(texts: Texts, *policy: Text) -> Any:
    """Return the compiled rollout with a policy's texts inside, the last its decision; built once per process."""
    if (texts, policy) not in _COMPILED:
        from restock.core import kernels

        *helpers, act = policy
        needed = (*texts.laws, texts.unpack, texts.step, texts.ends, *helpers, _as_act(act))
        name = f"{texts.name}_{act.__module__.rpartition('.')[2]}"
        _COMPILED[texts, policy] = backends.compile_texts(needed, (kernels.rollout,), name, free=True).rollout
    return _COMPILED[texts, policy]


def compiled_parts(texts: Texts) -> Any:
    """Return the compiled sums of the reward's parts, built once per process."""
    if (texts, "parts") not in _COMPILED:
        from restock.core import kernels

        needed = (*texts.laws, texts.unpack, texts.totals)
        _COMPILED[texts, "parts"] = backends.compile_texts(needed, (kernels.parted,), f"{texts.name}_parts").parted
    return _COMPILED[texts, "parts"]


def _as_act(act: Text) -> Text:
    """Return the policy's text under the name that the rollout calls."""
    renamed = backends.bind(act, {})
    renamed.__name__ = "act"
    return renamed
