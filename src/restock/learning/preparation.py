"""What an agent of a usual deep-RL algorithm sees and does: forms of observation and action around a network.

An agent trains on the native vector environment and is deployed as a policy, which sees views. Both go
through the same `Prepared`, so an action means the same order in both places. Nothing here is estimated
while training goes on: every scale is fixed by the problem, so a trained agent needs no statistics of its own.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pydantic
from numpy.typing import NDArray

from restock.core.errors import InvalidInput
from restock.core.problem import Array
from restock.core.validation import Spec
from restock.learning.curriculum import check_shape, stages_of
from restock.policies._base import Information, Policy, View
from restock.policies.registry import make_policy
from restock.problems.network import NetworkProblem
from restock.problems.network.forms import CHOICES

Floats = NDArray[np.float32]
RATES = 1.0 / 4.0  # the mean demand through a buyer in the busiest period, as a share of its largest order


class Preparation(Spec):
    """Forms of observation, action and reward.

    Attributes:
        action: `normalized`: an order for each link, -1 for nothing and 1 for the most. `order-up-to`:
            a level for each link, -1 for 0 and 1 for the highest. `multidiscrete`: one of 21 for each
            link. `discrete`: one of 21 for all links together (for DQN).
        observation: `scaled`: over fixed yardsticks. `flat`: physical units.
        residual: A policy whose orders the action corrects, -1 to 1 of `span`; None: the action is the order.
        span: Largest correction, in units of the buyer's mean demand in its busiest period.
        frame_stack: Observations in a stack, oldest first.
        recent: Past demands that are shown beside the observation, newest first, freed of goodwill and
            over their configured mean, with their running mean and the fulfilment rules.
        reward_scale: Factor on the reward; None: one over the mean revenue of a period.
        bootstrap: Whether the end of an episode is a cut in a longer future, whose value counts
            (`TimeLimit.truncated`), rather than the end of the business.
        curriculum: Periods of an episode in each stage of training, the last with the problem's horizon
            ([10, 20, 30]); None: every episode is a whole one. A shorter one is always a cut (see
            `restock.learning.curriculum`). Policies are judged on whole episodes all the same.
        curriculum_shares: Of the steps that each stage takes, 1 in all; None: equal ones.
        curriculum_steps: Steps that a row plays in all, which the shares are of; None: `restock train`
            fills it in.
    """

    action: Literal["normalized", "order-up-to", "multidiscrete", "discrete"] = "normalized"
    observation: Literal["scaled", "flat"] = "scaled"
    residual: str | None = None
    span: float = pydantic.Field(1.0, gt=0.0, le=4.0)
    frame_stack: int = pydantic.Field(1, ge=1, le=64)
    recent: int = pydantic.Field(0, ge=0, le=64)
    reward_scale: float | None = pydantic.Field(None, gt=0.0)
    bootstrap: bool = False
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


class Prepared:
    """The forms of one problem.

    Args:
        problem: The network; its scales are used wherever the agent decides.
        preparation: The forms.
        information: What the agent may know; the policy it corrects knows no more.

    Attributes:
        native: The environment's own form of action that is stepped.
        count: Numbers in one observation, before stacking.
        looks: Whether an observation takes more than the environment's own.
        stages: How long episodes are while training goes on; None: always whole.

    Raises:
        InvalidInput: The policy to correct cannot be had.
    """

    def __init__(self, problem: NetworkProblem, preparation: Preparation, information: Information) -> None:
        self.problem, self.preparation = problem, preparation
        self.stages = stages_of(
            preparation.curriculum, preparation.curriculum_shares, preparation.curriculum_steps, problem.horizon
        )
        self.form = problem.observation_form(preparation.observation)
        kind = preparation.action
        own = kind in ("normalized", "order-up-to", "multidiscrete") and preparation.residual is None
        self.native = kind if own else "quantity"
        self.most = problem.action_form("normalized" if kind == "discrete" else kind).most  # (E,)
        self.ground: Policy | None = None
        if preparation.residual is not None:
            self.ground = _ground(preparation.residual, problem, information)
        self._links = problem.world(problem.plain.fresh)[1]
        self._markets = problem.world(problem.plain.fresh)[2]
        self.lead = [int(lead) for lead in self._links.lead_time]
        self._unit = np.maximum(problem.demand.mean.mean(axis=0), 1.0)  # (M,)
        links, markets = len(problem.links), len(problem.markets)
        self.count = len(self.form.labels) + (links if self.ground else 0)
        if preparation.recent:
            self.count += (preparation.recent + 1) * markets + 2
        self.looks = self.count > len(self.form.labels)
        price = self._markets.price
        worth = float((problem.demand.mean.mean(axis=0) * price).sum())
        self.reward_scale = preparation.reward_scale or 1.0 / max(worth, 1.0)

    # spaces -----------------------------------------------------------------------------------------

    def observation_space(self) -> Any:
        """A box of float32, stack and all."""
        from gymnasium import spaces

        least = np.finfo(np.float32).max
        low = np.full(self.count, -least, np.float32)
        low[: len(self.form.labels)] = self.form.low
        high = np.full(self.count, least, np.float32)
        high[: len(self.form.labels)] = self.form.high
        stack = self.preparation.frame_stack
        return spaces.Box(np.tile(low, stack), np.tile(high, stack), dtype=np.float32)

    def action_space(self) -> Any:
        """A box from -1 to 1, or one or several choices."""
        from gymnasium import spaces

        if self.preparation.action == "discrete":
            return spaces.Discrete(CHOICES)
        if self.preparation.action == "multidiscrete":
            return spaces.MultiDiscrete(np.full(len(self.most), CHOICES))
        return spaces.Box(-1.0, 1.0, (len(self.most),), np.float32)

    # seeing -----------------------------------------------------------------------------------------

    def seen(self, view: View) -> Floats:
        """The environment's own observation of a view, shape (B, O)."""
        count = len(view["on_hand"])
        shipped, nothing = view.past["shipped"], np.zeros(count)
        pipe = [
            shipped[:, k, i] if k >= 0 else nothing
            for i, lead in enumerate(self.lead)
            for k in range(view.t - lead, view.t)
        ]
        parts = [
            view["demand"] if view.t else np.zeros((count, len(self._unit))),
            view["unmet"],
            view["on_hand"],
            np.stack(pipe, axis=1) if pipe else np.zeros((count, 0)),
            np.full((count, 1), float(view.t)),
            view["sentiment"],
        ]
        own: Floats = (np.concatenate(parts, axis=1) * self.form.scale).astype(np.float32)
        return own

    def complete(self, own: Floats, view: View, ground: Array | None, rules: Array) -> Floats:
        """The observation with all that is shown beside it, shape (B, `count`).

        Args:
            own: The environment's own observation.
            view: What may be known.
            ground: Orders of the policy that is corrected, shape (B, E).
            rules: Whether unmet demand waits and whether goodwill moves demand, shape (B, 2).
        """
        parts = [own]
        if ground is not None:
            parts.append((ground / (RATES * self.most)).astype(np.float32))
        recent = self.preparation.recent
        if recent:
            count, markets = len(own), len(self._unit)
            shown = np.ones((count, recent + 1, markets))
            if view.t:
                seen = view.past["demand"] / (self._unit * view.past["sentiment"])  # (B, t, M)
                last = min(recent, view.t)
                shown[:, :last] = seen[:, : -last - 1 : -1]
                shown[:, recent] = seen.mean(axis=1)
            parts += [shown.reshape(count, -1).astype(np.float32), rules.astype(np.float32)]
        return np.concatenate(parts, axis=1)

    # deciding ---------------------------------------------------------------------------------------

    def orders(self, actions: Any, view: View, ground: Array | None) -> Array:
        """Orders that actions mean, shape (B, E) (units).

        Args:
            actions: Shape (B, A), or (B,) of `discrete`.
            view: What may be known.
            ground: Orders of the policy that is corrected.
        """
        kind = self.preparation.action
        share = np.asarray(actions, dtype=np.float64)
        if kind == "discrete":
            share = np.repeat(share.reshape(-1, 1), len(self.most), axis=1)
        if kind in ("discrete", "multidiscrete"):
            share = 2.0 * share / (CHOICES - 1) - 1.0
        if ground is not None:
            wanted = ground + share * (self.preparation.span * RATES * self.most)
            corrected: Array = np.clip(wanted, 0.0, np.maximum(self.most, ground))
            return corrected
        amount = (share + 1.0) * (self.most / 2.0)
        return self._up_to(amount, view) if kind == "order-up-to" else np.clip(amount, 0.0, self.most)

    def native_actions(self, actions: Any) -> Any:
        """Actions in the environment's own form, where that is stepped directly."""
        if self.native == "order-up-to":
            return ((actions + 1.0) * (self.most / 2.0)).astype(np.float32)
        return actions

    def _up_to(self, levels: Array, view: View) -> Array:
        """Orders that raise positions to levels, links in their order."""
        position = view["on_hand"].copy()
        for i, buyer in enumerate(self._links.buyer):
            position[:, buyer] += view["in_transit"][:, i]
        for m, retailer in enumerate(self._markets.retailer):
            position[:, retailer] -= view["backlog"][:, m]
        orders = np.empty_like(levels)
        for i, buyer in enumerate(self._links.buyer):
            orders[:, i] = np.maximum(np.minimum(levels[:, i], self.most[i]) - position[:, buyer], 0.0)
            position[:, buyer] += orders[:, i]
        return orders

    def masks(self, t: int) -> NDArray[np.bool_]:
        """Choices that make sense in period t, one after the other: an order that comes too late does not."""
        late = np.array([t + lead >= self.problem.horizon for lead in self.lead]) & (self.ground is None)
        some = np.ones((len(late), CHOICES), dtype=np.bool_)
        some[late, 1:] = False
        choices: NDArray[np.bool_] = (
            np.logical_or.reduce(some) if self.preparation.action == "discrete" else some.ravel()
        )
        return choices


class Stack:
    """The last observations of every row, oldest first; before an episode there is its first one."""

    def __init__(self, size: int) -> None:
        self.size = size

    def begin(self, seen: Floats) -> Floats:
        """The stack at the start of an episode, shape (B, size * O)."""
        self._kept = [seen] * self.size
        return self._stacked()

    def add(self, seen: Floats) -> Floats:
        """The stack one period on."""
        self._kept = [*self._kept[1:], seen]
        return self._stacked()

    def _stacked(self) -> Floats:
        return self._kept[0] if self.size == 1 else np.concatenate(self._kept, axis=1)


def _ground(name: str, problem: NetworkProblem, information: Information) -> Policy:
    """The policy that is corrected, knowing no more than the agent."""
    policy = make_policy(name, problem)
    if information != policy.information and information in policy.may_know:
        policy = make_policy(name, problem, information=information)
    if policy.information == "clairvoyant":
        raise InvalidInput("residual", name, "it knows the future", "Use base-stock or holt-base-stock.")
    if policy.information == "informed" and information == "blind":
        raise InvalidInput("residual", name, "it knows the mean curve, a generalist does not", "Use holt-base-stock.")
    return policy
