"""From a name, a path or a spec to a newsvendor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from restock.problems.shelf import Shelf

from .problem import OwnProblem
from .spec import OwnSpec

SHELF = Shelf("own-problem", "newsvendor", Path(__file__).parent / "instances")
KEYWORDS = ("instance", *(name for name in OwnSpec.model_fields if name != "problem"))


def load(instance: Any = "own-problem", **changes: Any) -> OwnProblem:
    """Return a newsvendor; keywords that are not None replace the fields of its description (see `OwnSpec`).

    Raises:
        InvalidInput: Anything in it does not hold.
    """
    return OwnProblem(SHELF.spec(OwnSpec, instance, changes)[0])
