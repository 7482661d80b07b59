"""`load_problem`: from an environment id, a name or a path to a problem."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from restock.core.errors import InvalidInput, UnknownKeyword, nearest
from restock.core.places import has_run
from restock.core.problem import Problem
from restock.core.trust import ask
from restock.problems import manifest, outside
from restock.problems.manifest import ANY, ids
from restock.problems.shelf import Shelf, names_a_file

IDS = ids(manifest.own())  # of restock's own families; `ids()` has those of installed packages too


def load_problem(id_or_path: Any, **kwargs: Any) -> Problem:
    """Return a problem, ready to be simulated, solved, learned and compared.

    Args:
        id_or_path: An environment id (``restock/Serial-v0``), the name of a shipped instance
            (``serial``), the path of a YAML file, a mapping, a spec, or a problem; or one of your own: its
            folder, or ``file.py:Class``.
        **kwargs: What to change in it; of a network `demand`, `horizon`, `backlog`, `discount`.

    Raises:
        InvalidInput: There is no such thing, or something in it does not hold.

    Example:
        >>> load_problem("serial").horizon
        30
    """
    if isinstance(id_or_path, Problem) and not kwargs:
        return id_or_path
    if id_or_path == ANY:
        return load_problem(place_in(kwargs), **{name: value for name, value in kwargs.items() if name != "problem"})
    instance = getattr(id_or_path, "spec", id_or_path) if isinstance(id_or_path, Problem) else id_or_path
    if isinstance(instance, str) and instance.startswith("restock/"):
        known = ids()
        if instance not in known:
            raise InvalidInput("id", instance, "there is no such environment", nearest(instance, [*known, ANY]))
        check_keywords(kwargs, keywords(instance))
        given = known[instance]
        if "instance" in given and "instance" in kwargs:
            raise InvalidInput("instance", kwargs["instance"], f"{instance} is one instance", "Use restock/Network-v0.")
        found: Problem = _loader(family_of_id(instance)).load(**{**given, **kwargs})
        return found
    loader, names = loader_of(id_or_path)
    check_keywords(kwargs, loader.KEYWORDS)
    if names == "instance" and "instance" in kwargs:
        raise InvalidInput("instance", kwargs["instance"], "the instance is named already", "Give it once.")
    problem: Problem = loader.load(instance, **kwargs) if names == "instance" else loader.load(**kwargs)
    return problem


def loader_of(named: Any) -> tuple[Any, str]:
    """What loads the problem that is named, and whether that name is of an `instance` or of a `kind`.

    Raises:
        InvalidInput: There is no such thing.
    """
    shipped_name = isinstance(named, str) and named in shipped()
    if names_a_file(named) and (folder := outside.folder_of(named)) is not None:
        if not has_run(folder):
            ask("instance", str(named), str(folder / "load.py"))
        return outside.loader_at(folder), "instance"
    loader = None if shipped_name else outside.loader_at(named)
    if loader is not None:
        return loader, "instance" if isinstance(named, Problem) else "kind"
    return _loader(family_of(getattr(named, "spec", named) if isinstance(named, Problem) else named)), "instance"


def place_in(kwargs: Mapping[str, Any]) -> Any:
    """Return the problem that `restock/Problem-v0` is made for.

    Raises:
        InvalidInput: None is named.
    """
    if "problem" not in kwargs:
        raise InvalidInput("problem", None, "this is required", "Name a problem: its folder, file.py:Class, or serial.")
    return kwargs["problem"]


def keywords(env_id: str) -> Sequence[str]:
    """Return what may be changed in the problem behind an id."""
    known: Sequence[str] = _loader(family_of_id(env_id)).KEYWORDS
    return known


def family_of_id(env_id: str) -> str:
    """Return the kind of problem behind an environment id."""
    own = {id: family.name for family in manifest.own().values() for id in (family.id, *family.also)}
    return (own | {manifest.id_of(name): name for name in manifest.points()})[env_id]


def family_of(instance: Any) -> str:
    """Return the kind of problem that an instance is of: its name, or what its `problem` says.

    Raises:
        InvalidInput: There is no such kind, or the file that is named cannot be read.
    """
    if isinstance(instance, str) and not names_a_file(instance):
        known = shipped()
        close = difflib.get_close_matches(instance, known, n=1)  # so that the kind that is meant tells what is wrong
        return known[close[0]] if close else "network"
    if names_a_file(instance):
        from restock.core.reading import read_yaml

        instance = read_yaml(Path(instance), keep=True, runs=False)
    said = instance.get("problem") if isinstance(instance, Mapping) else getattr(instance, "problem", None)
    kind = "network" if said is None else said
    if not isinstance(kind, str) or kind not in families():
        raise InvalidInput("problem", kind, "there is no such kind of problem", nearest(kind, families()))
    return kind


def instance_of(env_id: str) -> str:
    """Return the shipped instance behind an id, where nothing is changed."""
    fixed = ids()[env_id].get("instance")
    return str(fixed or inspect.signature(_loader(family_of_id(env_id)).load).parameters["instance"].default)


def families() -> list[str]:
    """Return the kinds of problems there are."""
    return list(manifest.known())


def noun_of(family: str) -> str:
    """Return what an instance of a family is called."""
    return manifest.known()[family].noun


def shelf_of(family: str) -> Shelf:
    """Return the shipped instances of a kind of problem."""
    said = manifest.known()[family]
    return Shelf(family, said.noun, said.instances)


def shipped() -> dict[str, str]:
    """Return the names of all shipped instances, and the kind of problem each is of; of two, the first family's."""
    found: dict[str, str] = {}
    for family in families():
        for name in shelf_of(family).names():
            found.setdefault(name, family)
    return found


def check_keywords(kwargs: Mapping[str, Any], known: Sequence[str]) -> None:
    """Reject unknown keyword arguments.

    Raises:
        UnknownKeyword: Naming the first unknown keyword and the nearest known one; it is a `TypeError` too.
    """
    for name, value in kwargs.items():
        if name not in known:
            raise UnknownKeyword(name, value, known)


def _loader(family: str) -> Any:
    """Return the module `load` of a kind of problem: `load`, `KEYWORDS`.

    Raises:
        InvalidInput: There is no such kind: it is from a package that cannot be read.
    """
    known = manifest.known()
    if family not in known:
        raise InvalidInput("problem", family, "this kind of problem cannot be read", "Install its package again.")
    return known[family].loader
