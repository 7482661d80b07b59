r"""Tuned numbers of the usual algorithms, in files that RL-Zoo reads too (`hyperparams/*.yml`).

    python -m rl_zoo3.train --algo ppo --env restock/Serial-v0 --gym-packages restock \
        --conf-file $(python -c "import restock.learning.presets as p; print(p.path_of('ppo'))")

Each file has an entry for an environment id, or `default`. The key `env_wrapper` names
`restock.learning.prepared.PreparedEnvironment`, whose arguments are the forms of `Preparation`; RL-Zoo
wraps single environments with it, `restock train` reads the arguments and uses the native vector
environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restock.core.errors import InvalidInput
from restock.core.reading import read_yaml

STABLE = ("ppo", "a2c", "sac", "td3", "dqn")
CONTRIB = ("tqc", "recurrent-ppo", "maskable-ppo")
ALGORITHMS = (*STABLE, *CONTRIB)
WRAPPER = "restock.learning.prepared.PreparedEnvironment"
FOLDER = Path(__file__).with_name("hyperparams")


def path_of(algo: str) -> Path:
    """The file of an algorithm's presets."""
    return FOLDER / f"{algo.replace('-', '_')}.yml"


def preset(algo: str, problem: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The preset for a problem.

    Args:
        algo: One of `ALGORITHMS`.
        problem: Its name.

    Returns:
        Arguments of `Preparation`, and the other keys of the entry.

    Raises:
        InvalidInput: The file is damaged.
    """
    entries = read_yaml(path_of(algo))
    entry = dict(entries.get(f"restock/{problem.capitalize()}-v0") or entries["default"])
    preparation: dict[str, Any] = {}
    for wrapper in entry.pop("env_wrapper", None) or ():
        if not isinstance(wrapper, Mapping) or list(wrapper) != [WRAPPER]:
            raise InvalidInput("env_wrapper", wrapper, f"a preset has no other wrapper than {WRAPPER}", "Remove it.")
        preparation.update(wrapper[WRAPPER])
    return preparation, entry
