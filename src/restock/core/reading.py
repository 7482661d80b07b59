"""Text and YAML from files, with one clear `InvalidInput` for whatever can be wrong with a file."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from restock.core.errors import InvalidInput

MOST_TEXT = 256 * 1024 * 1024  # bytes of a file
MOST_YAML = 32 * 1024 * 1024  # likewise, where a byte takes Python a hundred times as long
AT_ONCE = 1024 * 1024  # bytes that are read in one go
MOST_OF_DEVICE = 1024 * 1024  # bytes that are read before a device counts as one without end

_KEPT: dict[tuple[Path, str], Mapping[str, Any]] = {}  # at most one file, with its text


AN_INSTANCE = "Copy an instance: restock show serial --yaml."


def read_yaml(path: Path, keep: bool = False, runs: bool = True, empty: str = AN_INSTANCE) -> Mapping[str, Any]:
    """The mapping a YAML file holds; duplicate keys are refused, and so are names of code (see `restock.core.trust`).

    Args:
        path: The file.
        keep: Whether it will be read again at once, and nothing is changed in it until then: what was found is
            kept for that, as long as the text stays the same.
        runs: Whether anything in it may be taken for a policy, or a problem of one's own; False of the description
            of a network or store, in which no text leads to code.
        empty: What to do about a file in which nothing stands.

    Raises:
        InvalidInput: Missing, unreadable, empty, malformed, or not a mapping; or it names code.
    """
    text = read_text(path, "file", "YAML", MOST_YAML)
    data = _KEPT.pop((path, text), None)
    _KEPT.clear()
    if data is None:
        data = _mapping_in(path, text, empty)
    if runs:
        from restock.core.trust import refuse_code  # which reads files itself

        refuse_code(data, path)
    if keep:
        _KEPT[path, text] = data
    return data


def parsed(text: str) -> Any:
    """Parse YAML with the fastest safe parser available; a key given twice is rejected.

    Raises:
        YAMLError: It is malformed.
        ValueError: A number in it cannot be read.
        RecursionError: It is nested too deeply.
    """
    try:
        return yaml.load(text, Loader=LOADER)
    except yaml.YAMLError:  # libyaml says less well what is wrong, and where
        return yaml.load(text, Loader=PlainLoader)


def _mapping_in(path: Path, text: str, empty: str) -> Mapping[str, Any]:
    try:
        data = parsed(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "malformed"
        raise InvalidInput("file", place, f"this is not valid YAML ({reason})", "Correct that line.") from None
    except RecursionError:
        raise InvalidInput("file", str(path), "this is nested too deeply", "Write it flat.") from None
    except ValueError as error:
        raise InvalidInput("file", str(path), f"this is not valid YAML ({error})", "Correct that value.") from None
    if data is None:
        raise InvalidInput("file", str(path), "the file is empty", empty)
    if not isinstance(data, Mapping):
        raise InvalidInput("file", str(path), "must be a mapping of names to values", "Begin with `name: ...`.")
    return data


def read_text(path: Path, field: str, kind: str, most: int = MOST_TEXT) -> str:
    """Return the text of a file, a byte-order mark dropped; see `read_bytes`.

    Raises:
        InvalidInput: Missing, a folder, unreadable, too large, or not UTF-8.
    """
    try:
        text = read_bytes(path, field, kind, most).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(field, str(path), "this is not UTF-8 text", f"Save it as UTF-8 {kind}.") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_bytes(path: Path, field: str, kind: str, most: int = MOST_TEXT) -> bytearray:
    """Return what is in a file.

    Pipes and terminals are read until they end, like files; of another device, which may have no end, only a little.

    Args:
        path: The file.
        field: What errors call it.
        kind: What it should hold.
        most: Bytes that it may have.

    Raises:
        InvalidInput: Missing, a folder, unreadable, or too large.
    """
    data = bytearray()
    try:
        with path.open("rb") as file:
            device = stat.S_ISCHR(os.fstat(file.fileno()).st_mode) and not file.isatty()
            limit = min(most, MOST_OF_DEVICE) if device else most
            while len(data) <= limit and (piece := file.read(AT_ONCE)):
                data += piece
    except FileNotFoundError:
        raise InvalidInput(field, str(path), "there is no such file", "Check the path.") from None
    except IsADirectoryError:
        raise InvalidInput(field, str(path), "this is a folder", f"Name a {kind} file inside it.") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte in it
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(field, str(path), f"it cannot be read ({reason})", "Name another file.") from None
    if len(data) > limit:
        what = "must be a file or a pipe, not a device" if device else f"must have at most {most:,} bytes"
        raise InvalidInput(field, str(path), what, f"Name another {kind} file.")
    return data


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the entries of an object of JSON, as `object_pairs_hook`.

    Raises:
        ValueError: A name is given twice: some would read the first, others the second.
    """
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {name[:80]!r} is given twice")
        found[name] = value
    return found


class _Strict(SafeConstructor):
    """A parser that rejects a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = key_node.value if isinstance(key_node.value, str) else str(key_node.value)
            if key in seen and key != "<<":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


class PlainLoader(_Strict, yaml.SafeLoader):
    """PyYAML's own parser."""


LOADER: Any = PlainLoader
if yaml.__with_libyaml__:
    from yaml._yaml import CParser

    class FastLoader(Composer, CParser, _Strict, Resolver):
        """The parser of libyaml.

        Nodes are composed in Python: that costs nothing, and the composer in C has no limit to its
        recursion, so a file nested deeply enough would end the process.
        """

        def __init__(self, stream: Any) -> None:
            CParser.__init__(self, stream)
            Composer.__init__(self)
            _Strict.__init__(self)
            Resolver.__init__(self)

    LOADER = FastLoader
