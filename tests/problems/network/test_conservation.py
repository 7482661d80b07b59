"""Units are neither made nor lost, nothing is negative, and the parts of the profit are what the units cost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from restock.envs.registration import make_single
from tests.problems.network.networks import random_actions, random_network

MORE = settings(max_examples=4 * settings.default.max_examples)

demands = st.fixed_dictionaries(
    {},
    optional={
        "distribution": st.sampled_from(["poisson", "normal", "negative_binomial", "uniform", "deterministic"]),
        "goodwill": st.booleans(),
        "effects": st.lists(st.sampled_from(["trend", "seasonal", "shock"]), max_size=3, unique=True),
        "noise_scale": st.sampled_from([0.0, 1.0, 1.7]),
        "sampler": st.sampled_from(["numpy", "sequential", "inverse"]),
    },
).filter(lambda demand: demand.get("distribution") != "deterministic" or demand.get("noise_scale") != 1.7)
plays = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 100_000),
        "action": st.sampled_from(["quantity", "normalized", "order-up-to", "multidiscrete"]),
        "backlog": st.booleans(),
        "discount": st.sampled_from([1.0, 0.97, 0.5]),
        "horizon": st.integers(1, 25),
    }
)


def played(network: dict[str, Any], orders: str, seed: int, **kwargs: Any) -> SimpleNamespace:
    """An episode's trajectory by name, its rewards, and the network's numbers in the order of the arrays."""
    env = make_single(instance=network, **kwargs)
    env.reset(seed=seed)
    rng = np.random.default_rng(seed)
    if kwargs["action"] == "quantity":
        actions: Any = random_actions(rng, orders, env.problem.horizon, len(env.problem.links))
    else:
        env.action_space.seed(seed)
        actions = [env.action_space.sample() for _ in range(env.problem.horizon)]
    rewards, parts = [], []
    for action in actions:
        _, reward, _, _, info = env.step(action)
        rewards.append(reward)
        parts.append(dict(info["profit"]))
    spec, problem = env.problem.spec, env.problem
    rank = {node: j for j, node in enumerate(problem.nodes)}
    nodes = spec.managed
    return SimpleNamespace(
        **dict(env.trajectory),
        rewards=np.array(rewards),
        parts=parts,
        env=env,
        periods=problem.horizon,
        supplier=np.array([rank.get(source, -1) for source, _ in problem.links]),
        buyer=np.array([rank[buyer] for _, buyer in problem.links]),
        retailer=np.array([rank[retailer] for retailer, _ in problem.markets]),
        lead=np.array([link.lead_time for link in spec.ordered_links]),
        links=spec.ordered_links,
        markets=spec.ordered_markets,
        capacity=np.array([np.inf if node.capacity is None else node.capacity for node in nodes]),
        units_out=np.array([node.yield_ or 1.0 for node in nodes]),
        operating_cost=np.array([node.operating_cost or 0.0 for node in nodes]),
        holding_cost=np.array([node.holding_cost for node in nodes]),
        initial=np.array([node.initial_inventory for node in nodes]),
    )


def summed(values: np.ndarray, places: np.ndarray, count: int) -> np.ndarray:
    """Columns added up by the place each belongs to; places of -1 are left out."""
    total = np.zeros((len(values), count))
    for column, place in zip(values.T, places, strict=True):
        if place >= 0:
            total[:, place] += column
    return total


def check_units(e: SimpleNamespace, backlog: bool, close: Any) -> None:
    """The balance of every node, link and market in every period, and of the whole network over the episode."""
    nodes = len(e.initial)
    into, out = summed(e.arrived, e.buyer, nodes), summed(e.shipped, e.supplier, nodes)
    sales = summed(e.sold, e.retailer, nodes)
    np.testing.assert_array_equal(e.on_hand[0], e.initial)
    close(e.used, out / e.units_out)
    close(e.on_hand[1:], e.on_hand[:-1] - e.used + into - sales)
    close(e.in_transit[1:], e.in_transit[:-1] + e.shipped - e.arrived)
    for i, lead in enumerate(e.lead):
        late = np.concatenate([np.zeros(lead), e.shipped[:, i]])[: e.periods]
        np.testing.assert_array_equal(e.arrived[:, i], late)
        close(e.in_transit[-1, i], e.shipped[max(e.periods - lead, 0) :, i].sum() if lead else 0.0)
    close(e.demand + e.backlog[:-1], e.sold + e.unmet)
    np.testing.assert_array_equal(e.backlog[1:], e.unmet if backlog else 0.0 * e.unmet)
    if backlog:
        close(e.demand.sum(axis=0), e.sold.sum(axis=0) + e.backlog[-1])
    bought = e.shipped[:, e.supplier < 0].sum()
    used_up = e.used.sum() - out.sum()  # by yields below one; gained by yields above
    close(e.initial.sum() + bought, e.on_hand[-1].sum() + e.in_transit[-1].sum() + e.sold.sum() + used_up)
    close(e.env.observe()[-2 - e.lead.sum() : -2].sum(), e.in_transit[-1].sum())


def check_limits(e: SimpleNamespace, crumb: float) -> None:
    """Nothing negative; nobody ships more than was ordered, is there, or can be made; priority by order of links."""
    for name in ("on_hand", "backlog", "unmet", "ordered", "shipped", "arrived", "demand", "sold", "used"):
        assert getattr(e, name).min() >= 0.0, name
    assert e.in_transit.min() >= -crumb
    assert (e.shipped <= e.ordered).all()
    out = summed(e.shipped, e.supplier, len(e.initial))
    assert (out <= e.capacity + crumb).all()
    assert (e.used <= e.on_hand[:-1] + crumb).all()
    for j in range(len(e.initial)):
        mine = np.flatnonzero(e.supplier == j)
        limit = np.minimum(e.capacity[j], e.units_out[j] * e.on_hand[:-1, j])
        asked_before = np.cumsum(e.ordered[:, mine], axis=1) - e.ordered[:, mine]
        left = np.maximum(limit[:, None] - asked_before, 0.0)
        np.testing.assert_allclose(e.shipped[:, mine], np.minimum(e.ordered[:, mine], left), rtol=1e-9, atol=crumb)


def check_money(e: SimpleNamespace, discount: float) -> None:
    """Every part of the profit from the units and the prices in the spec; all of them make the reward."""
    price = np.array([link.price if j < 0 else 0.0 for link, j in zip(e.links, e.supplier, strict=True)])
    parts = {
        "revenue": (e.sold * [market.price for market in e.markets]).sum(axis=1),
        "shortage": -(e.unmet * [market.shortage_cost for market in e.markets]).sum(axis=1),
        "purchases": -(e.shipped * price).sum(axis=1),
        "pipeline_holding": -(e.in_transit[1:] * [link.pipeline_cost for link in e.links]).sum(axis=1),
        "fixed_orders": -((e.shipped > 1e-9) * np.array([link.fixed_cost for link in e.links])).sum(axis=1),
        "holding": -(e.on_hand[1:] * e.holding_cost).sum(axis=1),
        "operating": -(
            (summed(e.shipped, e.supplier, len(e.initial)) + summed(e.sold, e.retailer, len(e.initial)))
            * (e.operating_cost / e.units_out)
        ).sum(axis=1),
    }
    worth = discount ** np.arange(e.periods)
    for name, amounts in parts.items():
        np.testing.assert_allclose([p[name] for p in e.parts], worth * amounts, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(e.rewards, worth * sum(parts.values()), rtol=1e-9, atol=1e-8)
    assert [p["total"] for p in e.parts] == e.rewards.tolist()
    for p in e.parts:
        total = sum(value for name, value in p.items() if name != "total")
        np.testing.assert_allclose(total, p["total"], rtol=1e-9, atol=1e-8)


@MORE
@given(plays, demands, st.sampled_from(["mixed", "fractional", "huge"]), st.booleans())
def test_units_and_money_on_any_network(play, demand, orders, means):
    network = random_network(play["seed"], means=means)
    episode = played(network, orders, demand=demand, **play)
    scale = max(1.0, float(episode.in_transit.max(initial=0.0)), float(episode.on_hand.max()))

    def close(a: Any, b: Any) -> None:
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10 * scale)

    check_units(episode, play["backlog"], close)
    check_limits(episode, 1e-10 * scale)
    check_money(episode, play["discount"])


@given(plays, st.sampled_from(["integer", "huge", "zero"]))
def test_whole_units_balance_to_the_last_one(play, orders):
    """Whole orders, demands and yields that binary numbers hold: no tolerance at all."""
    play |= {"action": "quantity"}
    episode = played(random_network(play["seed"], exact=True), orders, demand={"goodwill": True}, **play)
    check_units(episode, play["backlog"], np.testing.assert_array_equal)
    check_limits(episode, 0.0)
