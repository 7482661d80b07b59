"""Actions and observations as records, for every kind of problem."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import restock
from restock.core.records import MOST_UNITS
from restock.envs.single import Environment
from restock.envs.structured import StructuredEnvironment
from restock.problems.template import texts

CASES: dict[str, dict[str, Any]] = {
    "network": {"problem": "divergent", "horizon": 8},
    "goodwill": {"problem": "serial", "horizon": 8, "demand": {"goodwill": True}, "backlog": False, "discount": 0.97},
    "sharing": {"problem": "restock/Sharing-v0", "n_timesteps": 9},
    "depot": {"problem": "restock/Sharing-v0", "n_timesteps": 9, "scenario": "depot", "lead_times": 0},
    "production": {"problem": "restock/Production-v0", "max_steps": 20},
    "minimal": {"problem": "restock/Minimal-v0", "horizon": 12},
    "retail": {"problem": "restock/Retail-v0", "task": "hard"},
    "outside": {"problem": "outside", "horizon": 9},
}
UNITS = r"unit|day|period|money|mission|point|yes or no|name|word|multiple|1 ="


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A problem folder as `restock new` writes it."""
    folder: Path = tmp_path_factory.mktemp("new") / "corner"
    for place, text in texts("corner").items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(params=list(CASES))
def env(request: pytest.FixtureRequest, outside: Path) -> StructuredEnvironment:
    given = dict(CASES[request.param])
    if given["problem"] == "outside":
        given["problem"] = outside
    return StructuredEnvironment(given.pop("problem"), **given)


def decisions(env: StructuredEnvironment, seed: int) -> Any:
    """Decisions in physical units, some of them above the bounds of the action space, shape (T, A)."""
    form = env.problem.action_form(env.records.form.kind)
    random = np.random.default_rng(seed)
    size = (env.problem.horizon, len(form.labels))
    if form.discrete:
        return random.integers(0, form.high + 1, size).astype(float)
    above = 1.0 if env.records.form.high[0] == form.high[0] else 1.5
    return np.round(random.uniform(0.0, form.most * above, size) * (random.random(size) < 0.7))


def test_records_say_what_every_field_is(env: StructuredEnvironment) -> None:
    for record in (env.action_type, env.observation_type):
        for name, field in record.model_fields.items():
            assert re.search(UNITS, field.description or ""), name
        assert record.model_json_schema()["additionalProperties"] is False
    assert {"reward", "done"} <= set(env.observation_type.model_fields)
    for name in (*env.action_type.model_fields, *env.observation_type.model_fields):
        assert f"  {name}: " in env.explain()


def test_records_go_through_json_and_back(env: StructuredEnvironment) -> None:
    seen = env.reset(seed=3)
    assert not seen.done and seen.reward == 0.0
    for decision in decisions(env, 0):
        action = env.records.action(decision)
        assert env.action_type.model_validate_json(action.model_dump_json()) == action
        seen = env.step(action.model_dump(mode="json"))
        assert env.observation_type.model_validate_json(seen.model_dump_json()) == seen
        if seen.done:
            break
    assert seen.done and env.done and env.played.done


def test_a_decision_and_its_record_are_the_same(env: StructuredEnvironment) -> None:
    for decision in decisions(env, 1):
        said = env.records.decision(env.records.action(decision))
        if env.problem.family == "retail":  # which holds prices to their range itself
            decision[-len(env.problem.names) :] = said[-len(env.problem.names) :]  # type: ignore[attr-defined]
            decision[len(env.problem.names)] = said[len(env.problem.names)]  # type: ignore[attr-defined]
        assert said.tolist() == decision.tolist()


def test_the_same_periods_as_with_arrays(env: StructuredEnvironment) -> None:
    """State, flows and rewards are those of the Gymnasium environment under the same decisions."""
    plain = Environment(env.problem, action=env.records.form, observation="dict")
    obs, _ = plain.reset(seed=5)
    seen = env.reset(seed=5)
    SAME[env.problem.family](env, seen, obs, {})
    for decision in decisions(env, 2):
        action = env.records.action(decision)
        obs, reward, terminated, truncated, info = plain.step(env.records.decision(action).reshape(env._shape))
        seen = env.step(action)
        assert (seen.reward, seen.done) == (reward, terminated or truncated)
        assert env.trajectory["reward"].tolist() == plain.trajectory["reward"].tolist()
        SAME[env.problem.family](env, seen, obs, info)
        if seen.done:
            return


def told(values: Any) -> list[float]:
    """Numbers as float32, as an array environment shows them."""
    flat = [number for value in values for number in (value if isinstance(value, list) else [value])]
    return np.array(flat, dtype=np.float32).tolist()  # type: ignore[no-any-return]


