"""Arguments shared by several commands, and their parsing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restock.core.errors import InvalidInput
from restock.core.trust import trusting

if TYPE_CHECKING:
    from restock.core.problem import Problem
    from restock.policies._base import Policy

_EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")  # a number that YAML 1.1 takes for a word (3e-4)
ProblemName = Annotated[
    str,
    typer.Argument(
        metavar="PROBLEM",
        help="A shipped instance (serial), an environment id (restock/Serial-v0), a YAML file, or your own problem: "
        "its folder (restock new), or file.py:Class.",
    ),
]
MOST_SEEDS = 1_000_000  # of a range: a typing error should not fill the memory
Episodes = Annotated[int, typer.Option("--episodes", "-n", help="How many episodes.")]
Seed = Annotated[int, typer.Option("--seed", help="Of the episodes; another seed shares none of them.")]
Seeds = Annotated[
    str | None,
    typer.Option(
        "--seeds",
        metavar="LIST",
        help="The episodes that reset(seed=...) begins with these very seeds, in place of --episodes: 42,123 or 42-71.",
        show_default=False,
    ),
]
Demand = Annotated[
    list[str] | None,
    typer.Option(
        "--demand",
        metavar="KEY=VALUE",
        help="Replace the demand: mean=25, effects.trend.slope=0.1, or YAML in one piece. May be repeated.",
    ),
]
Horizon = Annotated[int | None, typer.Option("--horizon", help="Periods in an episode.")]
Backlog = Annotated[
    bool | None,
    typer.Option("--backlog/--lost-sales", help="Whether unmet demand waits or is lost.", show_default=False),
]
Discount = Annotated[
    float | None,
    typer.Option("--discount", help="Worth of the next period's money in this period's."),
]
With = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="KEY=VALUE",
        help="Change any field of the problem: max_steps=50, cost_weight=0.01, task=hard. May be repeated.",
    ),
]


def _trust(context: typer.Context, given: bool) -> bool:
    if given:
        context.with_resource(trusting())  # to the end of the command
    return given


Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        callback=_trust,
        is_eager=True,
        help="Let files name code that is then run: transcripts, run folders, lists of policies, instances in a "
        "problem folder. Read that code first.",
    ),
]


def read_seeds(text: str | None) -> list[int] | None:
    """Parse seeds: single ones and ranges, both ends included.

    Raises:
        InvalidInput: It is no such list.
    """
    if text is None:
        return None
    found: list[int] = []
    for piece in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,18})(?:-(\d{1,18}))?\s*", piece)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first or last - first >= MOST_SEEDS:
            raise InvalidInput(
                "--seeds", text, "must be seeds and ranges of seeds", "Write for instance 42,123 or 42-71."
            )
        found += range(first, last + 1)
    return found


def problem_of(
    name: str,
    demand: Sequence[str] | None,
    horizon: int | None,
    backlog: bool | None,
    discount: float | None,
    fields: Sequence[str] | None = None,
) -> Problem:
    """Return the problem named on the command line.

    Raises:
        InvalidInput: It names none, or a change to it does not hold.
    """
    from restock.problems.load import load_problem

    return load_problem(name, **changes_of(demand, horizon, backlog, discount, fields))


def changes_of(
    demand: Sequence[str] | None,
    horizon: int | None,
    backlog: bool | None,
    discount: float | None,
    fields: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return the changes of a problem on the command line.

    Raises:
        InvalidInput: The demand or a field cannot be read, or is given twice.
    """
    given = {"demand": read_demand(demand), "horizon": horizon, "backlog": backlog, "discount": discount}
    changes = {name: value for name, value in given.items() if value is not None}
    for field in fields or ():
        name, value = read_setting("--with", field, "max_steps=50")
        if name in changes:
            raise InvalidInput("--with", field, f"{name} is given twice", "Give it once.")
        changes[name] = value
    return changes


def read_setting(option: str, setting: str, example: str) -> tuple[str, Any]:
    """Parse KEY=VALUE.

    Raises:
        InvalidInput: It is not that.
    """
    key, equals, value = setting.partition("=")
    if not equals or not key.strip():
        raise InvalidInput(option, setting, "this is not KEY=VALUE", f"Write for instance {example}.")
    return key.strip(), read_yaml(key.strip(), value)


