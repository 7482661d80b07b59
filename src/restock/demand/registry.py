"""The registry of demand distributions, to which own ones can be added."""

from __future__ import annotations

from restock.core.errors import InvalidInput, nearest
from restock.demand.deterministic import Deterministic
from restock.demand.distribution import Distribution
from restock.demand.empirical import Empirical
from restock.demand.negative_binomial import NegativeBinomial
from restock.demand.normal import Normal
from restock.demand.poisson import Poisson
from restock.demand.uniform import Uniform

_KNOWN: dict[str, type[Distribution]] = {
    model.name: model for model in (Poisson, Normal, NegativeBinomial, Uniform, Deterministic, Empirical)
}


def register(model: type[Distribution]) -> type[Distribution]:
    """Register a distribution of your own by its `name`; usable as a class decorator.

    Raises:
        InvalidInput: It is not a `Distribution`, has no name, or takes the name of another.
    """
    if not (isinstance(model, type) and issubclass(model, Distribution)):
        raise InvalidInput("distribution", model, "must be a subclass of Distribution", "Derive it from one.")
    name = getattr(model, "name", None)
    if not isinstance(name, str) or not name:
        raise InvalidInput("distribution", model.__name__, "it has no name", 'Add `name: ClassVar[str] = "..."`.')
    if _KNOWN.get(name, model).__qualname__ != model.__qualname__:
        raise InvalidInput("distribution", name, "this name is taken", "Choose another name.")
    _KNOWN[name] = model
    return model


def known() -> list[str]:
    """Return the names of the known distributions."""
    return list(_KNOWN)


def find(name: str) -> type[Distribution]:
    """Return the distribution of that name.

    Raises:
        InvalidInput: There is none.
    """
    if name not in _KNOWN:
        raise InvalidInput("", name, "there is no such distribution", nearest(name, _KNOWN))
    return _KNOWN[name]
