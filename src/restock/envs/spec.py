"""Gymnasium's `spec` of an environment, with the length of its episodes."""

from __future__ import annotations

import copy

from gymnasium.envs.registration import EnvSpec


class Bounded:
    """An environment whose `spec` gives the number of steps after which an episode ends at the latest.

    The ids are registered without `max_episode_steps`: Gymnasium would cut every episode there, whatever `horizon`
    says. `TimeAwareObservation`, and whoever else asks the spec, finds the horizon all the same.
    """

    _horizon: int
    _spec: EnvSpec | None = None

    @property
    def periods(self) -> int:
        """Periods of an episode, as they are drawn now."""
        return self._horizon

    @property
    def spec(self) -> EnvSpec | None:
        """The spec of the environment; None unless it was made by `gym.make` or `gym.make_vec`."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        if spec is not None and spec.max_episode_steps is None:
            spec = copy.copy(spec)
            spec.max_episode_steps = self._horizon
        self._spec = spec
