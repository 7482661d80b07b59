"""Demand under another regime in every episode, for policies that must cope with many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from restock.core.errors import InvalidInput
from restock.core.validation import validated
from restock.envs.wrappers.generic import VectorWrapper
from restock.problems.network.problem import is_network
from restock.problems.network.regimes import DemandRegimes, Regimes, RegimeSource


class RandomDemand(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """A wrapper that draws a new demand regime at every reset, given in `info["regime"]`.

    Regimes come from a random stream of their own that `reset(seed=...)` starts, so a seed means
    the same regimes and the same demand. Orders, costs and spaces stay as they are (only the bound
    of the goodwill in the observation is widened where a regime has it). An episode that replays
    recorded demand is left alone.

    Args:
        env: An environment of a supply network.
        **regimes: Fields of `DemandRegimes`: `effects`, `level`, `noise_scale`, `goodwill`,
            `backlog`, `specs`.

    Raises:
        InvalidInput: Another problem, or a field that does not hold; the environment is left as it was.

    Example:
        >>> import gymnasium as gym, restock
        >>> from restock.envs.wrappers import RandomDemand
        >>> env = RandomDemand(gym.make("restock/Serial-v0"), effects={"trend": 0.5}, level=[0.5, 1.5])
        >>> obs, info = env.reset(seed=1)
        >>> info["regime"]["effects"], round(info["regime"]["level"], 2)
        ('', 1.27)
    """

    def __init__(self, env: gym.Env[Any, Any], **regimes: Any) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, **regimes)
        gym.Wrapper.__init__(self, env)
        self._sources = _installed(env.unwrapped, regimes)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode under a newly drawn regime."""
        obs, info = self.env.reset(seed=seed, options=options)
        for _, regime in self._sources.begun():
            info["regime"] = regime
        return obs, info


class VectorRandomDemand(VectorWrapper):
    """`RandomDemand` for the native vector environment: row i is exactly `RandomDemand` around environment i.

    `infos["regime"]` and `infos["_regime"]` tell the regimes of the rows that began an episode, at
    resets and at steps that reset a row.

    Args:
        env: A native vector environment of a supply network.
        **regimes: As in `RandomDemand`.

    Raises:
        InvalidInput: Another problem, or a field that does not hold; the environment is left as it was.

    Example:
        >>> import gymnasium as gym, restock
        >>> from restock.envs.wrappers import VectorRandomDemand
        >>> env = VectorRandomDemand(gym.make_vec("restock/Serial-v0", num_envs=3), noise_scale=[0.5, 1.5])
        >>> obs, infos = env.reset(seed=1)
        >>> infos["regime"]["level"].shape
        (3,)
    """

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any], **regimes: Any) -> None:
        super().__init__(env)
        self._sources = _installed(env.unwrapped, regimes)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin episodes under newly drawn regimes, in all rows or those of `options["reset_mask"]`."""
        obs, infos = self.env.reset(seed=seed, options=options)
        return obs, self._told(infos)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Play a period."""
        obs, rewards, terminated, truncated, infos = self.env.step(actions)
        return obs, rewards, terminated, truncated, self._told(infos)

    def _told(self, infos: dict[str, Any]) -> dict[str, Any]:
        for row, regime in self._sources.begun():
            infos = self.env.unwrapped._add_info(infos, {"regime": regime}, row)
        return infos


class _Sources:
    """A factory of an environment's sources, which remembers the last one made."""

    def __init__(self, regimes: Regimes) -> None:
        self._regimes = regimes
        self._source: RegimeSource | None = None

    def make(self, seeds: Sequence[int], generators: Sequence[np.random.Generator], ahead: int = 1) -> RegimeSource:
        """Make a source as `Problem.source` does; no episode is drawn ahead of its regime."""
        self._source = self._regimes.source(seeds, generators)
        return self._source

    def begun(self) -> list[tuple[int, dict[str, Any]]]:
        """Return the rows that have begun an episode since the last call, and their regimes."""
        if self._source is None:
            return []
        rows = sorted(set(self._source.begun))
        self._source.begun.clear()
        regimes = self._source.regimes
        return [(row, regime.as_info()) for row in rows if (regime := regimes[row]) is not None]


def _installed(env: Any, fields: dict[str, Any]) -> _Sources:
    """Make an environment take its episodes from regimes."""
    problem = getattr(env, "problem", None)
    if not is_network(problem) or not hasattr(env, "use_source"):
        raise InvalidInput(
            "env", type(env).__name__, "demand is randomised in restock's own environments of a supply network",
            'Wrap gym.make("restock/Network-v0"), or gym.make_vec without a vectorization_mode.',
        )  # fmt: skip
    regimes = Regimes(problem, validated(DemandRegimes, fields, "regimes"))
    sources = _Sources(regimes)
    env.use_source(sources.make, regimes.widened(env.observation_form))
    return sources
