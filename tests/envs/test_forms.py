"""What actions and observations mean in each of their forms."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import restock
from restock.conformance.lockstep import same
from restock.problems.load import IDS
from restock.problems.network import forms
from restock.problems.network.load import instances

FORMS = ("flat", "scaled", "dict")


def made(**kwargs: Any) -> Any:
    env = gym.make("restock/Divergent-v0", **kwargs)
    env.reset(seed=3)
    return env


def ordered(env: Any) -> Any:
    """Orders of the last period, shape (E,)."""
    return env.unwrapped.trajectory["ordered"][-1]


# observations -------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("form", FORMS)
def test_every_number_has_a_name(id: str, form: str) -> None:
    env = gym.make(id, observation=form)
    names = env.unwrapped.obs_names()
    obs, _ = env.reset(seed=0)
    size = sum(len(block) for block in obs.values()) if form == "dict" else len(obs)
    assert len(names) == size == len(set(names))
    assert gym.make_vec(id, num_envs=2, observation=form).unwrapped.obs_names() == names
    assert len(env.unwrapped.action_names()) == math.prod(env.action_space.shape)


def test_the_names_tell_the_truth() -> None:
    env = made(demand={"mean": 30, "goodwill": True})
    env.action_space.seed(0)
    for _ in range(9):
        obs, *_ = env.step(env.action_space.sample())
    number = dict(zip(env.unwrapped.obs_names(), obs, strict=True))
    trajectory = env.unwrapped.trajectory
    labels = trajectory.labels("on_hand")
    for j, node in enumerate(labels):
        assert number[f"on hand {node}"] == np.float32(trajectory["on_hand"][-1, j])
    assert number["demand 1 -> 0"] == np.float32(trajectory["demand"][-1, 0])
    assert number["backlog 1 -> 0"] == np.float32(trajectory["backlog"][-1, 0])
    assert number["goodwill"] == np.float32(trajectory["sentiment"][-1, 0])
    assert number["period"] == 9.0
    # Lead time 5: what was shipped k periods ago arrives in 5 - k.
    link = trajectory.labels("shipped").index("2->1")
    assert number["arriving next 2 -> 1"] == np.float32(trajectory["shipped"][-5, link])
    assert number["arriving in 5 periods 2 -> 1"] == np.float32(trajectory["shipped"][-1, link])


def test_forms_of_one_observation() -> None:
    envs = {form: made(observation=form, demand={"goodwill": True}) for form in FORMS}
    scale = envs["scaled"].unwrapped.observation_form.scale
    groups = envs["flat"].unwrapped.observation_form.groups
    for t in range(30):
        envs["flat"].action_space.seed(t)
        action = envs["flat"].action_space.sample()
        seen = {form: env.step(action)[0] for form, env in envs.items()}
        assert np.allclose(seen["scaled"], seen["flat"] * scale, rtol=1e-6)
        assert seen["dict"].keys() == envs["dict"].observation_space.spaces.keys() == groups.keys()
        for name, block in groups.items():
            assert same(seen["dict"][name], seen["flat"][block])
        for form, env in envs.items():
            assert seen[form] in env.observation_space
        assert envs["scaled"].unwrapped.observe().dtype == np.float64
    assert np.abs(seen["scaled"]).max() < 60.0  # in yardsticks, not thousands of units


def test_scaling_is_fixed_by_the_instance() -> None:
    first, second = made(observation="scaled"), made(observation="scaled")
    for _ in range(10):
        first.step(first.action_space.high)
    assert np.array_equal(first.unwrapped.observation_form.scale, second.unwrapped.observation_form.scale)
    assert same(first.reset(seed=5)[0], second.reset(seed=5)[0])


# actions ------------------------------------------------------------------------------------------


def test_quantity_is_units_and_is_clipped_to_its_bounds() -> None:
    env = made()
    high = env.action_space.high.astype(np.float64)
    assert env.action_space.low.max() == 0.0 and np.isfinite(high).all()
    env.step(np.full(11, 7.25))
    assert (ordered(env) == 7.25).all()
    env.step(np.full(11, 1e9))
    assert np.array_equal(ordered(env), high)
    env.step(np.full(11, -3.0))
    assert (ordered(env) == 0.0).all()


def test_kinds_of_numbers_that_an_action_may_be() -> None:
    """Lists, integers, float32 and float64 are the same decision."""
    runs = []
    for action in ([3] * 11, np.full(11, 3), np.full(11, 3.0), np.full(11, 3.0, np.float32), tuple([3.0] * 11)):
        env = made()
        env.step(env.action_space.high)
        runs.append((env.step(action)[1], ordered(env).tolist()))
    assert all(run == runs[0] for run in runs)


def test_normalized_spans_the_same_range() -> None:
    plain, unit = made(), made(action="normalized")
    assert (unit.action_space.low == -1.0).all() and (unit.action_space.high == 1.0).all()
    for share in (0.0, 0.25, 1.0):
        plain.step(share * plain.action_space.high)
        unit.step(np.full(11, 2.0 * share - 1.0, np.float32))
        assert np.allclose(ordered(unit), ordered(plain), rtol=1e-7)
    unit.step(np.full(11, -1.0, np.float32))
    assert (ordered(unit) == 0.0).all()


def test_multidiscrete_orders_in_equal_steps() -> None:
    env, plain = made(action="multidiscrete"), made()
    assert (env.action_space.nvec == 21).all()
    for step in (0, 7, 20):
        env.step(np.full(11, step))
        plain.step(step / 20.0 * plain.action_space.high)
        assert np.allclose(ordered(env), ordered(plain), rtol=1e-7)


def test_order_up_to_raises_the_inventory_position() -> None:
    env = gym.make("restock/Serial-v0", action="order-up-to", demand={"mean": 30})
    env.reset(seed=1)
    levels = np.array([150.0, 260.0, 200.0])  # of nodes 1, 2 and 3
    for _ in range(12):
        t = env.unwrapped.trajectory
        position = t["on_hand"][-1] + t["in_transit"][-1] - np.array([t["backlog"][-1, 0], 0.0, 0.0])
        env.step(levels)
        assert np.allclose(ordered(env), np.maximum(levels - position, 0.0), atol=1e-12)


def test_max_order_bounds_each_link() -> None:
    env = made(max_order=5)
    assert (env.action_space.high == 5.0).all()
    env.step(np.full(11, 9.0))
    assert (ordered(env) == 5.0).all()
    each = np.arange(1.0, 12.0)
    env = made(max_order=each, action="normalized")
    env.step(np.ones(11))
    assert np.array_equal(ordered(env), each)


@pytest.mark.parametrize("instance", instances())
def test_default_bounds_suit_the_instance(instance: str) -> None:
    """Enough to keep up with peak demand through every link, and not orders of magnitude more."""
    problem = restock.load_problem(instance)
    bounds, flow = forms.order_bounds(problem), forms.peak_flow(problem)
    for bound, (_, buyer) in zip(bounds, problem.links, strict=True):
        rate = flow[problem.nodes.index(buyer)]
        assert 0 < bound <= 10.0 * rate + 1.0


# words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["quantity", "normalized", "order-up-to", "multidiscrete"])
@pytest.mark.parametrize("observation", FORMS)
def test_explain_mentions_every_block(action: str, observation: str) -> None:
    env = made(action=action, observation=observation).unwrapped
    words = env.explain()
    for name, block in env.observation_form.groups.items():
        assert f"[{block.start}]" in words and name in words
    for label in env.action_form.labels:
        assert label in words
    assert action in words and observation in words
    for node in env.problem.nodes:
        assert f"{node} (stock" in words
    vector = gym.make_vec("restock/Divergent-v0", num_envs=3, action=action, observation=observation).unwrapped
    assert "3 rows" in vector.explain() and words.split("\n\n")[-1] in vector.explain()


# bad calls ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", ["numpy", "sequential"])
@pytest.mark.parametrize(
    ("action", "field"),
    [
        (np.zeros(10), "action"),
        (np.zeros((11, 1)), "action"),
        (3.0, "action"),
        ("buy", "action"),
        (None, "action"),
        ([[1.0], [2.0, 3.0]], "action"),
        (np.full(11, np.nan), "action[0]"),
        (np.array([0.0] * 4 + [np.inf] + [0.0] * 6, np.float32), "action[4]"),
        (np.zeros(11, complex), "action"),
    ],
)
def test_a_bad_action_changes_nothing(action: Any, field: str, sampler: str) -> None:
    envs = [made(demand={"goodwill": True, "sampler": sampler}).unwrapped for _ in range(2)]
    for env in envs:
        env.step(np.full(11, 20.0))
    with pytest.raises(restock.InvalidInput) as caught:
        envs[0].step(action)
    assert caught.value.field == field
    if "[" in field:
        assert "->" in str(caught.value)  # names the link
    for _ in range(29):
        ours, others = (env.step(np.full(11, 25.0)) for env in envs)
        assert same(ours[0], others[0]) and ours[1] == others[1]


def test_stepping_out_of_an_episode() -> None:
    env = gym.make("restock/Serial-v0", horizon=2).unwrapped
    with pytest.raises(restock.InvalidInput, match="no episode has begun"):
        env.step(np.zeros(3))
    env.reset(seed=0)
    env.step(np.zeros(3))
    assert env.step(np.zeros(3))[3] is True
    with pytest.raises(restock.InvalidInput, match="the episode is over"):
        env.step(np.zeros(3))


@pytest.mark.parametrize(
    ("kwargs", "field"),
    [
        ({"render_mode": "human3d"}, "render_mode"),
        ({"action": "orders"}, "action"),
        ({"action": 3}, "action"),
        ({"observation": "Flat"}, "observation"),
        ({"max_order": 0}, "max_order"),
        ({"max_order": float("nan")}, "max_order"),
        ({"max_order": [1.0, 2.0]}, "max_order"),
        ({"maxorder": 3}, "maxorder"),
        ({"instance": "divergent"}, "instance"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Gymnasium warns of an unknown render mode first
def test_bad_arguments(kwargs: dict[str, Any], field: str) -> None:
    with pytest.raises(restock.InvalidInput) as caught:
        gym.make("restock/Serial-v0", **kwargs)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("call", "field"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"options": 3}, "options"),
        ({"options": {"exogeneous": {}}}, "options.exogeneous"),
        ({"seed": 2, "options": {"exogenous": {"demand": [1.0]}}}, "exogenous.demand"),
        ({"seed": 2, "options": {"exogenous": {"demand": [-1.0] * 30}}}, "exogenous.demand"),
        ({"options": {"exogenous": {"demands": [1.0] * 30}}}, "exogenous.demands"),
        ({"options": {"exogenous": {}}}, "exogenous.demand"),
    ],
)
def test_a_bad_reset_changes_nothing(call: dict[str, Any], field: str) -> None:
    envs = [made().unwrapped for _ in range(2)]
    for env in envs:
        env.step(np.full(11, 20.0))
    with pytest.raises(restock.InvalidInput) as caught:
        envs[0].reset(**call)
    assert caught.value.field.startswith(field)
    for _ in range(29):
        ours, others = (env.step(np.full(11, 25.0)) for env in envs)
        assert same(ours[0], others[0]) and ours[1] == others[1]
    assert same(envs[0].reset()[0], envs[1].reset()[0])


def test_parts_of_the_reward_add_up() -> None:
    env = made(demand={"mean": 40}, discount=0.9)
    env.action_space.seed(0)
    for _ in range(30):
        _, reward, _, _, info = env.step(env.action_space.sample())
        parts = dict(info["profit"])
        assert parts.pop("total") == reward
        assert set(parts) == set(env.unwrapped.problem.parts)
        assert sum(parts.values()) == pytest.approx(reward, abs=1e-9)
