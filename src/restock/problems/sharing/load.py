"""From a name, a path or a spec to locations that share stock."""

from __future__ import annotations

from typing import Any

from restock.core.validation import validated
from restock.problems.sharing.family import FAMILY
from restock.problems.sharing.problem import SharingProblem
from restock.problems.sharing.spec import SharingSpec
from restock.problems.shelf import Shelf

SHELF = Shelf(FAMILY.name, FAMILY.noun, FAMILY.instances)
KEYWORDS = ("instance", *(name for name in SharingSpec.model_fields if name != "problem"))
SOURCES = ("missions", "random_demand_params", "demands")  # what says how much is needed


def load(instance: Any = "sharing", **changes: Any) -> SharingProblem:
    """Locations that share stock; keywords that are not None replace fields of the description (see `SharingSpec`).

    Whoever says what is needed (`missions`, `random_demand_params`, `demands`) says all of it: what the
    instance says about that is left out.

    Args:
        instance: Name of a shipped one, path of a YAML file, mapping, or `SharingSpec`.
        **changes: Fields of the description.

    Raises:
        InvalidInput: Anything in it does not hold.
    """
    spec = SHELF.spec(SharingSpec, instance, {})[0]
    given = {name: value for name, value in changes.items() if value is not None}
    if not given:
        return SharingProblem(spec)
    fields = {name: getattr(spec, name) for name in SharingSpec.model_fields}
    if any(name in given for name in SOURCES):
        fields |= dict.fromkeys(SOURCES)
    if "scenario" in given or "n_locations" in given:
        fields["depot"] = None
    return SharingProblem(validated(SharingSpec, {**fields, **given}, ""))
