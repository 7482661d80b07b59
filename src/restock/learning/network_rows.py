"""Rows of a supply network for an algorithm of stable-baselines3. Needs stable-baselines3; import it inside functions.

All rows play episodes of the same length, so they begin and end together. A step that ends no episode
makes no information dictionaries: the same empty ones are handed out again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from restock.core.problem import Array
from restock.envs.vector import VectorEnvironment
from restock.learning.network_forms import NetworkForms
from restock.learning.preparation import Floats, Stack
from restock.learning.rows import Rows
from restock.learning.several import SeveralSource, rules_of
from restock.policies._base import View
from restock.problems.network import NetworkProblem


class NetworkRows(Rows):
    """B rows of a network for an algorithm of stable-baselines3.

    A row whose episode ends is begun anew at once; its last observation is `terminal_observation` of its
    information, with `TimeLimit.truncated`, which is true only where the preparation says `bootstrap` or a
    curriculum cuts the episode short, and `episode`, the undiscounted return in money `r` and length `l` (what
    `Monitor` would tell).
    Demand that NumPy would draw period by period is read from a counter stream instead, which has the same
    distribution and is drawn by compiled code.

    Args:
        problem: A network whose demand is drawn so (see `paths.trainable`).
        num_envs: Rows [B].
        forms: What is seen and done.
        several: Problems on the same network; each episode is of one of them, drawn at random, while
            `problem` gives the scales. None: every episode is of `problem`.

    Raises:
        InvalidInput: An argument does not hold.
    """

    def __init__(
        self,
        problem: NetworkProblem,
        num_envs: int,
        forms: NetworkForms,
        several: Sequence[NetworkProblem] | None = None,
    ) -> None:
        self.prepared: NetworkForms = forms
        prepared, chosen = forms, forms.preparation
        self._mean = problem.demand.mean
        record = prepared.looks or prepared.native == "quantity"
        most: Any = prepared.most if prepared.native == "quantity" else None
        if prepared.ground is not None:
            most = 1e12  # the policy that is corrected may order more than an action alone could
        self.native = VectorEnvironment(
            problem, num_envs, AutoresetMode.DISABLED, prepared.native, chosen.observation, most, record=record
        )
        self._views = record
        self._rules = np.tile(rules_of(problem), (num_envs, 1))
        self._several: SeveralSource | None = None
        if several is not None:
            self.native.use_source(self._source_of(several), self.native.observation_form)
        super().__init__(num_envs, prepared.observation_space(), prepared.action_space())
        self._stack = Stack(chosen.frame_stack)
        self._scale = np.float32(prepared.reward_scale)
        self._nothing: list[dict[str, Any]] = [{} for _ in range(num_envs)]
        self._returns = np.zeros(num_envs)
        self.played = 0
        self._t = 0
        self._view: View | None = None
        self._ground: Array | None = None
        self._began = time.time()
        self._policy_seed = 0

    def _source_of(self, problems: Sequence[NetworkProblem]) -> Any:
        def make(seeds: Any, generators: Any = None, ahead: int = 1) -> SeveralSource:
            self._several = SeveralSource(problems, seeds, generators, ahead)
            self._rules = self._several.rules
            return self._several

        return make

    # playing ----------------------------------------------------------------------------------------

    def reset(self) -> Floats:
        """Begin an episode in every row; shape (B, O)."""
        seeds: list[int | None] = list(self._seeds)
        given = any(seed is not None for seed in seeds)
        self._lengthen()
        own, _ = self.native.reset(seed=seeds if given else None)
        if given:
            self._policy_seed = int(seeds[0] or 0)
        self._reset_seeds()
        self._reset_options()
        self._returns[:] = 0.0
        return self._begun(own)

    def step_wait(self) -> tuple[Floats, Floats, Any, list[dict[str, Any]]]:
        """Play one period in every row."""
        prepared, actions = self.prepared, self._actions
        if prepared.native == "quantity":
            assert self._view is not None
            actions = prepared.orders(actions, self._view, self._ground)
        else:
            actions = prepared.native_actions(actions)
        own, rewards, _, over, _ = self.native.step(actions)
        self._t += 1
        self.played += 1
        self._returns += rewards
        scaled = rewards.astype(np.float32) * self._scale
        if not self.native.ended:
            return self._stack.add(self._seen(own)), scaled, over, self._nothing
        last = self._stack.add(self._seen(own, ended=not self._cut_short))
        infos = self._ended(last)
        over = over.copy()
        self._lengthen()
        own, _ = self.native.reset()
        return self._begun(own), scaled, over, infos

    def _ended(self, last: Floats) -> list[dict[str, Any]]:
        """Return the information of the rows, all of which have ended."""
        cut = bool(self.prepared.preparation.bootstrap) or self._cut_short
        length, seconds = self._t, round(time.time() - self._began, 6)
        infos: list[dict[str, Any]] = [
            {
                "terminal_observation": seen,
                "TimeLimit.truncated": cut,
                "episode": {"r": earned, "l": length, "t": seconds},
            }
            for seen, earned in zip(last, self._returns.tolist(), strict=True)
        ]
        self._returns[:] = 0.0
        return infos

    @property
    def _cut_short(self) -> bool:
        """Whether these episodes end before the business does."""
        return self.periods < self.prepared.problem.horizon

    def _begun(self, own: Floats) -> Floats:
        self._t = 0
        if self.prepared.ground is not None:
            self.prepared.ground.begin(self.num_envs, self._policy_seed, None)
        return self._stack.begin(self._seen(own))

    def _seen(self, own: Floats, ended: bool = False) -> Floats:
        """Return the observation of this moment, without its stack."""
        if not self._views:
            return own
        self._view = view = self._look()
        ground = self.prepared.ground
        if ground is not None:
            # Nobody orders any more when the episode is over.
            self._ground = np.zeros((self.num_envs, len(self.prepared.most))) if ended else ground.act(view)
        return self.prepared.complete(own, view, self._ground, self._rules) if self.prepared.looks else own

    def _look(self) -> View:
        """Return what a policy would see now."""
        ground = self.prepared.ground
        mean = None
        if ground is not None and ground.information == "informed":
            mean = np.broadcast_to(self._mean, (self.num_envs, *self._mean.shape))
        return self.view(self._t, mean)

    def masks(self) -> Any:
        """See `Rows.masks`."""
        return np.tile(self.prepared.masks_at(self._t), (self.num_envs, 1))
