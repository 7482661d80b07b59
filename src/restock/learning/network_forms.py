"""What an agent of a usual deep-RL algorithm sees and does in a supply network.

Nothing here is estimated while training goes on: every scale is fixed by the problem.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from restock.core.problem import Array, choose
from restock.learning.preparation import RATES, Floats, Forms, Preparation, corrected
from restock.learning.several import rules_of
from restock.policies._base import Information, View
from restock.problems.network import NetworkProblem
from restock.problems.network.forms import CHOICES

ACTIONS = ("normalized", "order-up-to", "multidiscrete", "discrete")


class NetworkForms(Forms):
    """The forms of a network; see `Forms`.

    Args:
        problem: The network.
        preparation: The forms.
        information: What the agent may know; the policy it corrects knows no more.

    Attributes:
        looks: Whether an observation takes more than the environment's own.

    Raises:
        InvalidInput: There is no such form, or the policy to correct cannot be had.
    """

    def __init__(self, problem: NetworkProblem, preparation: Preparation, information: Information) -> None:
        self.problem = problem
        kind = str(preparation.action)
        choose(kind, ACTIONS, "action")
        if preparation.residual is not None:
            self.ground = corrected(preparation.residual, problem, information)
        links, markets = len(problem.links), len(problem.markets)
        more = links if self.ground else 0
        if preparation.recent:
            more += (preparation.recent + 1) * markets + 2
        super().__init__(problem, preparation, problem.observation_form(str(preparation.observation)), more)
        self.looks = more > 0
        self.native = kind if kind != "discrete" and self.ground is None else "quantity"
        self.most = problem.action_form("normalized" if kind == "discrete" else kind).most  # (E,)
        self._links = problem.fixed.links
        self._markets = problem.fixed.markets
        self.lead = [int(lead) for lead in self._links.lead_time]
        self._unit = np.maximum(problem.demand.mean.mean(axis=0), 1.0)  # (M,)
        worth = float((problem.demand.mean.mean(axis=0) * self._markets.price).sum())
        self.reward_scale = preparation.reward_scale or 1.0 / max(worth, 1.0)

    # spaces -----------------------------------------------------------------------------------------

    def action_space(self) -> Any:
        """Return a box from -1 to 1, or one or several choices."""
        from gymnasium import spaces

        if self.preparation.action == "discrete":
            return spaces.Discrete(CHOICES)
        if self.preparation.action == "multidiscrete":
            return spaces.MultiDiscrete(np.full(len(self.most), CHOICES))
        return spaces.Box(-1.0, 1.0, (len(self.most),), np.float32)

    # seeing -----------------------------------------------------------------------------------------

    def seen(self, view: View) -> Floats:
        """Return the environment's own observation of a view, shape (B, O)."""
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
        """Return the observation with all that is shown beside it, shape (B, `count`).

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
        """Return the orders that actions mean, shape (B, E) (units).

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
        """Return the actions in the environment's own form, where that is stepped directly."""
        if self.native == "order-up-to":
            return ((actions + 1.0) * (self.most / 2.0)).astype(np.float32)
        return actions

    def _up_to(self, levels: Array, view: View) -> Array:
        """Return the orders that raise positions to levels, links in their order."""
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

    # deployed ---------------------------------------------------------------------------------------

    def begin(self, episodes: int, problem: Any) -> None:
        """See `Forms.begin`."""
        self._rules = np.repeat(np.array([rules_of(problem)]), episodes, axis=0)
        self._wanted: Array | None = None
        if self.ground is not None:
            self.ground.begin(episodes, 0, None)

    def look(self, view: View) -> Floats:
        """See `Forms.look`."""
        if self.ground is not None:
            self._wanted = self.ground.act(view)
        return self.complete(self.seen(view), view, self._wanted, self._rules)

    def decided(self, actions: Any, view: View) -> Array:
        """See `Forms.decided`."""
        return self.orders(actions, view, self._wanted)

    def masks(self, view: View) -> NDArray[np.bool_]:
        """Return the choices that make sense now: an order that comes too late does not."""
        return np.tile(self.masks_at(view.t), (len(view["on_hand"]), 1))

    def masks_at(self, t: int) -> NDArray[np.bool_]:
        """Return the choices that make sense in period t, one after the other: an order that is too late does not."""
        late = np.array([t + lead >= self.problem.horizon for lead in self.lead]) & (self.ground is None)
        some = np.ones((len(late), CHOICES), dtype=np.bool_)
        some[late, 1:] = False
        choices: NDArray[np.bool_] = (
            np.logical_or.reduce(some) if self.preparation.action == "discrete" else some.ravel()
        )
        return choices
