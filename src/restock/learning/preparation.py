"""What an agent of a usual deep-RL algorithm sees and does: forms of observation, action and reward.

An agent trains on the native vector environment and is deployed as a policy, which sees views. Both go
through the same forms, so an action means the same decision in both places. `forms_of` finds them: a
supply network has more of them (see `network_forms`) than problems have in common (see `own_forms`).
"""

from __future__ import annotations

import abc
from typing import Any, Literal

import numpy as np
import pydantic
from numpy.typing import NDArray

from restock.core.errors import InvalidInput
from restock.core.problem import Array, ObservationForm, Problem
from restock.core.validation import Spec
from restock.learning.curriculum import check_shape, stages_of
from restock.policies._base import Information, Policy, View
from restock.policies.registry import make_policy

Floats = NDArray[np.float32]
# The largest correction at a span of 1, as a share of the largest decision: in a network the mean demand
# through a buyer in the busiest period.
RATES = 1.0 / 4.0


class Preparation(Spec):
    """Forms of observation, action and reward.

    Attributes:
        action: One of the problem's own forms. In a network `normalized`: an order for each link, -1 for
            nothing and 1 for the most; `order-up-to`: a level for each link, -1 for 0 and 1 for the
            highest; `multidiscrete`: one of 21 for each link. Anywhere `discrete`: where the problem has no
            such form, one of 21 for all numbers together (for DQN). None: `normalized` where there is
            such a form, else the problem's first.
        observation: `scaled`: over fixed yardsticks. `flat`: physical units. None: `scaled`.
        residual: A policy whose decisions the action corrects, -1 to 1 of `span`; None: the action is the
            decision. Outside networks only where decisions are quantities and all episodes end together.
        span: Largest correction: 1 is in a network the buyer's mean demand in its busiest period, elsewhere a
            quarter of the way from the least decision to the largest.
        frame_stack: Observations in a stack, oldest first.
        recent: Of a network: past demands that are shown beside the observation, newest first, freed of
            goodwill and over their configured mean, with their running mean and the fulfilment rules.
        reward_scale: Factor on the reward; None: in a network one over the mean revenue of a period, elsewhere 1.
        bootstrap: Whether the end of an episode at the horizon is a cut in a longer future, whose value
            counts (`TimeLimit.truncated`), or the end of the business. None: as the problem says.
        curriculum: Periods of an episode in each stage of training, the last with the problem's horizon
            ([10, 20, 30]); None: every episode is a whole one. A shorter one is always a cut (see
            `restock.learning.curriculum`). Policies are judged on whole episodes all the same.
        curriculum_shares: Of the steps that each stage takes, 1 in all; None: equal ones.
        curriculum_steps: Steps that a row plays in all, which the shares are of; None: `restock train`
            fills it in.
    """

    action: str | None = None
    observation: Literal["scaled", "flat"] | None = None
    residual: str | None = None
    span: float = pydantic.Field(1.0, gt=0.0, le=4.0)
    frame_stack: int = pydantic.Field(1, ge=1, le=64)
    recent: int = pydantic.Field(0, ge=0, le=64)
    reward_scale: float | None = pydantic.Field(None, gt=0.0)
    bootstrap: bool | None = None
    curriculum: list[int] | None = None
    curriculum_shares: list[float] | None = None
    curriculum_steps: int | None = pydantic.Field(None, ge=1)

    @pydantic.model_validator(mode="after")
    def _holds(self) -> Preparation:
        if self.curriculum is not None:
            check_shape(self.curriculum, self.curriculum_shares)
        elif self.curriculum_shares is not None:
            mend = "Write for instance curriculum=[10,20,30]."
            raise InvalidInput("curriculum_shares", self.curriculum_shares, "there is no curriculum", mend)
        if self.residual is not None and self.action == "order-up-to":
            raise InvalidInput("residual", self.residual, "levels are no correction of orders", "Use normalized.")
        return self


class Stack:
    """The last observations of every row, oldest first; before an episode there is its first one."""

    def __init__(self, size: int) -> None:
        self.size = size

    def begin(self, seen: Floats) -> Floats:
        """Return the stack at the start of an episode, shape (B, size * O)."""
        self._kept = [seen] * self.size
        return self._stacked()

    def add(self, seen: Floats) -> Floats:
        """Return the stack one period on."""
        self._kept = [*self._kept[1:], seen]
        return self._stacked()

    def _stacked(self) -> Floats:
        return self._kept[0] if self.size == 1 else np.concatenate(self._kept, axis=1)


class Forms(abc.ABC):
    """The forms of one problem.

    Args:
        problem: Its scales are used wherever the agent decides.
        preparation: The forms, settled: action and observation are named.
        form: Of the environment's own observation.
        more: Numbers that are shown beside that.

    Attributes:
        native: The environment's own form of action that is stepped.
        ground: The policy that is corrected.
        count: Numbers in one observation, before stacking.
        reward_scale: Factor on the reward.
        stages: How long episodes are while training goes on; None: always whole.
    """

    native: str
    reward_scale: float
    ground: Policy | None = None

    def __init__(self, problem: Problem, preparation: Preparation, form: ObservationForm, more: int) -> None:
        self.preparation, self.form = preparation, form
        self.count = len(form.labels) + more
        self.stages = stages_of(
            preparation.curriculum, preparation.curriculum_shares, preparation.curriculum_steps, problem.horizon
        )

    def observation_space(self) -> Any:
        """Return a box of float32, stack and all."""
        from gymnasium import spaces

        most, size = np.finfo(np.float32).max, len(self.form.labels)
        low, high = np.full(self.count, -most, np.float32), np.full(self.count, most, np.float32)
        low[:size], high[:size] = self.form.low, self.form.high
        stack = self.preparation.frame_stack
        return spaces.Box(np.tile(low, stack), np.tile(high, stack), dtype=np.float32)

    @abc.abstractmethod
    def action_space(self) -> Any:
        """Return the space that the agent chooses from."""

    @abc.abstractmethod
    def begin(self, episodes: int, problem: Problem) -> None:
        """Forget earlier episodes; decide in some of a problem, which may differ in its chances."""

    @abc.abstractmethod
    def look(self, view: View) -> Floats:
        """Return the observation of a view, without its stack, shape (B, `count`)."""

    @abc.abstractmethod
    def decided(self, actions: Any, view: View) -> Array:
        """Return the decisions that actions mean, in physical units, shape (B, D); `look` has seen the view."""

    @abc.abstractmethod
    def masks(self, view: View) -> NDArray[np.bool_]:
        """Return the choices that make sense now, shape (B, choices)."""


def corrected(name: str, problem: Problem, information: Information) -> Policy:
    """Return the policy that is corrected, knowing no more than the agent.

    Raises:
        InvalidInput: There is no such policy, or it knows more.
    """
    policy = make_policy(name, problem)
    if information != policy.information and information in policy.may_know:
        policy = make_policy(name, problem, information=information)
    if policy.information == "clairvoyant":
        raise InvalidInput("residual", name, "it knows the future", "Use base-stock, for instance.")
    if policy.information == "informed" and information == "blind":
        raise InvalidInput("residual", name, "it knows the mean curve, a generalist does not", "Use holt-base-stock.")
    return policy
