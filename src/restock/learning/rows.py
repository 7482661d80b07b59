"""Rows of a problem for an algorithm of stable-baselines3. Needs stable-baselines3; import it inside functions."""

from __future__ import annotations

import abc
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from restock.core.errors import InvalidInput
from restock.core.fields import Fields
from restock.core.problem import Array, Problem
from restock.envs.vector import VectorEnvironment
from restock.learning.needs_sb3 import VecEnv
from restock.learning.own_forms import CHOICES, OwnForms
from restock.learning.preparation import Floats, Forms
from restock.policies._base import View


class Rows(VecEnv):  # type: ignore[misc,unused-ignore]
    """The interface of the rows of any problem.

    Attributes:
        native: The vector environment below.
        prepared: The forms.
        played: Steps that every row has played in this run, by which a curriculum goes.
    """

    native: VectorEnvironment
    prepared: Forms
    played: int
    _actions: Any = None

    def step_async(self, actions: Any) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = actions

    @property
    def periods(self) -> int:
        """Periods of the episodes under way."""
        return self.native.periods

    def view(self, t: int, mean: Array | None = None) -> View:
        """Return what a policy would see now, in period t of all rows; the native environment must keep records."""
        places = self.native.problem.layout.places
        stocks, flows = Fields(self.native.record[:, t], places), Fields(self.native.record[:, 1 : t + 1], places)
        return View(t, stocks, flows, mean)

    @abc.abstractmethod
    def masks(self) -> Any:
        """Return the choices that make sense now, shape (B, choices)."""

    def action_masks(self) -> Any:
        """Return the choices that make sense now, shape (B, choices), for MaskablePPO.

        Raises:
            AttributeError: The actions are no choices.
        """
        if not hasattr(self.action_space, "n") and not hasattr(self.action_space, "nvec"):
            raise AttributeError("action_masks: the actions are no choices")
        return self.masks()

    def _lengthen(self) -> None:
        """Lengthen the episodes to the curriculum's horizon before they begin."""
        if self.prepared.stages is not None:
            self.native.use_periods(self.prepared.stages.at(self.played))

    def close(self) -> None:
        """Free the environment."""
        self.native.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return the same attribute for every row: of this adapter or the native environment."""
        if attr_name == "action_masks":
            self.action_masks()
        value = getattr(self, attr_name, None) if attr_name in vars(self) else getattr(self.native, attr_name, None)
        if value is None and attr_name not in ("render_mode", "action_masks"):
            raise AttributeError(attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Raise, because rows cannot differ.

        Raises:
            AttributeError: Always.
        """
        raise AttributeError(f"{attr_name}: the rows of a native vector environment have no attributes of their own")

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """Return the rows' answers; only `action_masks` and what the native environment says about all of them.

        Raises:
            AttributeError: There is no such method.
        """
        if method_name == "action_masks":
            masks = self.action_masks()
            return [masks[row] for row in self._get_indices(indices)]
        answer = getattr(self.native, method_name)(*method_args, **method_kwargs)
        return [answer for _ in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Return False for every row: rows have no wrappers; episodes are reported as `Monitor` would report them."""
        from stable_baselines3.common.monitor import Monitor

        return [wrapper_class is Monitor for _ in self._get_indices(indices)]

    def get_images(self) -> Sequence[Any]:
        """Return no pictures, as none are made while training."""
        return []


class OwnRows(Rows):
    """B rows of a problem in the forms that its environment has.

    A row whose episode ends is begun anew at once, whatever the others do; see `NetworkRows` for what is told
    then. When a curriculum comes to longer episodes, those under way are cut short.

    Args:
        problem: Any.
        num_envs: Rows [B].
        forms: Its forms.
    """

    def __init__(self, problem: Problem, num_envs: int, forms: OwnForms) -> None:
        self.prepared: OwnForms = forms
        chosen = forms.preparation
        self.native = VectorEnvironment(
            problem, num_envs, AutoresetMode.SAME_STEP, forms.native, chosen.observation,
            record=forms.ground is not None,
        )  # fmt: skip
        super().__init__(num_envs, forms.observation_space(), forms.action_space())
        self._size, self._stacked = forms.count, chosen.frame_stack
        self._scale = np.float32(forms.reward_scale)
        self._nothing: list[dict[str, Any]] = [{} for _ in range(num_envs)]
        self._returns, self._lengths = np.zeros(num_envs), np.zeros(num_envs, dtype=np.int64)
        self._last = np.zeros((num_envs, self._stacked * self._size), np.float32)
        self._wanted: Array | None = None
        self._all = np.ones((num_envs, CHOICES), dtype=np.bool_)
        self.played = 0
        self._began = time.time()

    def reset(self) -> Floats:
        """Begin an episode in every row; shape (B, O)."""
        seeds: list[int | None] = list(self._seeds)
        self._lengthen()
        own, _ = self.native.reset(seed=seeds if any(seed is not None for seed in seeds) else None)
        self._reset_seeds()
        self._reset_options()
        self._returns[:], self._lengths[:] = 0.0, 0
        self._last = np.tile(self._begun(own), (1, self._stacked))
        return self._last

    def step_wait(self) -> tuple[Floats, Floats, Any, list[dict[str, Any]]]:
        """Play one period in every row."""
        own, rewards, terminated, truncated, told = self.native.step(
            self.prepared.native_actions(self._actions, self._wanted)
        )
        self.played += 1
        self._returns += rewards
        self._lengths += 1
        scaled = rewards.astype(np.float32) * self._scale
        over = terminated | truncated
        stages = self.prepared.stages
        if stages is not None and stages.at(self.played) != self.periods:
            return self._next_stage(own, scaled, terminated, truncated, told)
        if not over.any():
            self._last = self._pushed(self._seen(own))
            return self._last, scaled, over, self._nothing
        ended = self._pushed(self._final(own, over, told))
        infos = self._ended(over, self._cuts(terminated, truncated), ended)
        self._last = np.where(over[:, None], np.tile(self._begun(own, over), (1, self._stacked)), ended)
        return self._last, scaled, over, infos

    def _next_stage(
        self, own: Floats, rewards: Floats, terminated: Any, truncated: Any, told: dict[str, Any]
    ) -> tuple[Floats, Floats, Any, list[dict[str, Any]]]:
        """Cut what is under way, and begin longer episodes."""
        over = terminated | truncated
        everything = np.ones_like(over)
        last = self._pushed(self._final(own, over, told))
        infos = self._ended(everything, self._cuts(terminated, truncated) | ~over, last)
        return self.reset(), rewards, everything, infos

    def _seen(self, own: Floats) -> Floats:
        """Return the observation of this moment, without its stack."""
        ground = self.prepared.ground
        if ground is not None:
            self._wanted = ground.act(self.view(int(self._lengths[0])))
        return self.prepared.complete(own, self._wanted)

    def _begun(self, own: Floats, over: Any = None) -> Floats:
        """Return the first observation of rows that begin."""
        ground = self.prepared.ground
        if ground is not None:
            if over is not None and not over.all():
                problem_with = "it decides for all rows at once, and these episodes end at different times"
                raise InvalidInput("residual", ground.name, problem_with, "Leave it out.")
            ground.begin(self.num_envs, 0, None)
        return self._seen(own)

    def _final(self, own: Floats, over: Any, told: dict[str, Any]) -> Floats:
        """Return the observations of the rows that have ended, and of the others; nothing is corrected any more."""
        last = own.copy()
        for row in np.flatnonzero(over):
            last[row] = told["final_obs"][row]
        return self.prepared.complete(last, None if self._wanted is None else np.zeros_like(self._wanted))

    def _cuts(self, terminated: Any, truncated: Any) -> Any:
        """Return which of the rows that ended have a future that counts."""
        cut = truncated & ~terminated
        told = self.prepared.preparation.bootstrap
        if told is not None:
            cut[self._lengths >= self.native.problem.horizon] = told
        return cut

    def _ended(self, over: Any, cut: Any, last: Floats) -> list[dict[str, Any]]:
        """Return the information of the rows."""
        seconds = round(time.time() - self._began, 6)
        infos = list(self._nothing)
        for row in np.flatnonzero(over).tolist():
            infos[row] = {
                "terminal_observation": last[row],
                "TimeLimit.truncated": bool(cut[row]),
                "episode": {"r": float(self._returns[row]), "l": int(self._lengths[row]), "t": seconds},
            }
        self._returns[over], self._lengths[over] = 0.0, 0
        return infos

    def _pushed(self, own: Floats) -> Floats:
        """Return the stacks one period on."""
        if self._stacked == 1:
            return own
        return np.concatenate([self._last[:, self._size :], own], axis=1)

    def masks(self) -> Any:
        """See `Rows.masks`."""
        return self.native.action_masks() if self.prepared.native == self.prepared.preparation.action else self._all
