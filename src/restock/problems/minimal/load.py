"""From a name, a path or a spec to a shelf."""

from __future__ import annotations

from typing import Any

from restock.problems.minimal.family import FAMILY
from restock.problems.minimal.problem import MinimalProblem
from restock.problems.minimal.spec import MinimalSpec
from restock.problems.shelf import Shelf

SHELF = Shelf(FAMILY.name, FAMILY.noun, FAMILY.instances)
KEYWORDS = ("instance", *(name for name in MinimalSpec.model_fields if name != "problem"))


def load(instance: Any = "minimal", **changes: Any) -> MinimalProblem:
    """Return a shelf; keywords that are not None replace the fields of its description (see `MinimalSpec`).

    Raises:
        InvalidInput: Anything in it does not hold.
    """
    return MinimalProblem(SHELF.spec(MinimalSpec, instance, changes)[0])
