"""Search spaces: for each algorithm, names, ranges and choices around its preset, and their notation.

A range is `LOW..HIGH`, with `log:` before it where it is searched evenly in logarithm; it is of whole numbers
where both ends are. Choices are a list in YAML. Names are those of `restock train --set`.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from restock.core.errors import InvalidInput, nearest
from restock.core.reading import read_yaml

NETWORK = "network."
# The same of every trial, or they could not be compared.
FIXED = ("steps", "evaluate_every", "held_out", "cpu_seconds", "warm_up", "curriculum_steps")
MEND = "Write LOW..HIGH, log:LOW..HIGH or a list such as [64,128]."

_SIZES = "[[32,32],[64,64],[128,128],[256,256]]"
_PAYOFF = {"learning_rate": "log:2e-4..5e-3", "gamma": "0.95..1.0"}
_ROLLOUTS = {**_PAYOFF, "gae_lambda": "0.8..1.0", "ent_coef": "0.0..0.01", "max_grad_norm": "log:0.3..3.0"}
_PPO = {**_ROLLOUTS, "n_steps": "[30,60,90]", "batch_size": "[240,480,960,1920]", "n_epochs": "2..10"}
_PPO |= {"clip_range": "0.1..0.4"}
_GAUSSIAN = {"network.log_std_init": "-2.0..0.0", "span": "0.25..2.0"}
_STORED = {"learning_rate": "log:1e-4..3e-3", "gamma": "0.95..1.0", "batch_size": "[128,256,512]"}
_STORED |= {"gradient_steps": "2..16", "learning_starts": "log:500..5000"}
_ACTORS = {**_STORED, "tau": "log:0.002..0.05", "network.hidden": _SIZES, "span": "0.25..2.0"}
_SOFT = {**_ACTORS, "ent_coef": "[auto_1.0,auto_0.1,auto_0.01]"}

SPACES: dict[str, dict[str, str]] = {
    "pathwise": {
        "peak_rate": "log:1e-3..2e-2",
        "batch": "[64,128,256]",
        "gradient_norm": "log:0.2..5.0",
        "network.hidden": "[[64,64],[128,128],[256,256],[128,128,128]]",
    },
    "ppo": {**_PPO, "network.hidden": _SIZES, **_GAUSSIAN},
    "a2c": {
        **_ROLLOUTS,
        "n_steps": "[15,30,60]",
        "vf_coef": "log:0.2..1.0",
        "network.hidden": _SIZES,
        **_GAUSSIAN,
    },
    "sac": _SOFT,
    "td3": {**_ACTORS, "noise_std": "log:0.02..0.4", "policy_delay": "1..4"},
    "dqn": {
        **_STORED,
        "target_update_interval": "log:200..5000",
        "exploration_fraction": "0.05..0.5",
        "exploration_final_eps": "0.01..0.1",
        "network.hidden": _SIZES,
        "span": "0.25..2.0",
    },
    "tqc": {**_SOFT, "top_quantiles_to_drop_per_net": "0..5"},
    "recurrent-ppo": {
        **_PPO,
        "network.lstm_hidden_size": "[32,64,128]",
        **_GAUSSIAN,
    },
    "maskable-ppo": {**_PPO, "network.hidden": _SIZES},
}
ALGORITHMS = tuple(SPACES)


@dataclasses.dataclass(frozen=True)
class Range:
    """Numbers between two ends.

    Attributes:
        low: The least.
        high: The largest.
        log: Whether the search is even in logarithm.
    """

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether it contains integers only."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values that show whether all others can be used."""
        return self.low, self.high

    def __str__(self) -> str:
        return f"{'log:' if self.log else ''}{self.low!r}..{self.high!r}"

    def distribution(self) -> Any:
        """Return Optuna's distribution."""
        from optuna import distributions

        if self.whole:
            return distributions.IntDistribution(int(self.low), int(self.high), log=self.log)
        return distributions.FloatDistribution(float(self.low), float(self.high), log=self.log)

    def inward(self, value: Any) -> Any:
        """Return the value, or the nearest end; anything but a number stays."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        found = min(max(value, self.low), self.high)
        return round(found) if self.whole else float(found)

    def stored(self, value: Any) -> Any:
        """Return the value as Optuna stores it."""
        return value

    def meant(self, value: Any) -> Any:
        """Return the value that Optuna's stands for."""
        return value


@dataclasses.dataclass(frozen=True)
class Choices:
    """One of several values, in no order.

    Attributes:
        values: At least one.
    """

    values: tuple[Any, ...]

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values that show whether all others can be used."""
        return self.values

    def __str__(self) -> str:
        return json.dumps(list(self.values), separators=(",", ":"))

    def distribution(self) -> Any:
        """Return Optuna's distribution."""
        from optuna import distributions

        return distributions.CategoricalDistribution([self.stored(value) for value in self.values])

    def inward(self, value: Any) -> Any:
        """Return the value where it is one of the choices, else None."""
        return value if value in self.values else None

    def stored(self, value: Any) -> str:
        """Return the value as Optuna stores it, which has no lists."""
        return json.dumps(value)

    def meant(self, value: Any) -> Any:
        """Return the value that Optuna's stands for."""
        return json.loads(value)


