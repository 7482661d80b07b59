"""The policies of a run: their names, classes and parameters.

A list of policies is a YAML file:

    policies:
      - base-stock
      - {name: base-stock-I, policy: base-stock, params: {information: informed}}
      - {name: mine, policy: my_file.py:Mine, params: {level: 20}}
      - {name: base-stock fitted, policy: base-stock, fit: true}
  - {name: slow one, policy: my_file.py:Slow, chunk: 1}

`policy` is anything `restock.make_policy` takes. With `fit` its parameters are found for each scenario
first. Of a slow one each episode is kept by itself with `chunk: 1`; otherwise all seeds of a scenario
are one task. Paths are named from the folder of the YAML file.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pydantic

from restock.benchmark.suite import MARK, names_in, shipped
from restock.core.errors import InvalidInput, nearest
from restock.core.problem import Problem
from restock.core.reading import read_yaml
from restock.core.validation import Spec, validated
from restock.policies._base import Policy
from restock.policies.registry import make_policy, policy_class

BOUND = "hindsight"
PACKAGE = Path(__file__).parents[1]
NAMES_ONLY = "restock.policies.registry"  # it reaches every policy and decides nothing


class Fitting(Spec):
    """How a policy's parameters are found by simulation; see `restock.evaluation.fit.fit`."""

    episodes: int = pydantic.Field(256, ge=1, description="episodes that each candidate meets")
    seed: int = pydantic.Field(0, ge=0, description="of those episodes and of the search")
    budget: int = pydantic.Field(3000, ge=1, description="candidates at most")
    tune: list[str] | None = pydantic.Field(None, description="parameters to search; default: the usual ones")


