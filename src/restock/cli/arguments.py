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
        "problem folder; and a list of models what is sent where. Read them first.",
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


def read_setting(option: str, setting: str, example: str) -> tuple[str, Any]:
    """Parse KEY=VALUE.

    Raises:
        InvalidInput: It is not that.
    """
    key, equals, value = setting.partition("=")
    if not equals or not key.strip():
        raise InvalidInput(option, setting, "this is not KEY=VALUE", f"Write for instance {example}.")
    return key.strip(), read_yaml(key.strip(), value)


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
