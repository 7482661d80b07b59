"""The reference, from the docstrings of every module: one page a package, one for the command line."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import families
import pydantic
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject
from typer.main import get_command
from typer.testing import CliRunner

import restock
from restock.cli.main import app as command_line
from restock.problems import load

SOURCE = Path(restock.__file__).parent

# In the order of the layers, the highest first.
PACKAGES = {
    "server": "Server",
    "report": "Reports",
    "agents": "Language models as agents",
    "benchmark": "Benchmark",
    "learning": "Learning",
    "conformance": "Tests of every problem",
    "evaluation": "Simulation and comparison",
    "policies": "Policies",
    "solvers": "Bounds and programs",
    "envs": "Environments",
    "problems": "Problems",
    "demand": "Demand",
    "data": "Data sets",
    "core": "The contract and its back ends",
}


def modules() -> list[str]:
    """Names of all modules that have something to say; the commands have a page of their own."""
    # The template is to be copied; classes that are made of those of openenv cannot be made without it.
    found = sorted(path for path in SOURCE.rglob("*.py") if not {"_template", "openenv"} & set(path.parts))
    named = {path: ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts) for path in found}
    told = [(path, name) for path, name in named.items() if ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    inside = [name.removesuffix(".__init__") for path, name in told if "cli" not in path.relative_to(SOURCE).parts]
    return [name for name in sorted(inside) if name != "restock"]


def headed(title: str, mark: str) -> list[str]:
    """A heading in reStructuredText."""
    return [title, mark * len(title), ""]


def package_page(package: str, names: list[str]) -> str:
    """Every module of a package."""
    lines = headed(PACKAGES.get(package, package.capitalize()), "=")
    for name in names:
        lines += [*headed(name, "-"), f".. automodule:: {name}"]
        # A package only passes on what its modules define.
        lines += ["   :no-members:", ""] if (SOURCE.parent / name.replace(".", "/")).is_dir() else [""]
    return "\n".join(lines)


def names_page() -> str:
    """The names that `import restock` gives."""
    lines = [*headed("Public names", "="), "What ``import restock`` gives, loaded at the first use.", ""]
    lines += [".. list-table::", "   :widths: 30 70", ""]
    for name in restock.__all__:
        thing = getattr(restock, name)
        if hasattr(thing, "__module__"):
            first = (inspect.getdoc(thing) or "").split("\n")[0]
            home = f"{thing.__module__}.{thing.__name__}"
            lines += [f"   * - :py:obj:`restock.{name} <{home}>`", f"     - {first}"]
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """The help of every command."""
    lines = [*headed("Commands", "="), "What each command says under ``--help``.", ""]
    group: Any = get_command(command_line)
    for name in sorted(group.commands):
        told = CliRunner().invoke(command_line, [name, "--help"], prog_name="restock", terminal_width=84)
        lines += [*headed(f"restock {name}", "-"), ".. code-block:: text", ""]
        lines += [f"   {line}".rstrip() for line in told.output.strip().splitlines()] + [""]
    return "\n".join(lines)


def write_fields(folder: Path) -> None:
    """Write the table of fields of every family, as it is declared."""
    folder.mkdir(parents=True, exist_ok=True)
    for family in load.families():
        schema = import_module(f"restock.problems.{family}.dynamics").SCHEMA
        (folder / f"{family}.md").write_text(schema.symbols() + "\n", encoding="utf-8")


def write(app: Sphinx) -> None:
    """Write the pages that autodoc fills; only those that changed, so that a second build is quick."""
    write_fields(Path(app.srcdir) / "reference" / "generated" / "fields")
    folder = Path(app.srcdir) / "reference" / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    pages = {"names": names_page(), "families": families.page(), "commands": commands_page()}
    grouped: dict[str, list[str]] = {}
    for name in modules():
        grouped.setdefault(name.split(".")[1], []).append(name)
    order = [*(name for name in PACKAGES if name in grouped), *(name for name in grouped if name not in PACKAGES)]
    pages |= {name: package_page(name, grouped[name]) for name in order}
    listed = "\n".join(f"   {name}" for name in pages)
    pages["index"] = "\n".join([*headed("Reference", "="), INTRODUCTION, ".. toctree::", "", listed, ""])
    for old in folder.glob("*.rst"):
        if old.stem not in pages:
            old.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


INTRODUCTION = """Generated from the docstrings and the commands' own help. Shapes use fixed letters: B episodes or
environments, T periods, N nodes, E links, M markets, K parameters.
"""


def plain(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Docstrings are read in editors too: stars and bars mean themselves, an indented block is left as it is set."""
    lines[:] = [one for line in lines for one in apart(line)]
    written: list[str] = []
    block = None  # depth of the line that an indented block belongs to
    for k, line in enumerate(lines):
        if block is not None and line.strip() and depth(line) <= block:
            block = None
        if block is not None or line.lstrip().startswith((">>>", "..", "* ")):
            written.append(line)
            continue
        spans = re.split(r"(`[^`]*`)", line)
        written.append("".join(span if span.startswith("`") else MARKS.sub(ESCAPED, span) for span in spans))
        following = next((later for later in lines[k + 2 :] if later.strip()), "")
        indented = lines[k + 1 : k + 2] == [""] and depth(following) > depth(line)
        if indented and line.strip() and not line.lstrip().startswith(":"):
            block = depth(line)
            written += ["", " " * block + "::"]
    lines[:] = written


