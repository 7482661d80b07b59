"""Base class of policies that compare the position of every node with a level.

Notation of their formulas, for node j in period t:

    mu_m(t)     mean demand of market m (units/period), 0 from the horizon on
    L_j         lead time of an order of node j (periods); where suppliers differ, each share has its own
    w           time from a customer's order at node j to the sale on market m (periods), 0 where j sells itself
    g_jm        stock that node j uses up for each unit sold on market m, by the shares of the suppliers
    D_j(t)      coming demand (units): sum over m of g_jm times the demand of market m over the coming window
    IP_j(t)     inventory position (units): on hand + in transit - backlog; the echelon position adds
                what lies downstream, in units of the node's own stock

The window of a node that only sells is the L_j + 1 periods from t on. What arrives at a node that ships on
can leave a period later, so its window has L_j + 2 periods; they begin w later, for that is when its
customers sell what they order (of an echelon: they begin now, and last w longer). Where several ways lead to
a market, each has its own w. With R periods between orders the 1 is R, see `Plan.window`.

An installation that ships on never plans less than 1.05 E[D_j], or it could not carry the flow
(`LevelPolicy.carrying`). What node j orders is split among its suppliers by fixed shares. Orders that
cannot reach a market before the horizon are not placed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from restock.core.checks import yes_or_no
from restock.core.errors import InvalidInput
from restock.core.problem import Array, Problem
from restock.policies._base import Information, TextPolicy, Tunable
from restock.policies.coming import Coming
from restock.policies.flows import per_entity
from restock.policies.level_text import order_to_levels
from restock.policies.parameters import LINK, NODE
from restock.policies.plan import plan_of
from restock.policies.ratios import (
    MOST,
    UnitCosts,
    critical_ratios,
    echelon_ratios,
    probabilities,
    quantiles,
    unit_costs,
)

RECOVERY = 0.05  # of the mean flow: what a node can ship beyond it, to make good what it fell behind
KNOTS = 4  # points in time between which `fit` lets multiples run linearly


class LevelPolicy(TextPolicy):
    """A policy that compares positions with levels.

    Args:
        problem: A supply network.
        information: What it may know.
        echelon: Whether positions and levels are those of echelons.
        shares: How much each link gets of what its buyer orders, shape (E,), scaled to add up to 1 for
            each buyer; default: inversely to the landed cost of a unit.

    Attributes:
        plan: What is known of the network.
        echelon: As given.
        shares: In force, shape (E,).
        table: Levels of every period, shape (T, N), or (1, N) where they never change (units).
        multiples: Of the mean coming demand, shape (K, N), where levels are that; else None.
        usage: Stock that each node uses up for each unit sold on each market [g], shape (N, M).

    Raises:
        InvalidInput: `shares` or `echelon` is not usable, or the level of information is not offered.
    """

    text = staticmethod(order_to_levels)
    multiples: Array | None = None
    table: Array
    _planners: tuple[str, ...] = ()  # what says the levels, in place of multiples: their own name first
    _given: bool = False
    _review: int = 1

    def __init__(self, problem: Problem, information: Information | None, echelon: bool, shares: Any) -> None:
        super().__init__(problem, information)
        self.echelon = yes_or_no("echelon", echelon, "Write true for echelon positions.")
        self.plan = plan_of(self.problem)
        self.shares = self.plan.shares if shares is None else self._scaled(shares)
        self.usage = self.plan.usage(self.shares)
        self._coming: dict[int, Coming] = {}

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the nodes, as lists of levels are read."""
        return tuple(str(node) for node in self.problem.nodes)

    @property
    def links(self) -> tuple[str, ...]:
        """Names of the links, as lists of shares are read."""
        names: tuple[str, ...] = self.problem.labels()[self.problem.decision]
        return names

    def _scaled(self, shares: Any) -> Array:
        given = per_entity("shares", shares, self.links)
        total = np.bincount(self.plan.buyer, given)
        if not (total > 0.0).all():
            node = self.problem.nodes[int(np.flatnonzero(total <= 0.0)[0])]
            problem = f"node {node} would order from nobody"
            raise InvalidInput("shares", shares, problem, "Give one of its suppliers more than 0.")
        return np.asarray(given / total[self.plan.buyer])

    def planned(
        self,
        name: str,
        given: Any,
        multiples: Any,
        service: Any,
        review: int = 1,
        formula: Callable[[], Array] | None = None,
        **others: Any,
    ) -> None:
        """Set the levels of every period: given, as multiples of the coming demand, or by the formula.

        Args:
            name: What the policy calls its levels.
            given: One number, one for each node, or None.
            multiples: What `read_multiples` reads, or None.
            service: See `ratios`.
            review: Periods between two orders.
            formula: Another formula than the newsvendor's.
            **others: What else may not be given beside levels.

        Raises:
            InvalidInput: They are given twice, or are not usable numbers.
        """
        exclusive({name: given, "multiples": multiples}, service=service, **others)
        self._planners = (name, "service", *others)
        self._given, self._review = given is not None, review
        if multiples is not None:
            self.multiples = read_multiples(multiples, self)
            self.table = self.multiple_of_coming(self.multiples, review)
        elif given is not None:
            self.table = per_entity(name, given, self.problem.nodes)[None]
        else:
            self.table = self.newsvendor(service, review) if formula is None else formula()

    @property
    def levels(self) -> Array:
        """Levels of the first period, shape (N,) (units)."""
        return np.asarray(self.table[0])

    def reads_levels(self, **more: Any) -> None:
        """Set what the text reads: links, levels (multiples follow goodwill), and what the policy declares besides."""
        whole = np.broadcast_to(self.table, (self.plan.horizon, self.table.shape[1]))
        self.reads_split(self.multiples is not None, level=whole, **more)

    def reads_split(self, follows: bool, **more: Any) -> None:
        """Set what the text reads: how orders are split among the links, and what the policy declares besides.

        Args:
            follows: Whether levels move in proportion to the goodwill of the customers.
            **more: By the names of their declaration.
        """
        plan = self.plan
        weight = np.where(plan.supplier >= 0, plan.units_in[plan.supplier] * self.shares, 0.0) * self.echelon
        self.reads(
            inner=plan.inner, weight=weight, share=self.shares, last=plan.last, follows=float(follows), **more
        )  # fmt: skip

    def parameters_in_words(self) -> dict[str, Any]:
        """Return the parameters that are declared with a label, those of the first period."""
        assert self.packing is not None and self._own is not None
        return dict(self.packing.in_words(self._own, {NODE: self.nodes, LINK: self.links}))

    def by_node(self, what: str, values: Array) -> dict[str, float]:
        """Return one named number per node, for `parameters_in_words`."""
        return {f"{what} {node}": float(value) for node, value in zip(self.problem.nodes, values, strict=True)}

    @property
    def rate(self) -> Array:
        """Stock that each node uses in a period at mean demand [lambda], shape (N,) (units/period)."""
        return np.asarray(self.usage @ self.plan.mean.mean(axis=0))

    def coming(self, review: int = 1) -> Coming:
        """Return the demand that levels have to cover if orders are placed every `review` periods."""
        if review not in self._coming:
            window = self.plan.window(self.echelon, review)
            self._coming[review] = Coming(self.problem, self.usage, window.ways.weights(self.shares), window)
        return self._coming[review]

    @cached_property
    def costs(self) -> UnitCosts:
        """The cost of a unit short and of a unit left over at each node."""
        return unit_costs(self.problem, self.shares)

    def multiple_of_coming(self, multiples: Array, review: int = 1) -> Array:
        """Return the levels as multiples (K, N) of the mean coming demand, shape (T, N) (units)."""
        return self.coming(review).mean * (self.plan.knots(len(multiples)) @ multiples)

    def newsvendor(self, service: Any = None, review: int = 1) -> Array:
        """Return levels: quantiles of the coming demand at the critical ratios, shape (T, N) (units)."""
        final = self.final(review)
        plain = self.over_a_cycle(self.before_the_end(service), review)
        if service is not None:
            last = self.ratios(service)
        else:
            last = self._echelon_ratios(final=True) if self.echelon else self.ratios(None, 1.0)
        coming = self.coming(review)
        levels = coming.quantile(np.where(final, last, plain))
        return np.where(final, levels, self.carrying(levels, coming.mean))

    def over_a_cycle(self, ratios: Array, review: int) -> Array:
        """Return ratios for the last period before a delivery whose mean over a cycle equals the given ones, (N,).

        Where orders are R periods apart, a level has to do for the demand of n periods, n = N - R + 1, ..., N, and
        costs arise in each of these. The best level solves mean over n of P(D_n <= S) = ratio. It is found for
        normal demand, and given back as the probability P(D_N <= S).
        """
        if review == 1:
            return ratios
        coming = self.coming(review)
        most = np.maximum(coming.periods[0], 1.0)
        mean = coming.mean[0] / most
        deviation = np.maximum(np.sqrt(coming.variance[0] / most), 1e-9 * mean + 1e-12)
        count = np.maximum(most - np.arange(review)[:, None], 1.0)  # (R, N)
        low, high = -8.0 * deviation * np.sqrt(most), most * mean + 8.0 * deviation * np.sqrt(most)
        for _ in range(60):
            middle = 0.5 * (low + high)
            share = probabilities((middle - count * mean) / (deviation * np.sqrt(count))).mean(axis=0)
            low, high = np.where(share < ratios, middle, low), np.where(share < ratios, high, middle)
        return np.clip(probabilities((high - most * mean) / (deviation * np.sqrt(most))), 1e-9, MOST)

    def carrying(self, levels: Array, mean: Array) -> Array:
        """Return the levels (..., N), raised to a twentieth above the mean coming demand at installations that ship on.

        What such a node cannot ship today is not owed but asked for anew, so in L + 2 periods it ships its level
        at most: with less than the mean it would fall further and further behind, whatever a unit short costs.
        """
        if self.echelon:
            return levels
        return np.where(self.plan.ships_on, np.maximum(levels, (1.0 + RECOVERY) * mean), levels)

    def periods_worth_the_last(self) -> float:
        """Return the number of periods of an episode, each worth as much as its last: T, more under a discount."""
        discount, periods = self.problem.spec.discount, self.plan.horizon
        if discount == 1.0:
            return float(periods)
        return float((1.0 - discount**periods) / (1.0 - discount) / discount ** (periods - 1))

    def before_the_end(self, service: Any = None) -> Array:
        """Return the critical ratios of orders that are followed by later ones, shape (N,); see `ratios`."""
        return self._echelon_ratios() if service is None and self.echelon else self.ratios(service)

    def _echelon_ratios(self, final: bool = False) -> Array:
        """Return the mean of the two bounds of Shang and Song, taken between their normal quantiles."""
        lower, upper = echelon_ratios(self.costs, final)
        return probabilities(0.5 * (quantiles(lower) + quantiles(upper)))

    def ratios(self, service: Any = None, periods: float = np.inf) -> Array:
        """Return the critical ratios of installations, shape (N,).

        Args:
            service: One ratio in (0, 1), or one for each node; default: what a unit short costs over that and
                what a unit too many costs, see `critical_ratios`.
            periods: For how many periods a level is kept.

        Raises:
            InvalidInput: `service` is not a ratio.
        """
        if service is None:
            return critical_ratios(self.costs, periods)
        ratios = per_entity("service", service, self.problem.nodes)
        if not ((ratios > 0.0) & (ratios < 1.0)).all():
            raise InvalidInput("service", service, "a critical ratio must lie between 0 and 1", "Write 0.95.")
        return ratios

    def final(self, review: int = 1) -> Array:
        """Return whether an order of the period is the last that can still be sold, shape (T, N)."""
        useful = np.zeros(len(self.problem.nodes))
        np.maximum.at(useful, self.plan.buyer, self.plan.last)
        return np.asarray(np.arange(self.plan.horizon)[:, None] + review >= useful)

    def tunables(self) -> dict[str, Tunable]:
        """Return multiples at `KNOTS` points in time (or levels, if given), and shares if there is a choice."""
        found = {"multiples": self._tunable_multiples()}
        if self._planners:
            name = self._planners[0]
            now = self.levels
            nothing = np.zeros_like(now)
            beside = ("multiples", *self._planners[1:])
            scale = 0.25 * now + 0.05 * self.rate + 1e-3
            found[name] = Tunable(now, scale, nothing, nothing + np.inf, self._given, beside, self.nodes)
        return found | self.tunable_shares()

    def tunable_shares(self) -> dict[str, Tunable]:
        """Return the shares, if a node has several suppliers."""
        choice = self.plan.choice
        if not choice.any():
            return {}
        low, high = np.where(choice, 0.001, self.shares), np.where(choice, 1.0, self.shares)
        return {"shares": Tunable(self.shares, np.full(len(choice), 0.25), low, high, names=self.links)}

    def _tunable_multiples(self) -> Tunable:
        """Return the multiples in force, or the levels in force as multiples of the mean coming demand."""
        count = min(KNOTS, self.plan.horizon)
        if self.multiples is not None:
            start = np.repeat(self.multiples, count, axis=0) if len(self.multiples) == 1 else self.multiples
        else:
            coming = self.multiple_of_coming(np.ones((1, len(self.problem.nodes))), self._review)
            levels = np.broadcast_to(self.table, coming.shape)
            at = np.linspace(0, self.plan.horizon - 1, count).round().astype(int)
            shares = np.divide(levels, coming, out=np.ones_like(coming), where=coming > 0.0)
            start = np.clip(shares[at], 0.5, 2.0)
        low, high = np.zeros(start.shape), np.full(start.shape, 10.0)
        return Tunable(start, np.full(start.shape, 0.25), low, high, not self._given, self._planners, self.nodes)


