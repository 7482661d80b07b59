"""The store by hand: batches, prices, deliveries, cash, rewards, streams, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import restock
from restock.core import streams
from restock.core.play import draw, play
from restock.envs.structured import StructuredEnvironment
from restock.problems.load import instance_of
from restock.problems.retail.interface import MEASURES
from restock.problems.retail.load import tasks
from restock.problems.retail.sources import moved, published_demand
from restock.problems.retail.structured import RetailAction, RetailObservation

PRODUCT: dict[str, Any] = {"name": "tea", "price": 8.0, "cost": 3.0, "capacity": 10, "demand": [0, 9]}
DELIVERIES = [{"name": "van", "cost": 1.0, "lead_time": 2}, {"name": "bike", "cost": 2.0, "lead_time": 1}]


def shop(*products: dict[str, Any], **more: Any) -> Any:
    """A small store: products over `PRODUCT`, four days, 100 in cash."""
    spec = {
        "problem": "retail", "name": "shop", "horizon": 4, "initial_cash": 100.0, "deliveries": DELIVERIES,
        "products": [{**PRODUCT, **product} for product in products or ({},)],
    }  # fmt: skip
    return restock.load_problem({**spec, **more})


def opened(problem: Any, demand: Sequence[Any], jitter: Any = 0.0) -> StructuredEnvironment:
    """A store with known demand, one list a day."""
    store = StructuredEnvironment(problem)
    shape = (problem.horizon, len(problem.names))
    wanted = np.zeros(shape)
    for t, day in enumerate(demand):
        wanted[t] = day
    store.reset(exogenous={"demand": wanted, "jitter": np.broadcast_to(jitter, shape)})
    return store


# what is shipped ----------------------------------------------------------------------------------


def test_tasks_are_shipped() -> None:
    assert tasks() == ["easy", "medium", "hard"] and instance_of("restock/Retail-v0") == "retail-medium"
    for task in tasks():
        made = gym.make("restock/Retail-v0", task=task).unwrapped
        assert made.problem.description() == restock.load_problem(f"retail-{task}").description()  # type: ignore[attr-defined]
    easy: Any = restock.load_problem("restock/Retail-v0", task="easy")
    assert (easy.spec.seed, easy.spec.initial_cash, easy.horizon, easy.spec.events) == (100, 1000.0, 30, {})
    hard: Any = restock.load_problem("retail-hard")
    assert (
        list(hard.spec.events.values()) == [4, 8, 12, 16, 20] and hard.spec.event_effects["black_friday"]["toys"] == 2
    )


def test_a_task_of_ones_own_from_yaml(tmp_path: Any) -> None:
    import yaml

    path = tmp_path / "stall.yaml"
    product = {**PRODUCT, "shelf_life": 2, "initial_stock": 4}
    path.write_text(
        yaml.safe_dump({"problem": "retail", "products": [product], "deliveries": DELIVERIES, "horizon": 3})
    )
    env = gym.make("restock/Retail-v0", instance=str(path)).unwrapped
    assert env.reset(seed=1)[0].shape == env.observation_space.shape
    assert env.get_wrapper_attr("problem").room == 2


# a day by hand ------------------------------------------------------------------------------------


def test_batches_age_sell_oldest_first_and_expire() -> None:
    """Two days of life: stock of the start sells on days 1 and 2, what arrives on day 2 on days 2, 3 and 4."""
    store = opened(shop({"shelf_life": 2, "initial_stock": 5}, horizon=5), [1, 2, 1, 0, 9])
    assert store.step({"buy_quantities": {"tea": 4}, "delivery_method": "bike"}).updated_inventory == {"tea": [(4, 1)]}
    assert store.step({}).updated_inventory == {"tea": [(2, 0), (4, 2)]}
    third = store.step({})
    assert third.updated_inventory == {"tea": [(3, 1)]} and store.trajectory["expired"][2, 0] == 2.0
    assert store.step({}).updated_inventory == {"tea": [(3, 0)]}
    last = store.step({})
    assert last.updated_inventory == {"tea": []} and store.trajectory["expired"][4, 0] == 3.0 and last.done


def test_liquidation_comes_after_the_sale_and_brings_nothing() -> None:
    store = opened(shop({"initial_stock": 9}), [4, 0, 0, 0])
    seen = store.step({"liquidate": {"tea": 3}})
    assert seen.updated_inventory == {"tea": [(2, None)]} and seen.day_profit == 4 * 8.0
    seen = store.step({"liquidate": {"tea": 3}})
    assert seen.updated_inventory == {"tea": []} and store.trajectory["liquidated"][1, 0] == 2.0
    assert store.trajectory["failures"][:, 0].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("multiplier", "charged", "sold"), [(1.0, 8.0, 7), (1.5, 12.0, 3), (9.0, 12.0, 3), (0.5, 4.0, 19), (-1.0, 4.0, 19)]
)
def test_a_price_moves_demand(multiplier: float, charged: float, sold: int) -> None:
    """Elasticity 1.5 and demand 7: 7 x 1.5^-1.5 = 3.8 and 7 x 0.5^-1.5 = 19.8; the whole part of it."""
    store = opened(shop({"initial_stock": 40, "capacity": 50, "elasticity": 1.5}), [7])
    seen = store.step({"price_multipliers": {"tea": multiplier}})
    assert seen.demand_today == {"tea": sold} and seen.day_profit == pytest.approx(sold * charged)


def test_orders_are_paid_in_turn_and_rejected_whole() -> None:
    """100 in cash: 20 x (3 + 2) are paid for, then 1 x 5 is not; a surcharge is due above the capacity."""
    problem = shop({"capacity": 50}, {"name": "oil"}, {"name": "rye", "overflow_cost": 7.0, "initial_stock": 8})
    store = opened(problem, [[0, 0, 0]])
    seen = store.step({"buy_quantities": {"tea": 20, "oil": 1}, "delivery_method": "bike"})
    assert seen.total_cash == 0.0 and store.trajectory["rejected"][0].tolist() == [0.0, 1.0, 0.0]
    store = opened(problem, [[0, 0, 0]])
    seen = store.step({"buy_quantities": {"rye": 5}})
    assert seen.total_cash == 100.0 - 5 * 4.0 - 3 * 7.0 and seen.updated_deliveries == [{"rye": (5, 3)}]
    assert store.trajectory["purchases"][0].tolist() == [0.0, 0.0, 41.0]


def test_no_order_costs_nothing_above_the_capacity() -> None:
    store = opened(shop({"initial_stock": 12, "overflow_cost": 7.0}), [0])
    assert store.step({"buy_quantities": {"tea": 0}}).total_cash == 100.0


@pytest.mark.parametrize(
    ("way", "jitter", "arrival"),
    [("slow", 0, 6), ("slow", -2, 4), ("slow", 2, 8), ("medium", 1, 5), ("medium", -1, 3), ("medium", 2, 5),
     ("fast", 0, 2), ("fast", -2, 2), ("slow", -2.5, 4), ("slow", 2.5, 8)],
)  # fmt: skip
def test_deliveries_come_early_and_late(way: str, jitter: float, arrival: int) -> None:
    store = StructuredEnvironment("retail-easy")
    store.reset(exogenous={"demand": np.zeros((30, 5)), "jitter": np.full((30, 5), float(jitter))})
    seen = store.step({"buy_quantities": {"clothing": 3}, "delivery_method": way})
    assert seen.updated_deliveries == [{"clothing": (3, arrival)}]
    for _ in range(arrival - 1):
        before = seen.updated_inventory["clothing"]
        seen = store.step({})
    assert (
        sum(units for units, _ in before) == 10 and sum(units for units, _ in seen.updated_inventory["clothing"]) == 13
    )


def test_jitter_is_uniform_over_the_days_of_each_way() -> None:
    problem: Any = restock.load_problem("retail-easy")
    jitter = problem.exogenous_of(*[draw(problem, 400, 0).vectors] * 2)["jitter"]
    for wide, days in ((2, [-2, -1, 0, 1, 2]), (1, [-1, 0, 1]), (0, [0])):
        late = np.floor(jitter * (2 * wide + 1) / 5 + 0.5)
        found, counts = np.unique(late, return_counts=True)
        assert found.tolist() == days
        np.testing.assert_allclose(counts / late.size, 1.0 / len(days), atol=0.01)


def test_goods_and_money_are_conserved() -> None:
    @given(st.integers(0, 10_000))
    @settings(max_examples=15, deadline=None)
    def holds(seed: int) -> None:
        problem: Any = restock.load_problem("retail-medium", demand_stream="fast")
        generator = np.random.default_rng(seed)
        most = problem.action_form("quantity").most
        plans = generator.uniform(-0.1, 0.4, (2, 30, len(most))) * most
        met = play(problem, draw(problem, 2, seed), plans)
        came = met["arrived"] - met["expired"] - met["sold"] - met["liquidated"]
        np.testing.assert_allclose(np.diff(met["on_hand"], axis=1), came, atol=1e-9)
        np.testing.assert_allclose(np.diff(met["in_transit"], axis=1), met["ordered"] - met["arrived"], atol=1e-9)
        paid = (met["revenue"] - met["purchases"]).sum(axis=2, keepdims=True)
        np.testing.assert_allclose(np.diff(met["cash"], axis=1), paid, atol=1e-6)
        first = np.cumsum([0, *(problem.life + 1)])[:-1]
        np.testing.assert_array_equal(np.add.reduceat(met["batches"], first, axis=2), met["on_hand"])
        pipe = met["pipe"].reshape(2, 31, 5, problem.room)
        np.testing.assert_array_equal(pipe.sum(axis=3), met["in_transit"])
        assert min(met[name].min() for name in ("on_hand", "batches", "pipe", "cash", "sold", "unmet")) >= 0.0
        assert (met["sold"] + met["unmet"] == met["demand"]).all() and (met["ordered"] % 1 == 0).all()

    holds()


def test_idle_days_and_empty_tills_are_told() -> None:
    store = opened(shop(horizon=5, initial_cash=9.0), [])
    told = [store.environment.step(decided)[4] for decided in [[0.0, 0, 0, 1]] * 3 + [[1.0, 0, 0, 1]]]
    assert [fails["idle"] for fails in told] == [False, False, True, False]
    assert all(fails["bankrupt"] for fails in told) and not any(fails["unaffordable_order"] for fails in told)


@pytest.mark.parametrize("place", [0, 2], ids=["buy", "liquidate"])
def test_negative_quantities_change_nothing_and_are_told(place: int) -> None:
    store = opened(shop({"initial_stock": 5}), [0])
    decided = np.array([0.0, 0, 0, 1])
    decided[place] = -4.0
    info = store.environment.step(decided)[4]
    assert info["invalid_action"] is True
    assert store.trajectory["cash"][-1, 0] == 100.0 and store.trajectory["on_hand"][-1, 0] == 5.0


# rewards ------------------------------------------------------------------------------------------


def test_the_rewards_are_weighed_measures() -> None:
    env: Any = gym.make("restock/Retail-v0", task="hard", reward="readme").unwrapped
    env.reset(seed=0)
    env.action_space.seed(1)
    for _ in range(10):
        _, reward, _, _, info = env.step(env.action_space.sample())
        measured = dict(zip(MEASURES, env.trajectory["measures"][-1], strict=True))
        by_hand = (
            0.001 * measured["service"] - 0.05 * measured["expired"] - 0.5 * measured["rejected"]
            - 0.001 * measured["liquidated"]
        )  # fmt: skip
        assert reward == pytest.approx(by_hand) and info["profit"]["revenue"] == 0.0
        assert info["day_profit"] == measured["revenue"] - measured["purchases"]


def test_profit_is_the_usual_reward() -> None:
    result = restock.simulate("retail-easy", "restock-to-target", episodes=3)
    np.testing.assert_allclose(result.profit, result.kpis["earned"])
    np.testing.assert_allclose(result.kpis["cash"], result.kpis["earned"] + 1000.0)
    other = restock.simulate(restock.load_problem("retail-easy", reward="decomposed"), "restock-to-target", episodes=3)
    np.testing.assert_allclose(other.kpis["earned"], result.kpis["earned"])
    assert not np.allclose(other.profit, result.profit)


# chance -------------------------------------------------------------------------------------------


def demands(stream: str, seeds: Sequence[int], **more: Any) -> Any:
    problem: Any = restock.load_problem("retail-medium", demand_stream=stream, **more)
    source = problem.source(seeds)
    rows = np.arange(len(seeds))
    episodes = np.stack([source.next(rows) for _ in range(2)], axis=1)
    return problem.exogenous_of(episodes, episodes)["demand"]


def test_streams_of_demand() -> None:
    task = demands("task", [1, 2])
    assert (task == task[0, 0]).all()
    seeds = demands("seed", [200, 3, 4])
    problem: Any = restock.load_problem("retail-medium")
    np.testing.assert_array_equal(seeds[0, 0], task[0, 0])
    np.testing.assert_array_equal(seeds[1, 0], published_demand(problem.spec, 3))
    for drawn in (seeds, demands("fast", [200, 3, 4])):
        assert len({episode.tobytes() for rows in drawn for episode in rows}) == 6
        np.testing.assert_array_equal(drawn % 1.0, 0.0)


def test_compiled_draws_are_the_numbers_of_the_streams() -> None:
    problem: Any = restock.load_problem("retail-hard", demand_stream="fast")
    source, rows = problem.source([3, 4, 5]), np.array([2, 0])
    source.next(np.arange(3))
    found = source.next(rows).reshape(2, 2, 30, 5)
    for stream, name in enumerate(("demand", "jitter")):
        keys = np.array([streams.key(seed, name) for seed in (5, 3)], dtype=np.uint64)
        drawn = streams.uniforms(keys, np.ones(2, dtype=np.int64), 150).reshape(2, 30, 5)
        least, most = np.array([product.demand for product in problem.spec.products]).T
        by_hand = moved(problem.spec, least + np.floor(drawn * (most - least + 1.0)))
        np.testing.assert_array_equal(found[:, stream], by_hand if stream == 0 else (drawn - 0.5) * 5.0)


def test_the_fast_stream_draws_from_the_same_law() -> None:
    problem: Any = restock.load_problem("retail-hard", demand_stream="fast")
    fast = problem.exogenous_of(*[draw(problem, 4000, 0).vectors] * 2)["demand"]
    slow = np.stack([published_demand(problem.spec, seed) for seed in range(600)])
    for drawn in (fast, slow):
        for k, product in enumerate(problem.spec.products):
            assert set(np.unique(drawn[:, 0, k])) == set(range(product.demand[0], product.demand[1] + 1))
    error = np.sqrt(fast.var(axis=0) / len(fast) + slow.var(axis=0) / len(slow))
    assert (np.abs(fast.mean(axis=0) - slow.mean(axis=0)) < 5.0 * error).all()


def test_weekends_then_events_leave_whole_units() -> None:
    problem: Any = restock.load_problem("retail-medium", events={"christmas": 5, "new_competitor": 6})
    ones = moved(problem.spec, np.full((30, 5), 7.0))
    assert ones[3].tolist() == [7.0] * 5  # day 4
    assert ones[4].tolist() == [16.0, 12.0, 12.0, 8.0, 24.0]  # a weekend: 8; christmas
    assert ones[5].tolist() == [9.0, 8.0, 10.0, 6.0, 16.0]  # and the competitor, after it
    assert ones[6].tolist() == [4.0, 4.0, 6.0, 5.0, 4.0] and ones[7].tolist() == [7.0] * 5


def test_blind_policies_do_not_see_the_task() -> None:
    problem: Any = restock.load_problem("retail-easy")
    prior = problem.prior()
    assert prior.demand is None and prior.spec.seed == 0 and prior.labels() == problem.labels()
    assert restock.make_policy("price-and-cover", problem).problem.demand is None


# forms --------------------------------------------------------------------------------------------


def test_action_forms_mean_the_same() -> None:
    said = {
        "quantity": [10, 0, 250, 0, 0, 2, 0, 20, 0, 0, 0, 1.0, 1.5, 0.5, 1.2, 1.0],
        "normalized": [-0.8, -1, 0, -1, -1, 1, -1, -0.8, -1, -1, -1, 0, 1, -1, 0.4, 0],
        "multidiscrete": [1, 0, 5, 0, 0, 2, 0, 1, 0, 0, 0, 5, 10, 0, 7, 5],
    }
    seen = []
    for kind, action in said.items():
        env: Any = gym.make("restock/Retail-v0", action=kind).unwrapped
        env.reset(seed=0)
        env.step(np.array(action, dtype=env.action_space.dtype))
        seen.append(env.trajectory["decision"][0])
        assert len(env.action_names()) == 16
    for decision in seen:
        np.testing.assert_allclose(decision, said["quantity"], atol=1e-4)


def test_max_order_bounds_what_is_bought() -> None:
    env: Any = gym.make("restock/Retail-v0", max_order=[1, 2, 3, 4, 5], action="multidiscrete").unwrapped
    env.reset(seed=0)
    env.step([10] * 5 + [2] + [0] * 5 + [5] * 5)
    assert env.trajectory["decision"][0, :5].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert env.action_space.nvec.tolist() == [11] * 5 + [3] + [11] * 10


def test_records_say_what_every_field_is() -> None:
    for record in (RetailAction, RetailObservation):
        assert all(len(field.description or "") > 10 for field in record.model_fields.values())
    seen = StructuredEnvironment("retail-easy").reset(seed=0)
    assert RetailObservation.model_validate_json(seen.model_dump_json()) == seen
    assert seen.updated_inventory["groceries"] == [(20, 5)] and seen.demand_today == {}


# bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"buy_quantities": {"tea": -1}}, "action.buy_quantities.tea"),
        ({"buy_quantities": {"tea": 1.5}}, "action.buy_quantities.tea"),
        ({"buy_quantities": {"tea": 10**12}}, "action.buy_quantities.tea"),
        ({"buy_quantities": {"coffee": 1}}, "action.buy_quantities.coffee"),
        ({"liquidate": {"tea": -1}}, "action.liquidate.tea"),
        ({"liquidate": {"coffee": 1}}, "action.liquidate.coffee"),
        ({"price_multipliers": {"tea": float("nan")}}, "action.price_multipliers.tea"),
        ({"price_multipliers": {"coffee": 1.0}}, "action.price_multipliers.coffee"),
        ({"delivery_method": "rocket"}, "action.delivery_method"),
        ({"buy_quantity": {}}, "action.buy_quantity"),
        ("buy", "action"),
    ],
    ids=lambda given: str(given)[:40],
)
def test_bad_actions_change_nothing(given: Any, field: str) -> None:
    store = opened(shop({"initial_stock": 5}), [1, 1])
    store.step({})
    before = store.environment.observe().tolist()
    with pytest.raises(restock.InvalidInput) as found:
        store.step(given)
    assert found.value.field == field and found.value.mend
    assert store.environment.observe().tolist() == before and store.environment.period == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"task": "simple"}, "task"),
        ({"task": 3}, "task"),
        ({"instance": "retail-eazy"}, "instance"),
        ({"horizon": 0}, "horizon"),
        ({"initial_cash": 0.0}, "initial_cash"),
        ({"reward": "money"}, "reward"),
        ({"demand_stream": "slow"}, "demand_stream"),
        ({"price_range": [1.1, 1.5]}, "price_range"),
        ({"events": {"black_fridy": 3}}, "events.black_fridy"),
        ({"events": {"black_friday": 0}}, "events.black_friday"),
        ({"event_effects": {"black_friday": {"toyz": 2.0}}}, "event_effects.black_friday.toyz"),
        ({"products": []}, "products"),
        ({"products": [PRODUCT, PRODUCT]}, "products[1].name"),
        ({"products": [{**PRODUCT, "demand": [9, 3]}]}, "products[0].demand"),
        ({"products": [{**PRODUCT, "shelf_life": 0}]}, "products[0].shelf_life"),
        ({"deliveries": [{"name": "van", "cost": -1.0, "lead_time": 1}]}, "deliveries[0].cost"),
        ({"products": [{**PRODUCT, "elasticity": 10.0}], "price_range": [0.01, 1.5]}, "products[0].demand"),
        ({"max_order": 0}, "max_order"),
        ({"max_order": [1, 2]}, "max_order"),
        ({"action": "discrete"}, "action"),
    ],
    ids=lambda given: str(given)[:40],
)
def test_bad_descriptions(given: dict[str, Any], field: str) -> None:
    with pytest.raises(restock.InvalidInput) as found:
        others = {"products": {"event_effects": {}, "events": {}}, "event_effects": {"events": {}}}
        gym.make("restock/Retail-v0", **next((others[name] for name in given if name in others), {}), **given)
    assert found.value.field == field and found.value.mend


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"demand": np.zeros((4, 1))}, "exogenous.jitter"),
        ({"demand": np.zeros((3, 1)), "jitter": np.zeros((4, 1))}, "exogenous.demand"),
        ({"demand": -np.ones((4, 1)), "jitter": np.zeros((4, 1))}, "exogenous.demand[0][0]"),
        ({"demand": np.full((4, 1), 1e12), "jitter": np.zeros((4, 1))}, "exogenous.demand[0][0]"),
        ({"demand": np.zeros((4, 1)), "jitter": np.full((4, 1), 3.0)}, "exogenous.jitter[0][0]"),
        ({"demand": np.zeros((4, 1)), "jitter": np.full((4, 1), np.nan)}, "exogenous.jitter[0][0]"),
    ],
)
def test_bad_replays_change_nothing(given: dict[str, Any], field: str) -> None:
    store = opened(shop(), [1])
    store.step({})
    with pytest.raises(restock.InvalidInput) as found:
        store.reset(exogenous=given)
    assert found.value.field == field and store.environment.period == 1


# numbers that are too large ---------------------------------------------------------------------------


@settings(max_examples=30)
@given(
    st.floats(0.0, 10.0),
    st.sampled_from([1e-300, 0.001, 0.01, 0.1, 0.5]),
    st.sampled_from([9, 1_000_000]),
    st.sampled_from([0.0, 1.0, 100.0]),
    st.integers(0, 8),
)
def test_a_store_counts_all_it_takes_and_refuses_the_rest(
    elasticity: float, least: float, most: int, factor: float, events: int
) -> None:
    names = [f"fair {k}" for k in range(events)]
    try:
        problem = shop(
            {"elasticity": elasticity, "demand": [most, most]}, price_range=[least, 1.5],
            weekend_factor=factor, events=dict.fromkeys(names, 2), event_effects={n: {"tea": factor} for n in names},
        )  # fmt: skip
    except restock.InvalidInput as refused:
        assert refused.field == "products[0].demand"
        assert np.log(most) + (events + 1) * np.log(max(1.0, factor)) - elasticity * np.log(least) > np.log(0.999e12)
        return
    plans = np.tile(np.array([0.0, 0.0, 0.0, least]), (1, problem.horizon, 1))
    met = play(problem, draw(problem, 1, 0), plans)["demand"][0, :, 0]
    listed = moved(problem.spec, np.full((problem.horizon, 1), float(most)))[:, 0]
    np.testing.assert_allclose(met, np.floor(listed * least**-elasticity), rtol=1e-12)


@pytest.mark.parametrize("amount", [1e14, 1e19, 1e300])
def test_an_order_that_is_too_large_to_count_is_refused_for_want_of_cash(amount: float) -> None:
    problem = shop({"initial_stock": 5})
    plans = np.tile(np.array([amount, 0.0, 0.0, 1.0]), (1, problem.horizon, 1))
    met = play(problem, draw(problem, 1, 0), plans)
    assert (met["rejected"] == 1.0).all() and not met["ordered"].any()
    plans[..., 0], plans[..., 2] = 0.0, amount
    assert play(problem, draw(problem, 1, 0), plans)["on_hand"][0, -1, 0] == 0.0
