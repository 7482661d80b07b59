"""The observations that move a policy's orders, and the cost of not knowing them.

A group of observations (what is on hand at a node, what is under way on a link, the demand of the last
period, ...) is replaced by what it is, in the same period, in another episode in which the policy
decides undisturbed. All else stays as it is, and so do the dynamics: the policy is misled, not the
world. Two numbers come of it:

    change   along the undisturbed episode, the mean absolute difference between the orders that the
             policy gives and those that it would give on the replaced group (units/period, all links)
    loss     what the policy earns less if it is misled all along, its wrong orders taking effect

The other episodes are drawn independently, one for each, so the differences are independent and a t
interval holds. The period itself is the same in all episodes, so it is replaced by another period, with
the past shifted along (not by or in one of the first periods, in which no pipeline is full); episodes
share such a shuffled calendar in groups, and the interval is over those.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from restock.core.play import Episodes
from restock.core.problem import Array
from restock.evaluation.family import Family
from restock.evaluation.simulate import Simulation, run
from restock.evaluation.stats import Estimate, degrees_of, estimate
from restock.evaluation.views import Asked, Change, Seen, Told
from restock.policies._base import Policy, View
from restock.problems.network import NetworkProblem

NODE = ("on_hand", "released", "used", "operating", "holding")
LINK = ("in_transit", "ordered", "shipped", "arrived", "purchases", "pipeline_holding", "fixed_orders")
SHORT = ("backlog", "unmet", "shortage")
DEMAND = ("demand", "sold", "revenue")
CALENDARS = 8  # shuffled ones that the period is replaced by

When = str  # "all": now and all of the past; "last": now and the last period; "earlier": the periods before


@dataclasses.dataclass(frozen=True)
class Group:
    """Observations that are replaced together.

    Attributes:
        name: What they are, in words.
        fields: Recorded fields.
        entry: Which entry of the fields.
        when: Which part of their history.
    """

    name: str
    fields: tuple[str, ...]
    entry: int
    when: When = "all"


@dataclasses.dataclass(frozen=True)
class Influence:
    """The influence of a group of observations on a policy.

    Attributes:
        name: The group.
        change: Mean absolute change of the orders when it is replaced, all links together (units/period).
        by_link: The same for each link, shape (E,).
        loss: Profit that is lost in an episode when it is replaced all along; the intervals of all groups
            hold together.
    """

    name: str
    change: Estimate
    by_link: Array
    loss: Estimate


def groups_of(problem: NetworkProblem) -> list[Group]:
    """Return the groups of observations of a network."""
    labels = problem.labels()
    short = "backlog" if problem.spec.backlog else "sales just lost"
    found = [Group(f"stock at {name}", NODE, j) for j, name in enumerate(labels["on_hand"])]
    found += [Group(f"pipeline {_arrow(name)}", LINK, i) for i, name in enumerate(labels["in_transit"])]
    for m, name in enumerate(labels["demand"]):
        where = f" of {_arrow(name)}" if len(problem.markets) > 1 else ""
        found.append(Group(f"{short}{where}", SHORT, m))
        found.append(Group(f"last demand{where}", DEMAND, m, "last"))
        found.append(Group(f"earlier demand{where}", DEMAND, m, "earlier"))
    if problem.spec.demand.goodwill is not None:
        found.append(Group("goodwill", ("sentiment",), 0))
    return found


def influences(
    problem: NetworkProblem,
    policy: Policy,
    base: Simulation,
    chance: Episodes,
    others: Seen,
    seed: int,
    tell: Callable[[], None],
) -> list[Influence]:
    """Return the influence of each group on the policy, largest loss first.

    Args:
        problem: What is simulated.
        policy: Who decides.
        base: Its undisturbed simulation on the episodes.
        chance: The episodes [B].
        others: What it saw in B other episodes.
        seed: Of the policy's random streams, and of the calendars.
        tell: Called after each group.
    """
    found, at_once = [], len(groups_of(problem)) + 1
    for group in groups_of(problem):
        change = partial(_replaced, group=group, others=others)
        moved, lost = _effects(problem, policy, base, chance, slice(None), change, seed)
        found.append(_influence(group.name, moved, lost, at_once))
        tell()
    first_full = max(1, *problem.fixed.links.lead_time)
    if problem.horizon - first_full > 1:
        count = min(CALENDARS, len(chance) // 2)
        edges = np.linspace(0, len(chance), count + 1).astype(int)
        generator = np.random.default_rng(seed)
        parts = []
        for first, last in itertools.pairwise(edges):
            change = partial(_elsewhen, calendar=_calendar(problem.horizon, first_full, generator))
            moved, lost = _effects(problem, policy, base, chance, slice(int(first), int(last)), change, seed)
            parts.append((moved.mean(axis=0), lost.mean()))
        lost = np.array([x for _, x in parts])
        found.append(_influence("period", np.stack([m for m, _ in parts]), lost, at_once))
    tell()
    return sorted(found, key=lambda one: (-one.loss.mean, -one.change.mean))


def _effects(
    problem: NetworkProblem,
    policy: Policy,
    base: Simulation,
    chance: Episodes,
    which: slice,
    change: Change,
    seed: int,
) -> tuple[Array, Array]:
    """Return the mean absolute change of the orders of each episode, shape (B, E), and lost profit, shape (B,)."""
    decided = base.trajectory[problem.decision][which]
    asked = Asked(policy, change, decided)
    run(problem, asked, chance.rows(which), seed)
    misled = run(problem, Told(policy, change), chance.rows(which), seed)
    # A supplier that never runs short takes a negative order for none.
    moved = np.abs(np.maximum(asked.answers, 0.0) - np.maximum(decided, 0.0))
    return moved.mean(axis=1), base.profit[which] - misled.profit


def _influence(name: str, moved: Array, lost: Array, at_once: int) -> Influence:
    family = Family(at_once + 1, max(degrees_of(len(lost)), 1), named=True)
    return Influence(name, estimate(moved.sum(axis=1)), moved.mean(axis=0), family.judge(lost)[0])


def _replaced(view: View, group: Group, others: Seen) -> View:
    """Return the view with a group replaced by its values in the other episodes."""
    theirs, k, t = others.view(view.t), group.entry, view.t
    now, past = dict(view.now), dict(view.past)
    span = {"all": slice(None), "last": slice(max(t - 1, 0), None), "earlier": slice(0, max(t - 1, 0))}[group.when]
    for name in group.fields:
        if group.when != "earlier":
            now[name][:, k] = theirs.now[name][:, k]
        past[name] = past[name].copy()
        past[name][:, span, k] = theirs.past[name][:, span, k]
    return View(t, now, past, view.mean)


def _elsewhen(view: View, calendar: NDArray[np.int64]) -> View:
    """Return the view as if it were another period: the past is cut, or continued backwards."""
    t = int(calendar[view.t])
    past = {name: _as_long(values, t, name in LINK) for name, values in view.past.items()}
    return View(t, view.now, past, view.mean)


def _as_long(values: Array, periods: int, nothing: bool) -> Array:
    """Return the last periods; before the first one, nothing was in transit and all else was as in the first."""
    missing = periods - values.shape[1]
    if missing <= 0:
        return values[:, values.shape[1] - periods :]
    first = np.repeat(values[:, :1], missing, axis=1)
    return np.concatenate([np.zeros_like(first) if nothing else first, values], axis=1)


def _calendar(horizon: int, first: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return the other period that each period is taken for."""
    round_ = first + generator.permutation(horizon - first)  # each is taken for the next one in this circle
    calendar = np.arange(horizon)
    calendar[round_] = np.roll(round_, -1)
    return calendar


def _arrow(name: str) -> str:
    return name.replace("->", " \N{RIGHTWARDS ARROW} ")