def same_network(env: StructuredEnvironment, seen: Any, obs: Any, info: Any) -> None:
    waiting = seen.backlog if env.problem.spec.backlog else seen.unmet  # type: ignore[attr-defined]
    for name, values in {"demand": seen.demand, "unmet": waiting, "on_hand": seen.on_hand}.items():
        assert told(values.values()) == obs[name].tolist()
    assert told(seen.arriving.values()) == obs["arrivals"].tolist()
    assert (told([seen.period]), told([seen.goodwill])) == (obs["period"].tolist(), obs["goodwill"].tolist())
    for link, amounts in seen.arriving.items():
        assert sum(amounts) == pytest.approx(seen.in_transit[link])
    if info:
        assert seen.profit == {name: info["profit"][name] for name in env.problem.parts}
        played = env.trajectory
        for name in ("shipped", "sold", "unmet", "demand"):
            assert list(getattr(seen, name).values()) == played[name][-1].tolist()
        links, markets = env.problem.links, env.problem.markets  # type: ignore[attr-defined]
        for node in env.problem.nodes:  # type: ignore[attr-defined]
            coming = sum(seen.in_transit[f"{a}->{b}"] for a, b in links if b == node)
            owed = sum(seen.backlog[f"{a}->{m}"] for a, m in markets if a == node)
            assert seen.inventory_position[str(node)] == pytest.approx(seen.on_hand[str(node)] + coming - owed)


def same_sharing(env: StructuredEnvironment, seen: Any, obs: Any, info: Any) -> None:
    blocks = {"inventory": "on_hand", "expected_demand": "expected_demand", "pipeline_inventory": "in_transit"}
    for block, name in blocks.items():
        assert told(getattr(seen, name).values()) == obs[block].tolist()
    assert (seen.depot is None) == (env.problem.spec.scenario != "depot")  # type: ignore[attr-defined]
    if info:
        for name in ("filled", "stockouts"):
            assert list(getattr(seen, name).values()) == np.asarray(info[name]).tolist()
        assert seen.parts == {name: info["profit"][name] for name in env.problem.parts}
        n = len(seen.on_hand)
        shipped = np.asarray(info["shipments"]).reshape(n, n)
        assert {f"{j}->{i}": shipped[i, j] for i in range(n) for j in range(n) if shipped[i, j]} == seen.shipped
        assert seen.cost["unit"] == pytest.approx(np.sum(info["cost"]["unit"]))


def same_production(env: StructuredEnvironment, seen: Any, obs: Any, info: Any) -> None:
    assert told([seen.raw_material, seen.product]) == obs["on_hand"].tolist()
    assert told([seen.raw_price, seen.product_price]) == obs["prices"].tolist()
    assert told([seen.demand, seen.cash]) == [*obs["demand"].tolist(), *obs["cash"].tolist()]
    if info:
        assert (seen.sold, seen.unmet) == (info["sold_units"], info["unmet_demand"])
        assert seen.carried_out is not info["invalid_action"]


def same_minimal(env: StructuredEnvironment, seen: Any, obs: Any, info: Any) -> None:
    assert told([seen.on_hand]) == obs["on_hand"].tolist() and 0 <= seen.on_hand <= seen.capacity
    if info:
        assert seen.parts == {name: info["profit"][name] for name in env.problem.parts}
        assert seen.sold + seen.unmet == seen.demand == env.trajectory["demand"][-1, 0]


def same_retail(env: StructuredEnvironment, seen: Any, obs: Any, info: Any) -> None:
    assert told([seen.current_day, seen.total_cash]) == [*obs["day"].tolist(), *obs["cash"].tolist()]
    assert told([seen.day_profit, seen.total_profit]) == obs["profit"].tolist()
    assert told(seen.remaining_capacity.values()) == obs["remaining_capacity"].tolist()
    assert told(seen.updated_events.values()) == obs["events"].tolist()
    stock = sum(units for batches in seen.updated_inventory.values() for units, _ in batches)
    assert stock == obs["stock"].sum()
    assert sum(units for one in seen.updated_deliveries for units, _ in one.values()) == obs["deliveries"].sum()
    if info:
        assert told(seen.demand_today.values()) == obs["demand"].tolist()
        fails = env.records.metadata(env.played)["hard_fails"]
        assert list(fails.values()) == [
            info[name] for name in ("invalid_action", "unaffordable_order", "bankrupt", "idle")
        ]


def same_outside(env: StructuredEnvironment, seen: Any, obs: Any, info: Any) -> None:
    assert told([seen.stocks["on_hand"]["on_hand"], *seen.stocks["in_transit"].values()]) == [
        *obs["on_hand"].tolist(),
        *obs["in_transit"].tolist(),
    ]
    if info:
        assert seen.flows["demand"]["demand"] == env.trajectory["demand"][-1, 0]
        assert sum(seen.parts.values()) == pytest.approx(seen.reward)


SAME = {
    "network": same_network, "sharing": same_sharing, "production": same_production, "minimal": same_minimal,
    "retail": same_retail, "corner": same_outside,
}  # fmt: skip


def test_a_policy_that_speaks_earns_what_it_earns() -> None:
    """Whole orders above every bound of the action space, to the last digit."""
    problem = restock.load_problem("divergent", horizon=12)
    base_stock = restock.make_policy("base-stock", problem)
    simulated = restock.simulate(problem, base_stock, seeds=[7])
    env = StructuredEnvironment(problem)
    env.reset(seed=7)
    total = 0.0
    for t in range(problem.horizon):
        total += env.step(env.records.action(simulated.trajectory["ordered"][0, t])).reward
    assert total == pytest.approx(float(simulated.trajectory.rewards[0].sum()), rel=0.0, abs=1e-9)
    assert env.trajectory["on_hand"].tolist() == simulated.trajectory["on_hand"][0].tolist()


