"""From a name, a path or a spec to a plant."""

from __future__ import annotations

from typing import Any

from restock.problems.production.family import FAMILY
from restock.problems.production.problem import ProductionProblem
from restock.problems.production.spec import ProductionSpec
from restock.problems.shelf import Shelf

SHELF = Shelf(FAMILY.name, FAMILY.noun, FAMILY.instances)
KEYWORDS = ("instance", *(name for name in ProductionSpec.model_fields if name != "problem"))


def load(instance: Any = "production", **changes: Any) -> ProductionProblem:
    """Return a plant; keywords that are not None replace the fields of its description (see `ProductionSpec`).

    Args:
        instance: Name of a shipped plant, path of a YAML file, mapping, or `ProductionSpec`.
        **changes: Fields of the description.

    Raises:
        InvalidInput: Anything in it does not hold.
    """
    return ProductionProblem(SHELF.spec(ProductionSpec, instance, changes)[0])
