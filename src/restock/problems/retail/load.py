"""From a task, a name, a path or a spec to a store."""

from __future__ import annotations

from typing import Any

from restock.core.errors import InvalidInput, nearest
from restock.problems.retail.family import FAMILY
from restock.problems.retail.problem import RetailProblem
from restock.problems.retail.spec import RetailSpec
from restock.problems.shelf import Shelf

SHELF = Shelf(FAMILY.name, FAMILY.noun, FAMILY.instances)
KEYWORDS = ("instance", "task", *(name for name in RetailSpec.model_fields if name != "problem"))


def tasks() -> list[str]:
    """Return the names of the published tasks."""
    return list(FAMILY.tasks)


def load(instance: Any = "retail-medium", task: str | None = None, **changes: Any) -> RetailProblem:
    """Return a store; keywords that are not None replace the fields of its description (see `RetailSpec`).

    Args:
        instance: Name of a shipped store, path of a YAML file, mapping, or `RetailSpec`.
        task: A published task, `easy`, `medium` or `hard`, instead of an instance.
        **changes: Fields of the description.

    Raises:
        InvalidInput: Anything in it does not hold.
    """
    if task is not None:
        if not isinstance(task, str) or task not in tasks():
            raise InvalidInput("task", task, "there is no such task", nearest(task, tasks()))
        instance = FAMILY.tasks[task]
    return RetailProblem(SHELF.spec(RetailSpec, instance, changes)[0])
