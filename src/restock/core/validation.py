"""From outside data to checked specs: pydantic's findings, told as one clear `InvalidInput`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pydantic
import yaml

from restock.core.errors import InvalidInput, nearest

Model = TypeVar("Model", bound="Spec")


class Spec(pydantic.BaseModel):
    """A description from outside: unknown fields, strings for numbers, NaN and infinity are refused."""

    model_config = pydantic.ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, populate_by_name=True
    )


def plain(data: Any) -> Any:
    """The data with NumPy scalars and arrays, tuples and specs turned into plain Python."""
    if isinstance(data, np.ndarray):
        return data.tolist()
    if isinstance(data, np.generic):
        return data.item()
    if isinstance(data, Spec):
        return data
    if isinstance(data, Mapping):
        return {key: plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [plain(value) for value in data]
    return data


def validated(model: type[Model], data: Any, where: str) -> Model:
    """Check data against a spec.

    Args:
        model: The spec to fill.
        data: A mapping, or a spec of that kind already.
        where: How the reader knows this data ("demand", a file name).

    Raises:
        InvalidInput: With the path inside the data, the value found and the mend.
    """
    if isinstance(data, model):
        return data
    if not isinstance(data, Mapping):
        raise InvalidInput(where, data, "this should be a mapping of names to values", f"Known: {_fields(model)}.")
    for key in data:
        if not isinstance(key, str):
            raise InvalidInput(f"{where}.{key}", data[key], "a field name is text", f"Known: {_fields(model)}.")
    try:
        return model.model_validate(plain(data))
    except pydantic.ValidationError as error:
        raise _told(error, model, data, where) from None
    except RecursionError:
        raise InvalidInput(where, "...", "this refers to itself", "Write each value out.") from None


def read_yaml(path: Path) -> Mapping[str, Any]:
    """The mapping a YAML file holds; duplicate keys are refused.

    Raises:
        InvalidInput: Missing, unreadable, empty, malformed, or not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InvalidInput("file", str(path), "there is no such file", "Check the path.") from None
    except IsADirectoryError:
        raise InvalidInput("file", str(path), "this is a folder", "Name a YAML file inside it.") from None
    except UnicodeDecodeError:
        raise InvalidInput("file", str(path), "this is not UTF-8 text", "Save it as UTF-8 YAML.") from None
    except OSError as error:
        raise InvalidInput("file", str(path), f"it cannot be read ({error.strerror})", "Check it.") from None
    try:
        data = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - the loader is a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        reason = getattr(error, "problem", None) or "malformed"
        raise InvalidInput("file", place, f"this is not valid YAML ({reason})", "Mend that line.") from None
    except (ValueError, RecursionError) as error:
        raise InvalidInput("file", str(path), f"this is not valid YAML ({error})", "Mend that value.") from None
    if data is None:
        raise InvalidInput("file", str(path), "the file is empty", "Copy an instance: restock show serial --yaml.")
    if not isinstance(data, Mapping):
        raise InvalidInput("file", str(path), "a spec is a mapping of names to values", "Begin with `name: ...`.")
    return data


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = key_node.value if isinstance(key_node.value, str) else str(key_node.value)
            if key in seen and key != "<<":
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is given twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _fields(model: type[Spec]) -> str:
    return ", ".join(field.alias or name for name, field in model.model_fields.items())


def _told(error: pydantic.ValidationError, model: type[Spec], data: Any, where: str) -> InvalidInput:
    """The first finding as one sentence each for the problem and the mend."""
    found = error.errors(include_url=False)[0]
    location = [part for part in found["loc"] if not _is_union_tag(part)]
    kind = found["type"]
    context = found.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, InvalidInput):
        inner = cause.field.lstrip(".")
        joint = "" if not inner or inner.startswith("[") else "."
        return InvalidInput(where + _path(location) + joint + inner, cause.value, cause.problem, cause.mend)
    field = where + _path(location)
    value = found["input"]
    if kind == "extra_forbidden":
        known = _known_at(model, location[:-1])
        mend = nearest(location[-1], known) if known else "Remove it."
        return InvalidInput(field, value, "there is no such field", mend)
    if kind == "missing":
        return InvalidInput(field, None, "this field is required", f"Add `{location[-1]}: ...`.")
    problem = found["msg"].removeprefix("Value error, ")
    problem = problem[0].lower() + problem[1:]
    return InvalidInput(field, value, problem, _MENDS.get(kind, "Write a value of that kind."))


_MENDS = {
    "float_type": "Write a number without quotes.",
    "int_type": "Write a whole number without quotes.",
    "int_from_float": "Write a whole number.",
    "bool_type": "Write true or false.",
    "string_type": "Write text.",
    "list_type": "Write a list.",
    "finite_number": "Write a finite number.",
    "greater_than": "Write a larger number.",
    "greater_than_equal": "Write a larger number.",
    "less_than": "Write a smaller number.",
    "less_than_equal": "Write a smaller number.",
    "too_short": "Add at least one entry.",
    "literal_error": "Write one of these words.",
}


def _is_union_tag(part: int | str) -> bool:
    """Whether pydantic put this into the path to say which member of a union it tried."""
    return isinstance(part, str) and ("[" in part or part in ("float", "int", "str", "bool") or part[:1].isupper())


def _path(location: list[int | str]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


def _known_at(model: type[Spec], location: list[int | str]) -> list[str]:
    """Names of the fields of the spec found at a path inside another, as far as it can be told."""
    current: Any = model
    for part in location:
        if isinstance(part, int):
            continue
        field = next(
            (f for n, f in getattr(current, "model_fields", {}).items() if part in (n, f.alias)),
            None,
        )
        if field is None:
            return []
        current = _inner_spec(field.annotation)
        if current is None:
            return []
    return [field.alias or name for name, field in current.model_fields.items()]


def _inner_spec(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        inner = _inner_spec(argument)
        if inner is not None:
            return inner
    return None
