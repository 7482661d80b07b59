"""The algorithms of stable-baselines3 and sb3-contrib by name: their models, and their networks alone."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from restock.core.errors import InvalidInput, nearest, require_extra
from restock.core.problem import Problem
from restock.learning.preparation import Forms
from restock.learning.presets import ALGORITHMS, CONTRIB

CLASSES = {
    "ppo": "PPO",
    "a2c": "A2C",
    "sac": "SAC",
    "td3": "TD3",
    "dqn": "DQN",
    "tqc": "TQC",
    "recurrent-ppo": "RecurrentPPO",
    "maskable-ppo": "MaskablePPO",
}
BOX_ONLY = ("sac", "td3", "tqc")
OURS = ("env", "seed", "device", "verbose", "tensorboard_log", "_init_setup_model", "policy")
NOISE = ("noise_type", "noise_std")
SCHEDULED = ("learning_rate", "clip_range", "clip_range_vf")


def algorithm(algo: str) -> Any:
    """Return the class of an algorithm.

    Raises:
        InvalidInput: There is no such algorithm, or its package is not installed.
    """
    if algo not in ALGORITHMS:
        raise InvalidInput("algo", algo, "there is no such algorithm", nearest(algo, ALGORITHMS))
    module = "sb3_contrib" if algo in CONTRIB else "stable_baselines3"
    return getattr(require_extra(module, "train", f"--algo {algo}"), CLASSES[algo])


def check_numbers(algo: str, numbers: Mapping[str, Any], problem: Problem, action: str) -> None:
    """Check that an algorithm has such numbers, and can decide in such a form.

    Raises:
        InvalidInput: It has not, or cannot.
    """
    known = [name for name in inspect.signature(algorithm(algo).__init__).parameters if name not in (*OURS, "self")]
    known += [*NOISE] if algo in BOX_ONLY else []
    for name, value in numbers.items():
        if name not in known:
            raise InvalidInput(name, value, f"{algo} has no such number", nearest(name, known))
    choices = action in ("discrete", "multidiscrete")
    there = (*problem.action_kinds, "discrete")
    continuous = [kind for kind in there if kind not in ("discrete", "multidiscrete")]
    if choices and algo in BOX_ONLY:
        mend = f"Use {' or '.join(continuous)}." if continuous else "Use ppo or dqn."
        raise InvalidInput("action", action, f"{algo} decides in continuous numbers", mend)
    if algo == "dqn" and action != "discrete":
        raise InvalidInput("action", action, "dqn decides by one choice", "Use discrete.")
    if algo == "maskable-ppo" and not choices:
        mend = "Use multidiscrete." if "multidiscrete" in there else "Use discrete."
        raise InvalidInput("action", action, "maskable-ppo decides by choices", mend)


def model_of(config: Mapping[str, Any], environment: Any, seed: int) -> Any:
    """Return a fresh model of a run's configuration.

    Args:
        config: The run's configuration.
        environment: A `VecEnv`.
        seed: Of its weights.

    Raises:
        InvalidInput: A number does not hold.
    """
    training = config["training"]
    # Algorithms write into the keywords they are given.
    numbers = {name: _number(name, copy.deepcopy(value)) for name, value in training["numbers"].items()}
    kind, deviation = numbers.pop("noise_type", None), numbers.pop("noise_std", 0.1)
    if kind is not None:
        numbers["action_noise"] = _noise(str(kind), float(deviation), environment.action_space.shape[0])
    if isinstance(numbers.get("train_freq"), list):
        numbers["train_freq"] = tuple(numbers["train_freq"])
    try:
        return algorithm(config["algo"])(training["policy"], environment, seed=seed, device="cpu", **numbers)
    except (TypeError, ValueError, AssertionError, AttributeError) as error:
        raise InvalidInput(
            "training", training["numbers"], f"{config['algo']} refuses it: {error}", "Correct it."
        ) from None


def network_of(config: Mapping[str, Any], forms: Forms) -> Any:
    """Return the network of a run's configuration, untrained, without the model around it.

    Raises:
        InvalidInput: A number does not hold.
    """
    kind, training = algorithm(config["algo"]), config["training"]
    policy = kind.policy_aliases[training["policy"]]
    keywords = dict(training["numbers"].get("policy_kwargs") or {})
    if training["numbers"].get("use_sde"):
        keywords["use_sde"] = True
    return policy(forms.observation_space(), forms.action_space(), lambda _: 0.0, **keywords)


def _number(name: str, value: Any) -> Any:
    """Return a number; of those that may change while training goes on, `lin_X` falls from X to 0."""
    if isinstance(value, str) and name in SCHEDULED and value.startswith("lin_"):
        try:
            return _falling(float(value[4:]))
        except ValueError:
            raise InvalidInput(name, value, "after lin_ comes a number", "Write for instance lin_1e-3.") from None
    return value


def _falling(first: float) -> Callable[[float], float]:
    def at(left: float) -> float:
        return max(left, 0.0) * first  # the last round may go beyond the steps asked for

    return at


def _noise(kind: str, deviation: float, count: int) -> Any:
    from stable_baselines3.common.noise import NormalActionNoise, OrnsteinUhlenbeckActionNoise

    known = {"normal": NormalActionNoise, "ornstein-uhlenbeck": OrnsteinUhlenbeckActionNoise}
    if kind not in known:
        raise InvalidInput("noise_type", kind, "there is no such noise", nearest(kind, list(known)))
    return known[kind](np.zeros(count), deviation * np.ones(count))
