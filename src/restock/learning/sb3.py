"""The native vector environment as stable-baselines3 wants one. Needs stable-baselines3; import it inside functions.

    from stable_baselines3 import PPO
    from restock.learning.sb3 import StableEnvironment

    PPO("MlpPolicy", StableEnvironment("restock/Serial-v0", 64)).learn(100_000)

All rows play episodes of the same length, so they begin and end together. A step that ends no episode
makes no information dictionaries: the same empty ones are handed out again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.core.validation import validated
from restock.envs.vector import VectorEnvironment
from restock.learning.needs_sb3 import VecEnv
from restock.learning.paths import trainable
from restock.learning.preparation import Floats, Prepared, Stack
from restock.learning.preparation import Preparation as Preparation
from restock.learning.several import SeveralSource, rules_of
from restock.policies._base import View
from restock.problems.load import load_problem
from restock.problems.network import NetworkProblem


class Fields(Mapping[str, Array]):
    """Recorded fields by name, taken out when they are asked for.

    Args:
        record: Shape (..., recorded).
        columns: Where each field stands.
    """

    def __init__(self, record: Array, columns: Mapping[str, Any]) -> None:
        self._record, self._columns = record, columns

    def __getitem__(self, name: str) -> Array:
        return self._record[..., self._columns[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


class StableEnvironment(VecEnv):
    """B rows of a network for an algorithm of stable-baselines3.

    A row whose episode ends is begun anew at once; its last observation is `terminal_observation` of its
    information, with `TimeLimit.truncated`, which is true only where the preparation says `bootstrap` or a
    curriculum cuts the episode short, and `episode`, the undiscounted return in money `r` and length `l` (what
    `Monitor` would tell).
    Demand that NumPy would draw period by period is read from a counter stream instead, which has the same
    distribution and is drawn by compiled code.

    Args:
        problem: A network, or anything `load_problem` takes.
        num_envs: Rows [B].
        preparation: What is seen and done, see `Preparation`.
        several: Problems on the same network; each episode is of one of them, drawn at random, while
            `problem` gives the scales. None: every episode is of `problem`.
        information: What the agent may know; matters to the policy that is corrected.

    Attributes:
        played: Steps that every row has played in this run, by which a curriculum goes.

    Raises:
        InvalidInput: An argument does not hold.
    """

    def __init__(
        self,
        problem: Any,
        num_envs: int = 1,
        preparation: Any = None,
        several: Sequence[NetworkProblem] | None = None,
        information: Any = "informed",
    ) -> None:
        problem = load_problem(problem)
        if not isinstance(problem, NetworkProblem):
            raise InvalidInput("problem", problem.name, "only supply networks can be trained for", "Name a network.")
        problem = trainable(problem)
        chosen = validated(Preparation, {} if preparation is None else preparation, "preparation")
        self.prepared = prepared = Prepared(problem, chosen, information)
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
        self._actions: Any = None
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

    def step_async(self, actions: Any) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = actions

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
        if not self.native._ended:
            return self._stack.add(self._seen(own)), scaled, over, self._nothing
        last = self._stack.add(self._seen(own, ended=not self._cut_short))
        infos = self._ended(last)
        over = over.copy()
        self._lengthen()
        own, _ = self.native.reset()
        return self._begun(own), scaled, over, infos

    def _ended(self, last: Floats) -> list[dict[str, Any]]:
        """Information of the rows, all of which have ended."""
        cut = self.prepared.preparation.bootstrap or self._cut_short
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
    def periods(self) -> int:
        """Periods of the episodes under way."""
        return self.native._horizon

    @property
    def _cut_short(self) -> bool:
        """Whether these episodes end before the business does."""
        return self.periods < self.prepared.problem.horizon

    def _lengthen(self) -> None:
        """Before episodes begin: they are as long as the curriculum says."""
        if self.prepared.stages is not None:
            self.native.use_periods(self.prepared.stages.at(self.played))

    def _begun(self, own: Floats) -> Floats:
        self._t = 0
        if self.prepared.ground is not None:
            self.prepared.ground.begin(self.num_envs, self._policy_seed, None)
        return self._stack.begin(self._seen(own))

    def _seen(self, own: Floats, ended: bool = False) -> Floats:
        """The observation of this moment, without its stack."""
        if not self._views:
            return own
        self._view = view = self._look()
        ground = self.prepared.ground
        if ground is not None:
            # Nobody orders any more when the episode is over.
            self._ground = np.zeros((self.num_envs, len(self.prepared.most))) if ended else ground.act(view)
        return self.prepared.complete(own, view, self._ground, self._rules) if self.prepared.looks else own

    def _look(self) -> View:
        """What a policy would see now."""
        native, t = self.native, self._t
        columns = native.problem.layout.columns
        stocks, flows = Fields(native._record[:, t], columns), Fields(native._record[:, 1 : t + 1], columns)
        ground = self.prepared.ground
        mean = None
        if ground is not None and ground.information == "informed":
            mean = np.broadcast_to(self._mean, (self.num_envs, *self._mean.shape))
        return View(t, stocks, flows, mean)

    def action_masks(self) -> Any:
        """Choices that make sense now, shape (B, choices), for MaskablePPO.

        Raises:
            AttributeError: The actions are no choices.
        """
        if self.prepared.preparation.action not in ("discrete", "multidiscrete"):
            raise AttributeError("action_masks: the actions are no choices")
        return np.tile(self.prepared.masks(self._t), (self.num_envs, 1))

    # what stable-baselines3 asks ---------------------------------------------------------------------

    def close(self) -> None:
        """Free the environment."""
        self.native.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The same attribute for every row: of this adapter or the native environment."""
        if attr_name == "action_masks":
            self.action_masks()
        value = getattr(self, attr_name, None) if attr_name in vars(self) else getattr(self.native, attr_name, None)
        if value is None and attr_name not in ("render_mode", "action_masks"):
            raise AttributeError(attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Rows cannot differ.

        Raises:
            AttributeError: Always.
        """
        raise AttributeError(f"{attr_name}: the rows of a native vector environment have no attributes of their own")

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """What the rows answer; only `action_masks` and what the native environment says of all of them.

        Raises:
            AttributeError: There is no such method.
        """
        if method_name == "action_masks":
            masks = self.action_masks()
            return [masks[row] for row in self._get_indices(indices)]
        answer = getattr(self.native, method_name)(*method_args, **method_kwargs)
        return [answer for _ in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Rows have no wrappers; episodes are told as `Monitor` would tell them."""
        from stable_baselines3.common.monitor import Monitor

        return [wrapper_class is Monitor for _ in self._get_indices(indices)]

    def get_images(self) -> Sequence[Any]:
        """No pictures are made while training."""
        return []
