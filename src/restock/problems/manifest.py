"""What a family of problems says of itself, once: its ids, policies, bound, readers and words.

Each folder of a family has a `family.py` with its `FAMILY`. Whoever needs something of a family asks here, so that
adding one touches no list elsewhere. A package of your own joins by an entry point, named as its family:

    [project.entry-points."restock.families"]
    corner-shop = "corner_shop.family:FAMILY"

References are text, `package.module:Name`, and imported by the layer that wants them: to read a manifest is cheap. Keep
`family.py` and the package around it free of heavy imports.
"""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Mapping
from functools import cache
from importlib import import_module, metadata
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from restock.core.errors import InvalidInput, nearest

GROUP = "restock.families"
# The id of any problem: `problem=` is what `load_problem` takes, also a place outside (see `restock.problems.outside`).
ANY = "restock/Problem-v0"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# For any problem, one without a manifest too.
POLICIES = {"nothing": "restock.policies.nothing:Nothing", "random": "restock.policies.random_order:RandomOrder"}


@dataclasses.dataclass(frozen=True)
class Manifest:
    """A family of problems.

    Attributes:
        name: What `problem` in its files says, and `Problem.family`.
        package: The package with its module `load` and its folder `instances`; empty for problems that have none.
        title: Of the group of its instances on the page.
        words: A sentence on what is done in it, for the page.
        noun: What an instance is called.
        place: Families are told in the order of this, then as they are installed.
        tasks: Short names for instances, as a server takes them.
        also: Ids for single instances of it, and what is fixed in them.
        policies: The classes of the policies that can play it, by their names.
        usual: Fast policies that any problem of the family can be compared with.
        to_beat: The policy that others are measured by.
        rule: The simple rule that agents are held against, and that stand-ins follow; None if there is none.
        bound: The policy that no policy beats; None if none is known.
        exact: A module with `solve(problem)` and `states(fields)`, for the policy `dynamic-program`.
        reader: Takes a problem and an observation as plain data, and returns the recorded fields it tells.
        grader: A module with `scale(problem, demand)` of the published score, and the `LEAST` of these; None: no score.
        grade: Takes a problem, the key figure `earned` and the demand met, and returns the grade with its score.
        money: The recorded flow that is the profit where a reward can be something else; None if rewards are money.
        learning: The class that knows what training can do with it; see `restock.learning.family`.
    """

    name: str
    package: str = ""
    title: str = ""
    words: str = ""
    noun: str = "problem"
    place: int = 100
    tasks: Mapping[str, str] = dataclasses.field(default_factory=dict)
    also: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    policies: Mapping[str, str] = dataclasses.field(default_factory=lambda: dict(POLICIES))
    usual: tuple[str, ...] = tuple(POLICIES)
    to_beat: str = "random"
    rule: str | None = None
    bound: str | None = None
    exact: str | None = None
    reader: str | None = None
    grader: str | None = None
    grade: str | None = None
    money: str | None = None
    learning: str = "restock.learning.family:Learning"

    def __post_init__(self) -> None:
        if NAME.fullmatch(self.name) is None:
            raise InvalidInput("name", self.name, "must be lower-case words joined by hyphens", "Write corner-shop.")
        for field in ("usual", "to_beat", "rule", "bound"):
            said = getattr(self, field)
            for policy in said if isinstance(said, tuple) else (said,):
                if policy is not None and policy not in self.policies:
                    mend = nearest(policy, list(self.policies))
                    raise InvalidInput(field, policy, f"must be one of the policies of {self.name}", mend)

    @property
    def id(self) -> str:
        """The id of its environment."""
        return id_of(self.name)

    @property
    def loader(self) -> Any:
        """The module with `load` and `KEYWORDS`."""
        return import_module(f"{self.package}.load")

    @property
    def instances(self) -> Path:
        """The folder of what is shipped; found without importing the package."""
        found = find_spec(self.package)
        places = list(found.submodule_search_locations or ()) if found is not None else []
        if not places:
            raise InvalidInput("package", self.package, "must be a package with `load` and `instances`", "Install it.")
        return Path(places[0], "instances")


UNSAID = Manifest("unsaid")  # of a problem whose family says nothing of itself


def id_of(name: str) -> str:
    """Return the environment id of a family: `corner-shop` has `restock/CornerShop-v0`."""
    return f"restock/{''.join(word.capitalize() for word in name.split('-'))}-v0"


def resolved(reference: str) -> Any:
    """Return what `package.module:Name`, or `package.module`, names."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name) if name else import_module(module)


@cache
def own() -> dict[str, Manifest]:
    """Return the families of restock, by name."""
    found = sorted(map(_read, Path(__file__).parent.glob("*/family.py")), key=lambda one: one.place)
    return {one.name: one for one in found}


def _read(path: Path) -> Manifest:
    """Read a family.py of restock without its package, which is slow to import."""
    spec = spec_from_file_location(f"restock.problems.{path.parent.name}.family", path)
    assert spec is not None and spec.loader is not None  # it ends in .py
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Manifest = module.FAMILY
    return found


@cache
def points() -> dict[str, metadata.EntryPoint]:
    """Return the entry points of families of installed packages by the names of these, which are not imported."""
    found = {}
    for point in sorted(metadata.entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        if NAME.fullmatch(point.name) is None:
            _left_out(point, f"{point.name!r} must be lower-case words joined by hyphens, such as corner-shop")
        elif point.name in own() or point.name in found:
            _left_out(point, "there is a family of this name already")
        else:
            found[point.name] = point
    return found


@cache
def outside() -> dict[str, Manifest]:
    """Return the families of installed packages, by name; one that cannot be read is left out, with a warning."""
    found = {}
    for name, point in points().items():
        try:
            one = point.load()
            if not isinstance(one, Manifest) or one.name != name or one.also:
                raise InvalidInput("name", name, f"must name the Manifest of {name}, without `also`", "Correct it.")
            next(one.instances.iterdir())
        except (Exception, SystemExit) as error:  # whatever somebody's module does when it is imported
            _left_out(point, f"{type(error).__name__}: {error}")
        else:
            found[name] = one
    return found


def known() -> dict[str, Manifest]:
    """Return all families by name, restock's own first."""
    return own() | outside()


def ids(families: Mapping[str, Manifest] | None = None) -> dict[str, Mapping[str, Any]]:
    """Return the ids of environments, and what is fixed in them.

    Args:
        families: Whose; None: of all families, of which those from outside are not imported for it.
    """
    if families is None:
        return ids(own()) | {id_of(name): {} for name in points()}
    return {id: fixed for one in families.values() for id, fixed in {one.id: {}, **one.also}.items()}


def manifest_of(family: str) -> Manifest:
    """Return what a family says of itself; of one that says nothing, what holds for any problem."""
    return own().get(family) or outside().get(family) or UNSAID


def manifest_for(problem: Any) -> Manifest:
    """Return what the family of a problem says, or the family that its class is derived from."""
    families = [vars(kind).get("family") for kind in type(problem).__mro__]
    return next((manifest_of(name) for name in families if name in own() or name in outside()), UNSAID)


def _left_out(point: metadata.EntryPoint, why: str) -> None:
    warnings.warn(f"The family {point.name} of {point.value} is left out: {why.rstrip('.')}.", stacklevel=3)