def read_demand(snippets: Sequence[str] | None) -> dict[str, Any] | None:
    """Parse the pieces of `--demand`; None if there is none.

    Raises:
        InvalidInput: A piece is not `key=value`, a mapping in YAML, or a number.
    """
    if not snippets:
        return None
    demand: dict[str, Any] = {}
    for snippet in snippets:
        if "=" in snippet and not snippet.lstrip().startswith("{"):
            key, _, value = snippet.partition("=")
            _put(demand, key.strip().split("."), read_yaml("--demand", value), snippet)
            continue
        data = read_yaml("--demand", snippet)
        if isinstance(data, (int, float)) and not isinstance(data, bool):
            data = {"mean": data}
        if not isinstance(data, dict):
            raise InvalidInput("--demand", snippet, "this is neither KEY=VALUE nor a mapping", "Write mean=25.")
        demand.update(data)
    return demand


def read_policy(text: str, problem: Problem, settings: Sequence[str] | None = None) -> Policy:
    """Return the policy of an argument such as `base-stock` or `base-stock:service=0.99,mean=12`.

    `base-stock:@file.yaml` reads the parameters from a file, as `restock fit` writes it.

    A policy from outside is named by its place, `my_file.py:Mine` or `my_file.py:Mine:service=0.99`.

    Args:
        text: The argument.
        problem: What the policy is made for.
        settings: More `key=value`.

    Raises:
        InvalidInput: There is no such policy, or a parameter does not hold.
    """
    from restock.policies.registry import make_policy

    name, parameters = policy_and_parameters(text, settings)
    return make_policy(name, problem, **parameters)


def policy_and_parameters(text: str, settings: Sequence[str] | None = None) -> tuple[str, dict[str, Any]]:
    """Split an argument into the policy's name and the parameters after it.

    Raises:
        InvalidInput: A parameter is not `key=value`, or is given twice.
    """
    name, inline = _place_and_rest(text)
    parameters: dict[str, Any] = {}
    for setting in (*_pieces(inline), *(settings or ())):
        for key, value in _parameters_in(setting).items():
            if key in parameters:
                raise InvalidInput("--set", setting, "this parameter is given twice", "Give it once.")
            parameters[key] = value
    return name, parameters


def _parameters_in(setting: str) -> dict[str, Any]:
    """Parse `key=value`, or the file named by `@file.yaml`."""
    if setting.startswith("@"):
        from restock.core.reading import read_yaml as read_file

        return {str(key): value for key, value in read_file(Path(setting[1:])).items()}
    key, value = read_setting("--set", setting, "service=0.95")
    return {key: value}


def _place_and_rest(text: str) -> tuple[str, str]:
    """Split the text after the policy's name, or after `module:Class` if it names that."""
    from restock.core.places import names_a_place
    from restock.policies.registry import list_policies

    name, _, rest = text.partition(":")
    attribute, _, inline = rest.partition(":")
    if name not in list_policies() and names_a_place(f"{name}:{attribute}"):
        return f"{name}:{attribute}", inline
    return name, rest


def read_yaml(field: str, text: str) -> Any:
    """Parse a value written in YAML.

    Raises:
        InvalidInput: It is not YAML.
    """
    import yaml

    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise InvalidInput(field, text, "this is not a value in YAML", "Write a number, a word or [a, list].") from None
    return float(value) if isinstance(value, str) and _EXPONENT.fullmatch(value) else value


def _put(data: dict[str, Any], path: Sequence[str], value: Any, snippet: str) -> None:
    """Set data[a][b][c] for the path a.b.c."""
    for part in path[:-1]:
        inner = data.setdefault(part, {})
        if not isinstance(inner, dict):
            raise InvalidInput("--demand", snippet, f"{part} has a value already", "Give it once.")
        data = inner
    data[path[-1]] = value


def _pieces(text: str) -> list[str]:
    """Split the text at commas outside brackets."""
    pieces, depth = [""], 0
    for letter in text:
        depth += (letter in "[{(") - (letter in "]})")
        if letter == "," and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += letter
    return [piece for piece in pieces if piece]
