"""Validation of outside data against specs: pydantic's findings as one clear `InvalidInput`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_origin

import annotated_types
import numpy as np
import pydantic
from pydantic.fields import FieldInfo

from restock.core.errors import InvalidInput, inside, nearest

Model = TypeVar("Model", bound="Spec")
LARGEST = 1e12  # of any quantity, price or cost: products of three of them are still exact enough to add
MOST_VALUES = 1_000_000  # in one piece of outside data, everything it refers to written out


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


# For whole numbers that agents send: JSON has one kind of numbers, and many programs write 2 as 2.0. It stands after
# the bounds, so that JSON schemas tell them.
WHOLE = pydantic.BeforeValidator(_whole)


class Spec(pydantic.BaseModel):
    """A description from outside: unknown fields, strings for numbers, NaN and infinity are refused."""

    model_config = pydantic.ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, populate_by_name=True
    )


def plain(data: Any, where: str = "data") -> Any:
    """Return the data with NumPy scalars and arrays, tuples and specs turned into plain Python.

    Raises:
        InvalidInput: The data contains itself, or is too large once every reference is written out.
    """
    left = MOST_VALUES

    def converted(value: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise InvalidInput(where, data, f"this holds more than {MOST_VALUES} values", "Describe less at once.")
        if isinstance(value, np.ndarray):
            return value.tolist()
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, Mapping) and not isinstance(value, Spec):
            return {key: converted(entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return [converted(entry) for entry in value]
        return value

    try:
        return converted(data)
    except RecursionError:
        raise InvalidInput(where, data, "this contains itself, or is nested too deeply", "Write it out flat.") from None


def validated(model: type[Model], data: Any, where: str) -> Model:
    """Check data against a spec.

    Args:
        model: The spec to fill.
        data: A mapping, or a spec of that kind already.
        where: How the reader knows this data (`demand`; a file name with a colon behind it).

    Raises:
        InvalidInput: With the path inside the data, the value found and the mend.
    """
    if isinstance(data, model):
        return data
    if not isinstance(data, Mapping):
        raise InvalidInput(inside(where, ""), data, _NO_MAPPING, _known(model))
    try:
        return model.model_validate(plain(data, inside(where, "")))
    except pydantic.ValidationError as error:
        raise _told(error, model).within(where) from None


# telling pydantic's findings ------------------------------------------------------------------------

_NO_MAPPING = "must be a mapping of names to values"
_NOUNS = {
    "float_type": "a number",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def _told(error: pydantic.ValidationError, model: type[Spec]) -> InvalidInput:
    """Return the first finding as one sentence each for the problem and the mend."""
    findings = error.errors(include_url=False)
    # A misspelt name says more than the required field that is missing for it.
    findings.sort(key=lambda found: found["type"] not in ("extra_forbidden", "invalid_key"))
    places = [_place(model, found) for found in findings]
    first = places[0][0]
    # A union reports each member it tried: those at the first place or below it belong together.
    group = [
        (path, field, found)
        for (path, field), found in zip(places, findings, strict=True)
        if path[: len(first)] == first
    ]
    path, field, found = max(group, key=lambda entry: (len(entry[0]), entry[2]["type"] not in _NOUNS))
    nouns = [_noun(entry) for entry_path, _, entry in group if entry_path == path]
    finding = _finding(found, field, model, path, [noun for noun in nouns if noun])
    cause = found.get("ctx", {}).get("error")
    return (cause if isinstance(cause, InvalidInput) else finding).within(_written(path))


def _finding(found: Any, field: FieldInfo | None, model: type[Spec], path: list[int | str], nouns: list[str]) -> Any:
    """Return problem and hint of one finding, its field still empty."""
    kind, value, context = found["type"], found["input"], found.get("ctx", {})
    meaning = field.description if field is not None else None
    about = f": {meaning}" if meaning else ""
    if kind == "extra_forbidden":
        known = _names_at(model, path[:-1])
        return InvalidInput("", value, "there is no such field", nearest(path[-1], known))
    if kind == "missing":
        return InvalidInput(
            "", None, "this is required", f"Add `{path[-1]}: ...`" + (f", {meaning}." if meaning else ".")
        )
    if kind == "invalid_key":
        return InvalidInput("", found["loc"][-1], "must be text, as every name of a field", _known(model, path[:-1]))
    if kind in _BOUNDS:
        words, limit = _BOUNDS[kind]
        problem = f"must be {words} {_number(context[limit])}"
        return InvalidInput("", value, problem, f"Write a number{_range(field, limit)}{about}.")
    if kind == "finite_number":
        return InvalidInput("", value, "must be finite", f"Write a number{_range(field)}{about}.")
    if kind == "too_short":
        return InvalidInput("", value, "this is empty", f"Write at least one{about}.")
    if kind == "string_too_short":
        return InvalidInput("", value, "this is empty", f"Write a word{about}.")
    if nouns == ["a mapping"]:
        mend = _known(model, path) if _names_at(model, path) else f"Write {nouns[0]}{about}."
        return InvalidInput("", value, _NO_MAPPING, mend)
    if nouns:
        what = " or ".join(dict.fromkeys(nouns))
        return InvalidInput("", value, f"must be {what}", _mend_type(value, what, about))
    return InvalidInput("", value, found["msg"][0].lower() + found["msg"][1:], f"Write another value{about}.")


def _noun(found: Any) -> str | None:
    """Return what pydantic expected, in words."""
    expected = found.get("ctx", {}).get("expected") if found["type"] == "literal_error" else None
    return expected or _NOUNS.get(found["type"])


def _mend_type(value: Any, what: str, about: str) -> str:
    if "text" in what and not isinstance(value, (dict, list, type(None))):
        return f"Put it in quotes{about}."
    if isinstance(value, str) and ("number" in what or "integer" in what):
        try:
            float(value)
        except ValueError:
            return f"Write {what}{about}."
        if "e" in value.lower():
            return "YAML takes this for text: write the number with a point, as in 1.0e-3."
        return f"Write it without quotes{about}."
    return f"Write {what}{about}."


def _range(field: FieldInfo | None, broken: str = "") -> str:
    """Return the numbers a field allows; the limit of all quantities only where it was broken."""
    words = []
    for mark in field.metadata if field is not None else ():
        if isinstance(mark, annotated_types.Gt):
            words.append(f" above {_number(mark.gt)}")
        elif isinstance(mark, annotated_types.Ge):
            words.append(f" of at least {_number(mark.ge)}")
        elif isinstance(mark, annotated_types.Le) and (broken == "le" or mark.le != LARGEST):
            words.append(f" at most {_number(mark.le)}")
    return " and".join(words)


def _number(limit: Any) -> str:
    if limit != int(limit) or abs(limit) > 1e15:
        return f"{limit:g}"
    return f"{int(limit):,}" if abs(limit) >= 1e9 else str(int(limit))


def _place(model: type[Spec], found: Any) -> tuple[list[int | str], FieldInfo | None]:
    """Return the path as the reader wrote it, and the field there.

    Pydantic puts names of union members into its paths; a part that is no field where it stands is
    one of those, unless the finding is about just that.
    """
    location = found["loc"]
    path: list[int | str] = []
    annotation: Any = model
    field: FieldInfo | None = None
    for k, part in enumerate(location):
        if isinstance(part, int) and not (found["type"] == "invalid_key" and k == len(location) - 1):
            path.append(part)
            continue
        inner = _field(annotation, str(part))
        if inner is not None:
            field, annotation = inner, inner.annotation
            path.append(inner.alias or part)
        elif found["type"] in ("extra_forbidden", "invalid_key") and k == len(location) - 1:
            path.append(str(part))
        elif _is_mapping(annotation):
            path.append(part)
    return path, field


def _field(annotation: Any, name: str) -> FieldInfo | None:
    spec = _inner_spec(annotation)
    fields = spec.model_fields.items() if spec is not None else ()
    return next((field for key, field in fields if name in (key, field.alias)), None)


def _inner_spec(annotation: Any) -> type[Spec] | None:
    """Return the spec inside an annotation: of itself, of a list's entries, of a union's member."""
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return annotation
    inner = (_inner_spec(argument) for argument in getattr(annotation, "__args__", ()))
    return next((spec for spec in inner if spec is not None), None)


def _is_mapping(annotation: Any) -> bool:
    return get_origin(annotation) is dict or any(_is_mapping(part) for part in getattr(annotation, "__args__", ()))


def _names_at(model: type[Spec], path: list[int | str]) -> list[str]:
    """Return the names of the fields of the spec found at a path inside another."""
    annotation: Any = model
    for part in path:
        if isinstance(part, str):
            field = _field(annotation, part)
            annotation = field.annotation if field is not None else None
    spec = _inner_spec(annotation)
    return [field.alias or name for name, field in spec.model_fields.items()] if spec is not None else []


def _known(model: type[Spec], path: list[int | str] | None = None) -> str:
    return f"Its names: {', '.join(_names_at(model, path or []))}."


def _written(path: list[int | str]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
