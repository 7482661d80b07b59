"""Policies from outside the package: a class in a module or file, or an installed plug-in.

Four forms, wherever a policy is named (`make_policy`, `simulate`, `compare`, the command line, a
list of policies for the benchmark):

    my_package.my_module:MyPolicy      a class in a module that Python can import
    path/to/file.py:MyPolicy           a class in a file
    runs/my-run                        the folder of a training run (`restock train`)
    my-policy                          an installed package's entry point in the group restock.policies

The last takes one line in that package's pyproject.toml:

    [project.entry-points."restock.policies"]
    my-policy = "my_package.my_module:MyPolicy"
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from restock.core.errors import InvalidInput, nearest
from restock.core.places import imported, module_at
from restock.policies._base import Policy
from restock.problems.manifest import resolved

GROUP = "restock.policies"
LONGEST_PATH = 4096


def names_a_run(name: str) -> bool:
    """Return whether the text is the path of a folder with a training run."""
    return "\0" not in name and len(name) < LONGEST_PATH and Path(name, "config.yaml").is_file()


def entry_points() -> dict[str, metadata.EntryPoint]:
    """Return the policies of installed packages, by name."""
    return {point.name: point for point in metadata.entry_points(group=GROUP)}


def class_at(place: str) -> type[Policy]:
    """Return the policy class at `package.module:Class` or `path/to/file.py:Class`.

    Raises:
        InvalidInput: It cannot be imported, there is no such class, or it is no policy.
    """
    module, home, attribute = module_at(place, "policy")
    if not hasattr(module, attribute):
        known = [name for name, value in vars(module).items() if _is_policy(value)]
        mend = nearest(attribute, known) if known else "Define a class derived from restock.policies.Policy there."
        raise InvalidInput("policy", place, f"{home} has no {attribute}", mend)
    return _checked(getattr(module, attribute), place)


def class_named(reference: str) -> type[Policy]:
    """Return the policy class that a family names, `package.module:Class`.

    Raises:
        InvalidInput: It cannot be imported, or is no policy.
    """
    return _checked(imported(lambda: resolved(reference), reference, "policy"), reference)


def class_of(point: metadata.EntryPoint) -> type[Policy]:
    """Return the policy class of an installed package's entry point.

    Raises:
        InvalidInput: It cannot be imported, or is no policy.
    """
    return _checked(imported(point.load, point.name, "policy"), point.name)


def _is_policy(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Policy) and value is not Policy


def _checked(value: object, place: str) -> type[Policy]:
    if not (isinstance(value, type) and issubclass(value, Policy)):
        raise InvalidInput("policy", place, "must be a policy", "Derive a class from restock.policies.Policy.")
    if not isinstance(getattr(value, "name", None), str):
        raise InvalidInput("policy", place, "the policy has no name", f'Write `name = "mine"` in {value.__name__}.')
    return value
