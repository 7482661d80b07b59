"""The deciding part of a model: its network, its scaling, and how it is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from restock.core.errors import InvalidInput, require_extra
from restock.core.problem import Array
from restock.core.reading import read_bytes
from restock.learning import unpickling
from restock.learning.threads import one_thread

MODEL = "A model of stable-baselines3"
# From observations of all episodes, whether they begin, and which choices can be carried out (None: any), to actions.
Decide = Callable[[Any, bool, Any], Any]


def is_zip(place: str | Path) -> bool:
    """Return whether a path is that of a zip."""
    return str(place).endswith(".zip")


def prepared_forms(model: Any) -> Any:
    """The forms of the environment that a model learnt in, where that is one of `stable_environment`; else None."""
    env = getattr(model, "env", None)
    rows = getattr(env, "unwrapped", None)
    return getattr(rows, "prepared", None)


def network_at(place: str | Path) -> Any:
    """Return the network of a model of stable-baselines3 that was saved, whatever its algorithm.

    Raises:
        InvalidInput: It cannot be read, or brings code of its own and is not trusted.
    """
    require_extra("stable_baselines3", "train", MODEL)
    try:
        data, weights = unpickling.model_in(place)
        kind, keywords = data["policy_class"], dict(data.get("policy_kwargs") or {})
        if data.get("use_sde") and "use_sde" in inspect.signature(kind.__init__).parameters:
            keywords["use_sde"] = True
        network = kind(data["observation_space"], data["action_space"], lambda _: 0.0, **keywords)
        network.load_state_dict(weights)
    except InvalidInput:
        raise
    except Exception as error:  # a file of another kind may raise anything
        reason = f"this is no model of stable-baselines3 ({type(error).__name__}: {error})"
        raise InvalidInput("model", str(place), reason, "Name the zip that model.save() wrote.") from None
    network.set_training_mode(False)
    return network


def scaler_of(model: Any, statistics: Any) -> Callable[[Any], Any] | None:
    """Return the function that scales observations for the model; None if the model saw them unscaled.

    Raises:
        InvalidInput: The file cannot be read, or brings code of its own and is not trusted.
    """
    if statistics is None:
        own = getattr(model, "get_vec_normalize_env", None)
        statistics = None if own is None else own()
        if statistics is None:
            return None
    if isinstance(statistics, (str, Path)):
        require_extra("stable_baselines3", "train", MODEL)
        try:
            content = bytes(read_bytes(Path(statistics), "statistics", "pickle"))
            statistics = unpickling.loaded(content, "statistics", statistics)
        except InvalidInput:
            raise
        except Exception as error:  # what a pickle raises depends on what is in it
            reason = f"it cannot be read ({type(error).__name__})"
            raise InvalidInput("statistics", str(statistics), reason, "Name what VecNormalize.save() wrote.") from None
    if not hasattr(statistics, "normalize_obs"):
        raise InvalidInput("statistics", statistics, "this scales no observations", "Give a VecNormalize, or its file.")
    found: Callable[[Any], Any] = statistics.normalize_obs
    return found


def decider_of(model: Any, scaled: Callable[[Any], Any] | None) -> Decide:
    """Return how a model answers to the observations of many episodes.

    Raises:
        InvalidInput: It is nothing that decides.
    """
    if hasattr(model, "predict"):
        return Predicting(model, scaled)
    if _is_module(model):
        return lambda seen, *_: _of_module(model, seen if scaled is None else scaled(seen))
    if not callable(model):
        mend = "Give a model with predict(), its zip, a torch module, or a function of the observation."
        raise InvalidInput("model", model, "this is nothing that decides", mend)

    def one_by_one(seen: Any, *_: Any) -> list[Any]:
        seen = seen if scaled is None else scaled(seen)
        if isinstance(seen, dict):
            rows = len(next(iter(seen.values())))
            each = [{name: block[b] for name, block in seen.items()} for b in range(rows)]
        else:
            each = list(seen)
        return [model(one) for one in each]

    return one_by_one


class Predicting:
    """A model with `predict`, which may remember what it saw."""

    def __init__(self, model: Any, scaled: Callable[[Any], Any] | None) -> None:
        self._model, self._scaled = model, scaled
        self._takes = set(inspect.signature(model.predict).parameters)
        self._state: Any = None

    def __call__(self, seen: Any, begins: bool, masks: Any = None) -> Array:
        """Return the actions for observations of all episodes."""
        rows = len(next(iter(seen.values())) if isinstance(seen, dict) else seen)
        shown = seen if self._scaled is None else self._scaled(seen)
        told = {
            "state": None if begins else self._state,
            "episode_start": np.full(rows, begins),
            "deterministic": True,
        }
        if masks is not None:  # what sb3-contrib's algorithm with masks asks for
            told["action_masks"] = masks
        answer = self._model.predict(shown, **{name: told[name] for name in told if name in self._takes})
        actions, self._state = answer if isinstance(answer, tuple) else (answer, None)
        found: Array = np.asarray(actions)
        return found


def _is_module(model: Any) -> bool:
    """Return whether it is a torch module; torch is not loaded to find out."""
    return any(kind.__module__.startswith("torch.nn") for kind in type(model).__mro__)


def _of_module(module: Any, seen: Any) -> Array:
    """Return a torch module's output."""
    import torch

    def tensor(values: Any) -> Any:
        return torch.as_tensor(np.ascontiguousarray(values, dtype=np.float32))

    given = {name: tensor(block) for name, block in seen.items()} if isinstance(seen, dict) else tensor(seen)
    with torch.no_grad(), one_thread():
        found: Array = module(given).cpu().numpy()
    return found