Dimension = Range | Choices
Space = dict[str, Dimension]


def dimension(name: str, text: Any) -> Dimension:
    """Return a range or choices, from text or a list.

    Raises:
        InvalidInput: It is neither, it is empty, or its ends do not hold.
    """
    if name in FIXED or not name:
        problem = f"{name} is the same of every trial, or they could not be compared" if name else "there is no name"
        raise InvalidInput("--search", name, problem, f"Give it once: --set {name or 'KEY'}=VALUE.")
    value = text
    if isinstance(text, str):
        if ".." in text and not text.lstrip().startswith("["):
            return _range(name, text.strip())
        value = _yaml(name, text)
    if not isinstance(value, list):
        raise InvalidInput(f"--search {name}", text, "this is neither a range nor a list of choices", MEND)
    value = [_number(one) for one in value]
    if not value:
        raise InvalidInput(f"--search {name}", text, "there is nothing to choose from", "Write at least two values.")
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise InvalidInput(f"--search {name}", text, "these are no plain values", MEND) from None
    if any(one in value[:k] for k, one in enumerate(value)):
        raise InvalidInput(f"--search {name}", text, "a choice is given twice", "Write each once.")
    return Choices(tuple(value))


def _range(name: str, text: str) -> Range:
    """Parse `LOW..HIGH`, with or without `log:`."""
    rest = text.removeprefix("log:")
    ends = [_end(name, text, part) for part in rest.split("..", 1)]
    whole = all(isinstance(end, int) for end in ends)
    low, high = ends if whole else [float(end) for end in ends]
    if not low < high:
        raise InvalidInput(f"--search {name}", text, "this range is empty", "Write the smaller end first.")
    if rest != text and low <= 0:
        raise InvalidInput(f"--search {name}", text, "a logarithmic range begins above 0", "Leave out log:.")
    return Range(low, high, rest != text)


def _end(name: str, text: str, part: str) -> float:
    """Parse an end of a range: integers stay integers, and `1e3` is read as in Python."""
    try:
        found = float(part)
        if math.isfinite(found):
            return int(part) if part.strip().lstrip("+-").isdigit() else found
    except ValueError:
        pass
    raise InvalidInput(f"--search {name}", text, f"{part.strip()!r} is no number", MEND)


def _number(value: Any) -> Any:
    """Parse a number, since YAML 1.1 takes 1e-3 for a word."""
    return float(value) if isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", value) else value


def _yaml(name: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise InvalidInput(f"--search {name}", text, "this is neither a range nor a list of choices", MEND) from None


def space_of(algo: str, search: Sequence[str] | Mapping[str, Any], fixed: Sequence[str]) -> Space:
    """Return the space of a search.

    Args:
        algo: The algorithm.
        search: `NAME=RANGE`, which replaces or adds one, and `@FILE.yml`, whose entries replace all that
            are usual; or a mapping of the same.
        fixed: What was settled otherwise, and is not searched.

    Raises:
        InvalidInput: The algorithm is not tuned, a range does not hold, or nothing is left.
    """
    if algo not in SPACES:
        raise InvalidInput("algo", algo, "must be an algorithm that can be tuned", nearest(algo, ALGORITHMS))
    named: dict[str, Any] = {}
    usual: Mapping[str, Any] = SPACES[algo]
    if isinstance(search, Mapping):
        named = dict(search)
    else:
        for text in search:
            if text.startswith("@"):
                usual = read_yaml(Path(text[1:]))
                continue
            name, equals, value = text.partition("=")
            if not equals:
                raise InvalidInput("--search", text, "this is not NAME=RANGE", "Write gamma=0.9..1.0, or @FILE.yml.")
            if name.strip() in named:
                raise InvalidInput("--search", text, "this is given twice", "Give it once.")
            named[name.strip()] = value
    for name in named:
        if name in fixed:
            raise InvalidInput("--search", name, "this is settled by --set", "Give one of the two.")
    wanted = {**usual, **named}
    found = {str(name): dimension(str(name), text) for name, text in wanted.items() if name not in fixed}
    if not found:
        raise InvalidInput("--search", list(search), "there is nothing to search", "Name a range.")
    return found


def split(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the numbers of the algorithm, and of its network."""
    numbers = {name: value for name, value in values.items() if not name.startswith(NETWORK)}
    network = {name.removeprefix(NETWORK): v for name, v in values.items() if name.startswith(NETWORK)}
    return numbers, network


def present(config: Mapping[str, Any], name: str) -> Any:
    """Return the value of a name of the space in a run's configuration; None if it leaves it to the algorithm."""
    training = config["training"]
    if name.startswith(NETWORK):
        key = name.removeprefix(NETWORK)
        if "architecture" in config:
            return config["architecture"].get(key)
        keywords = training["numbers"].get("policy_kwargs") or {}
        return keywords.get("net_arch" if key == "hidden" else key)
    for part in (training.get("numbers", {}), training, config.get("preparation", {})):
        if name in part:
            return part[name]
    return None


def falling(value: Any) -> float | None:
    """Return the first value of a number that falls while training goes on (`lin_1e-3`), else None."""
    try:
        return float(value[4:]) if isinstance(value, str) and value.startswith("lin_") else None
    except ValueError:
        return None