def test_nothing_of_what_is_to_come_is_told(env: StructuredEnvironment) -> None:
    """Episodes that differ only later look the same until then."""
    drawn = []
    for seed in (1, 2):
        env.reset(seed=seed)
        while not env.done:
            env.step({})
        drawn.append({name: np.array(env.trajectory.exogenous[name]) for name in env.problem.exogenous})
    seen = []
    for episode in drawn:
        env.reset(exogenous={name: mixed(drawn[0][name], values) for name, values in episode.items()})
        seen.append([env.observe(), env.step({}), env.step({})])
    assert seen[0] == seen[1]


def mixed(first: Any, other: Any) -> Any:
    """The first episode, from the fifth period on the other one."""
    return np.concatenate([first[:4], other[4:]]) if first.ndim and first.shape == other.shape else first


BAD: list[tuple[str, Any, str]] = [
    ("network", {"orders": {"4->1": -1}}, "action.orders.4->1"),
    ("network", {"orders": {"4->1": float("nan")}}, "action.orders.4->1"),
    ("network", {"orders": {"4->1": 2.0 * MOST_UNITS}}, "action.orders.4->1"),
    ("network", {"orders": {"4->1": "3"}}, "action.orders.4->1"),
    ("network", {"orders": {"1->4": 3}}, "action.orders.1->4"),
    ("network", {"order": {}}, "action.order"),
    ("network", {"orders": [1, 2]}, "action.orders"),
    ("network", None, "action"),
    ("sharing", {"shipments": {"0->9": 1.0}}, "action.shipments.0->9"),
    ("sharing", {"shipments": {"0->1": -0.5}}, "action.shipments.0->1"),
    ("sharing", {"shipments": {"0->1": True}}, "action.shipments.0->1"),
    ("production", {"choice": "sell"}, "action.choice"),
    ("production", {"choice": 1}, "action.choice"),
    ("production", {"do": "buy"}, "action.do"),
    ("minimal", {"order": 6}, "action.order"),
    ("minimal", {"order": -1}, "action.order"),
    ("minimal", {"order": 1.5}, "action.order"),
    ("outside", {"decision": {"order": 1.0}}, "action.decision.order"),
    ("outside", {"decision": {"order (units)": 1e6}}, "action.decision.order (units)"),
    ("outside", {"decision": {"order (units)": float("inf")}}, "action.decision.order (units)"),
]


@pytest.mark.parametrize(("case", "action", "field"), BAD, ids=[f"{case}-{str(what)[:30]}" for case, what, _ in BAD])
def test_bad_actions_change_nothing(case: str, action: Any, field: str, outside: Path) -> None:
    given = dict(CASES[case])
    problem = given.pop("problem")
    env = StructuredEnvironment(outside if problem == "outside" else problem, **given)
    env.reset(seed=0)
    env.step({})
    before = env.observe()
    with pytest.raises(restock.InvalidInput) as found:
        env.step(action)
    assert found.value.field == field and found.value.mend
    assert env.observe() == before and env.period == 1


def test_the_nearest_name_is_told() -> None:
    env = StructuredEnvironment("divergent")
    env.reset(seed=0)
    link = next(iter(env.problem.labels()["ordered"]))
    with pytest.raises(restock.InvalidInput, match=re.escape(f"Did you mean {link!r}?")):
        env.step({"orders": {link.replace("->", " > "): 1.0}})


def test_no_step_before_the_first_or_after_the_last(env: StructuredEnvironment) -> None:
    with pytest.raises(restock.InvalidInput, match="no episode has begun"):
        env.step({})
    env.reset(seed=0)
    while not env.done:
        env.step({})
    with pytest.raises(restock.InvalidInput, match="the episode is over"):
        env.step({})


def test_long_episodes_of_a_store_tell_the_batches_that_are_there() -> None:
    """Who looks every day tells the same as who looks once."""
    env = StructuredEnvironment("retail-hard", horizon=120, demand_stream="fast", events={})
    env.reset(seed=4)
    random = np.random.default_rng(0)
    for _ in range(120):
        way = ("slow", "medium", "fast")[random.integers(3)]
        names = env.problem.names  # type: ignore[attr-defined]
        seen = env.step({"buy_quantities": {name: int(random.integers(40)) for name in names}, "delivery_method": way})
        for k, name in enumerate(names):
            assert sum(units for units, _ in seen.updated_inventory[name]) == env.trajectory["on_hand"][-1, k]
        groceries = [left for _, left in seen.updated_inventory["groceries"]]
        assert groceries == sorted(groceries) and all(left is not None and 0 <= left <= 5 for left in groceries)
        coming = sum(units for one in seen.updated_deliveries for units, _ in one.values())
        assert coming == env.trajectory["in_transit"][-1].sum()
        if env.period % 10 == 0:
            assert env.problem.records().observation(env.played) == seen  # by who looks for the first time
