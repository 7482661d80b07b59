r"""Presets of the usual algorithms, in files that RL-Zoo reads too (`hyperparams/*.yml`).

    python -m rl_zoo3.train --algo ppo --env restock/Serial-v0 --gym-packages restock \
        --conf-file $(python -c "import restock.learning.presets as p; print(p.path_of('ppo'))")

Each file has an entry for an environment id; for other networks `default`, for other problems
`restock/Problem-v0`. The key `env_wrapper` names
`restock.learning.prepared.PreparedEnvironment`, whose arguments are the forms of `Preparation`; RL-Zoo
wraps single environments with it, `restock train` reads the arguments and uses the native vector
environment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from restock.core.errors import InvalidInput
from restock.core.problem import Problem
from restock.core.reading import read_yaml
from restock.learning.family import learning_of

STABLE = ("ppo", "a2c", "sac", "td3", "dqn")
CONTRIB = ("tqc", "recurrent-ppo", "maskable-ppo")
ALGORITHMS = (*STABLE, *CONTRIB)
WRAPPER = "restock.learning.prepared.PreparedEnvironment"
Given = str | Path | Mapping[str, Any]  # a file, or an entry of one
FOLDER = Path(__file__).with_name("hyperparams")


def path_of(algo: str) -> Path:
    """Return the file of an algorithm's presets."""
    return FOLDER / f"{algo.replace('-', '_')}.yml"


def preset(algo: str, problem: Problem, path: Given | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the preset for a problem.

    Args:
        algo: One of `ALGORITHMS`.
        problem: What is trained for.
        path: A file of the same form instead of the shipped one, or an entry of such a file.

    Returns:
        Arguments of `Preparation`, and the other keys of the entry.

    Raises:
        InvalidInput: The file cannot be read, or has no entry for the problem.
    """
    entry = entry_of(path_of(algo) if path is None else path, problem)
    preparation: dict[str, Any] = {}
    for wrapper in _listed(entry.pop("env_wrapper", None)):
        if not isinstance(wrapper, Mapping) or list(wrapper) != [WRAPPER] or not isinstance(wrapper[WRAPPER], Mapping):
            raise InvalidInput("env_wrapper", wrapper, f"a preset has no other wrapper than {WRAPPER}", "Remove it.")
        preparation.update(wrapper[WRAPPER])
    return preparation, entry


def entry_of(path: Given, problem: Problem) -> dict[str, Any]:
    """Return the entry of a file of presets for a problem; an entry stands for itself.

    Raises:
        InvalidInput: The file cannot be read, or has no entry for the problem.
    """
    if isinstance(path, Mapping):
        return dict(path)
    entries = read_yaml(Path(path))
    learning = learning_of(problem)
    key, rest = learning.entry, learning.general[0]
    name = key if key in entries else rest
    if name not in entries:
        raise InvalidInput(str(path), list(entries), f"there is no entry for {key}, and no {rest}", "Add one.")
    if not isinstance(entries[name], Mapping):
        raise InvalidInput(f"{path}: {name}", entries[name], "must be a mapping of names to numbers", "Correct it.")
    return {str(key): value for key, value in entries[name].items()}


def written(config: Mapping[str, Any], problem: Problem, comment: Sequence[str]) -> str:
    """Return the numbers of a run as a file of presets, which `preset` and RL-Zoo read.

    Args:
        config: The run's configuration.
        problem: What it was trained for.
        comment: Lines at its top.
    """
    training = dict(config["training"])
    entry: dict[str, Any] = {}
    if "preparation" in config:
        kept = {name: value for name, value in config["preparation"].items() if value is not None}
        entry["env_wrapper"] = [{WRAPPER: kept}]
        entry |= {"n_envs": training["n_envs"], "n_timesteps": float(training["steps"]), "policy": training["policy"]}
        entry |= training["numbers"]
    else:
        entry |= training | {"policy_kwargs": dict(config["architecture"])}
    learning = learning_of(problem)
    names = dict.fromkeys((*learning.general, learning.entry))
    text = yaml.safe_dump(dict.fromkeys(names, entry), sort_keys=False, width=120)
    # The dumper calls the entry that is meant several times id001.
    text = text.replace("&id001", "&numbers").replace("*id001", "*numbers")
    return "".join(f"# {line}\n" for line in comment) + text


def _listed(value: Any) -> list[Any]:
    """RL-Zoo takes one wrapper, or a list."""
    return value if isinstance(value, list) else [] if value is None else [value]
