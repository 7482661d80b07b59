"""The instances that are shipped with a kind of problem, and how one is read from wherever it is."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from restock.core.errors import InvalidInput, nearest

if TYPE_CHECKING:  # both are slow to import, and names of instances are needed before
    from restock.core.validation import Model


class Shelf:
    """The folder `instances` of one kind of problem.

    Args:
        family: Name of the kind of problem.
        noun: What an instance is called.
        folder: Where the instances are.
        beside: Takes the data of a file and its folder, and returns them with the files they name found from there.
    """

    def __init__(self, family: str, noun: str, folder: Path, beside: Callable[[Any, Path], Any] | None = None) -> None:
        self.family, self.noun, self.folder = family, noun, folder
        self._beside = beside

    def names(self) -> list[str]:
        """Return the names of what is shipped."""
        return sorted(
            entry.name.removesuffix(".yaml") for entry in self.folder.iterdir() if entry.name.endswith(".yaml")
        )

    def text(self, name: str) -> str:
        """Return the YAML of a shipped instance.

        Raises:
            InvalidInput: There is none of that name.
        """
        if name not in self.names():
            raise InvalidInput("instance", name, f"there is no such {self.noun}", nearest(name, self.names()))
        return self.folder.joinpath(f"{name}.yaml").read_text(encoding="utf-8")

    def read(self, instance: Any) -> tuple[Any, str]:
        """What describes an instance, and how to call it in an error.

        Args:
            instance: Name of a shipped one, path of a YAML file, mapping, or spec.

        Raises:
            InvalidInput: There is no such instance, or the file cannot be read.
        """
        from restock.core.reading import parsed, read_yaml
        from restock.core.validation import Spec

        if isinstance(instance, (Spec, Mapping)):
            return instance, self.noun
        if names_a_file(instance):
            path = Path(instance)
            data = read_yaml(path, runs=False)
            return data if self._beside is None else self._beside(data, path.parent), f"{path.name}:"
        known = self.names()
        if isinstance(instance, str):
            if instance not in known and not difflib.get_close_matches(instance, known, n=1):
                mend = f"Known: {', '.join(known)}; or a YAML path."
                raise InvalidInput("instance", instance, f"there is no such {self.noun}", mend)
            return parsed(self.text(instance)), instance
        kinds = "must be a name, a path, a mapping or a spec"
        raise InvalidInput("instance", instance, kinds, f"Known: {', '.join(known)}.")

    def spec(self, model: type[Model], instance: Any, changes: Mapping[str, Any]) -> tuple[Model, str]:
        """Return the checked description of an instance, and how to call it in an error.

        Args:
            model: The spec to fill.
            instance: As for `read`.
            changes: What replaces its fields; None leaves a field as it is.

        Raises:
            InvalidInput: Anything in it does not hold.
        """
        from restock.core.validation import validated

        data, where = self.read(instance)
        spec = validated(model, data, where)
        changed = {name: value for name, value in changes.items() if value is not None}
        if changed:
            spec = validated(model, {**{name: getattr(spec, name) for name in model.model_fields}, **changed}, "")
        return spec, where


def names_a_file(instance: Any) -> bool:
    """Return whether an instance is given as the path of a file."""
    if isinstance(instance, Path):
        return True
    return isinstance(instance, str) and ("/" in instance or "\\" in instance or instance.endswith((".yaml", ".yml")))