def apart(line: str) -> list[str]:
    """`low, high: bounds` in a list of attributes, as one line for each."""
    several = re.fullmatch(r":(ivar|param) (\w+(?:, \w+)+): (.*)", line)
    return [f":{several[1]} {name}: {several[3]}" for name in several[2].split(", ")] if several else [line]


def named(app: Sphinx, what: str, name: str, thing: Any, options: Any, signature: str, returned: str) -> Any:
    """Types by the name that the code gives them."""
    if not signature or (isinstance(thing, type) and issubclass(thing, (pydantic.BaseModel, tuple))):
        return ("", "") if signature else None  # their fields are listed below
    return tuple(
        ALIAS.sub(lambda found: found[1] or f"NDArray[{found[2]}]", text or "") for text in (signature, returned)
    )


ALIAS = re.compile(r"TypeAliasForwardRef\('(\w+)'\)|ndarray\[tuple\[Any, \.\.\.\], dtype\[(\w+)\]\]")


MARKS = re.compile(r"(?<!\\)([*|]|(?<=\w)_(?=\W|$))")  # what reStructuredText would take as markup
ESCAPED = r"\\\1"


def depth(line: str) -> int:
    """Spaces before the text."""
    return len(line) - len(line.lstrip())


def fields(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Below the docstring of a description (of a network, of demand) or of a state: its fields."""
    if what != "class" or not isinstance(thing, type):
        return
    if issubclass(thing, pydantic.BaseModel):
        rows = described(thing)
    elif issubclass(thing, tuple) and hasattr(thing, "_fields"):
        schema = getattr(sys.modules[thing.__module__], "SCHEMA", None)
        rows = [
            (
                field.name,
                " ".join(filter(None, (field.meaning, f"[{field.symbol}]" * bool(field.symbol), f"({field.unit})"))),
            )
            for field in (schema.fields if schema is not None else ())
            if schema.parts[field.part] is thing
        ]
    else:
        return
    if rows:
        lines += ["", ".. list-table::", "   :widths: 35 65", ""]
        for key, meaning in rows:
            lines += [f"   * - ``{key}``", f"     - {MARKS.sub(ESCAPED, meaning)}"]
        lines.append("")


def described(kind: type[pydantic.BaseModel]) -> list[tuple[str, str]]:
    """Own fields of a description, as they are written in YAML, with limits and default."""
    rows = []
    for key, field in kind.model_fields.items():
        if key in inspect.get_annotations(kind):
            bounds = [(words, getattr(part, short)) for part in field.metadata for short, words in BOUNDS.items()
                      if hasattr(part, short)]  # fmt: skip
            told = [field.description] if field.description else []
            told += [" and ".join(f"{words} {bound:g}" for words, bound in bounds)] if bounds else []
            default = field.get_default(call_default_factory=True)
            told += ["required" if field.is_required() else f"default {default}"]
            rows.append((field.alias or key, "; ".join(told)))
    return rows


BOUNDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}


def own(app: Sphinx, what: str, name: str, thing: Any, skip: bool, options: Any) -> bool | None:
    """Leave out what pydantic and named tuples add to a class."""
    return True if name == "model_config" or (inspect.getdoc(thing) or "").startswith("Alias for field") else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the pages before Sphinx looks for them."""
    for kind in PyObject.doc_field_types:
        if kind.name == "variable":
            kind.label = "Attributes"  # as the docstrings call them
    app.connect("builder-inited", write)
    app.connect("autodoc-process-signature", named)
    app.connect("autodoc-skip-member", own)
    # After napoleon has taken the sections apart.
    app.connect("autodoc-process-docstring", plain, priority=600)
    app.connect("autodoc-process-docstring", fields, priority=700)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