class Entry(Spec):
    """One policy of a run."""

    name: str = pydantic.Field(min_length=1, description="what tables call it")
    policy: str = pydantic.Field(min_length=1, description="a policy's name, package.module:Class or file.py:Class")
    params: dict[str, Any] = pydantic.Field({}, description="its parameters")
    fit: bool | Fitting = pydantic.Field(False, description="fit its parameters to each scenario first")
    chunk: int | None = pydantic.Field(None, ge=1, description="episodes in one task; default: all of a scenario")

    @pydantic.field_validator("params")
    @classmethod
    def _kept_in_json(cls, params: dict[str, Any]) -> dict[str, Any]:
        for name, value in params.items():
            try:
                json.dumps(value, allow_nan=False)
            except (TypeError, ValueError):
                mend = "Write numbers, words, lists or mappings."
                raise InvalidInput(f".{name}", value, "a run cannot keep this parameter", mend) from None
        return params

    def make(self, problem: Problem) -> Policy:
        """Make the policy for a problem, not fitted.

        Raises:
            InvalidInput: There is no such policy, or a parameter does not hold.
        """
        return make_policy(self.policy, problem, **self.params)

    def fitted(self, problem: Problem) -> Policy:
        """Make the policy, with its parameters fitted to the problem if `fit` says so.

        Raises:
            InvalidInput: It cannot be made, or has nothing to fit.
        """
        if self.fit is False:
            return self.make(problem)
        from restock.evaluation.fit import fit

        how = Fitting() if self.fit is True else self.fit
        found = fit(problem, self.policy, how.episodes, how.seed, how.budget, tune=how.tune, **self.params)
        return found.policy

    @property
    def mark(self) -> str:
        """A hash of its behaviour: parameters, and the source of everything that decides."""
        home, colon, attribute = self.policy.rpartition(":")
        named = Path(home).name + colon + attribute  # the same file elsewhere is the same policy
        said = {**self.model_dump(mode="json", exclude={"name"}), "policy": named}
        kind = policy_class(self.policy)
        modules = [kind.__module__, *(["restock.evaluation.fit"] if self.fit else [])]
        text = json.dumps([said, _files_mark(kind), *map(source_mark, modules)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:MARK]


class PolicyList(Spec):
    """A file of policies."""

    policies: list[str | dict[str, Any]] = pydantic.Field(min_length=1, description="names, or mappings")


def list_policy_sets() -> list[str]:
    """Return the names of the policy lists shipped with restock."""
    return names_in("policies")


def load_entries(given: Any) -> tuple[Entry, ...]:
    """Return the policies of a run, the bound first.

    Args:
        given: One or more of: the name of a shipped list, a YAML file, the name or place of a policy, a
            mapping, an `Entry`.

    Raises:
        InvalidInput: Something in it does not hold, or two entries have one name.
    """
    parts = [given] if isinstance(given, (str, Path, dict, Entry)) else list(given)
    if not parts:
        raise InvalidInput("policies", given, "there is nothing to run", 'Write ["base-stock"].')
    entries = {BOUND: Entry(name=BOUND, policy=BOUND)}
    for entry in (entry for part in parts for entry in _entries(part)):
        if entry.name in entries and entries[entry.name] != entry:
            raise InvalidInput("policies", entry.name, "two policies have this name", "Give one `name: ...`.")
        entries[entry.name] = entry
    return tuple(entries.values())


def _entries(part: Any) -> Iterator[Entry]:
    if isinstance(part, Entry):
        yield part
    elif isinstance(part, Path) or (isinstance(part, str) and part.endswith((".yaml", ".yml"))):
        path = Path(part)
        listed = validated(PolicyList, read_yaml(path), f"{path.name}:")
        yield from (_entry(one, f"{path.name}: policies[{k}]", path.parent) for k, one in enumerate(listed.policies))
    elif isinstance(part, str) and part in list_policy_sets():
        listed = validated(PolicyList, shipped("policies", part), f"{part}:")
        yield from (_entry(one, f"{part}: policies[{k}]", Path()) for k, one in enumerate(listed.policies))
    else:
        yield _entry(part, "policies", Path())


def _entry(one: Any, where: str, folder: Path) -> Entry:
    data = {"name": one, "policy": one} if isinstance(one, str) else one
    if isinstance(data, dict) and "name" not in data and isinstance(data.get("policy"), str):
        data = {"name": data["policy"], **data}
    entry = validated(Entry, data, where)
    home, colon, attribute = entry.policy.rpartition(":")
    if home.endswith(".py"):
        place = str((folder / home).resolve()) + colon + attribute
        entry = entry.model_copy(update={"policy": place})
    try:
        policy_class(entry.policy)
    except InvalidInput as error:
        if entry.policy == one and "no such policy" in error.problem:
            known = nearest(one, [*list_policy_sets(), *_registered()])
            raise InvalidInput(where, one, "there is no such policy, nor list of policies", known) from None
        raise error.within(where) from None
    return entry


def _registered() -> Sequence[str]:
    from restock.policies.registry import list_policies

    return list_policies()


# what decides ---------------------------------------------------------------------------------------


def _files_mark(kind: type[Policy]) -> list[str]:
    """Return hashes of the files of a trained policy, if it names its folder."""
    folder = Path(getattr(kind, "folder", "") or ".")
    files = [path for path in (folder / "config.yaml", *sorted(folder.glob("**/best*"))) if path.is_file()]
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files] if folder != Path() else []


@functools.cache
def source_mark(module: str) -> str:
    """Return a hash of a module's source and of everything in restock that it imports."""
    waiting, found = [module, "restock.evaluation.simulate"], dict[str, str]()
    while waiting:
        name = waiting.pop()
        if name not in found and (read := _read(name)) is not None:
            found[name] = read[0]
            waiting += [one for one in read[1] if one.startswith("restock.") and one != NAMES_ONLY]
    return hashlib.sha256(json.dumps(sorted(found.values())).encode()).hexdigest()[:MARK]


@functools.cache
def _read(module: str) -> tuple[str, tuple[str, ...]] | None:
    """Return a hash of a module's source, and its imports; None if there is no source."""
    source = _source(module)
    if source is None:
        return None
    return hashlib.sha256(source.encode()).hexdigest(), tuple(_imports(source))


def _source(module: str) -> str | None:
    """Return the source of a module; None if it has none, or is a name inside a module."""
    loaded = getattr(sys.modules.get(module), "__file__", None)
    if loaded is not None:
        return Path(loaded).read_text(encoding="utf-8") if loaded.endswith(".py") else None
    place = PACKAGE.joinpath(*module.split(".")[1:])
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if module.startswith("restock.") and path.is_file():
            return path.read_text(encoding="utf-8")
    return None


def _imports(source: str) -> Iterator[str]:
    """Yield every module that a source imports, at its top or inside functions, including names from packages."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