def order_quantities(policy: LevelPolicy) -> Array:
    """Return economic order quantities sqrt(2 K lambda / h), shape (N,) (units); 0 without a fixed cost.

    K adds up the fixed costs of the node's links, lambda is what it uses up in a period, h its holding cost.
    """
    plan, problem = policy.plan, policy.problem
    fixed = np.bincount(plan.buyer, [link.fixed_cost for link in problem.spec.ordered_links])
    holding = np.array([max(node.holding_cost or 0.0, 1e-6) for node in problem.spec.managed])
    return np.asarray(np.sqrt(2.0 * fixed * policy.rate / holding))


def read_multiples(value: Any, policy: LevelPolicy) -> Array:
    """Return multiples of shape (K, N): one number, one per node, K lists of one per node, or {node: K numbers}.

    Raises:
        InvalidInput: It is none of these.
    """
    nodes, many = policy.problem.nodes, (list, tuple, np.ndarray)
    if isinstance(value, Mapping) and any(isinstance(entry, many) for entry in value.values()):
        lengths = {len(entry) if isinstance(entry, many) else 1 for entry in value.values()}
        if len(lengths) != 1 or 0 in lengths:
            mend = "Give each node as many numbers as the others."
            raise InvalidInput("multiples", dict(value), "the lists are of different lengths, or empty", mend)
        value = [{node: np.ravel(entry)[k] for node, entry in value.items()} for k in range(lengths.pop())]
    listed = isinstance(value, many) and len(value) > 0
    if not listed or not all(isinstance(row, (*many, Mapping)) for row in value):
        return per_entity("multiples", value, nodes)[None]
    rows = [per_entity("multiples", row, nodes) for row in value]
    if len(rows) > policy.plan.horizon:
        what = f"there are {len(rows)} lists for {policy.plan.horizon} periods"
        raise InvalidInput("multiples", value, what, "Give fewer, they are joined by straight lines.")
    return np.stack(rows)


def exclusive(ways: Mapping[str, Any], **others: Any) -> None:
    """Check that levels are given in one way at most, and nothing else is then planned with.

    Args:
        ways: Ways to give levels, by the name of the parameter.
        **others: Parameters of the formula that would plan them.

    Raises:
        InvalidInput: They are given twice.
    """
    given = [name for name, value in ways.items() if value is not None]
    rest = {name: ways[name] for name in given[1:]} | {k: v for k, v in others.items() if v is not None}
    if given and rest:
        name, value = next(iter(rest.items()))
        raise InvalidInput(name, value, f"{given[0]} are given, so there is nothing to plan", "Drop one.")
