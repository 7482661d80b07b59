"""Actions, seeds and reset options that do not hold: refused, and the episode goes on as if nothing had been."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from tests.problems.network.refusal import INF, NAN, Odd, refused, same, shortened, undisturbed

ACTIONS: list[tuple[str, Any, str, str]] = [
    ("nothing", None, "action", "numbers"),
    ("empty list", [], "action", "(3,)"),
    ("too short", [1, 2], "action", "(3,)"),
    ("too long", np.ones(4), "action", "(3,)"),
    ("too long, compiled type", np.ones(4, np.float32), "action", "(3,)"),
    ("row", np.ones((1, 3), np.float32), "action", "(3,)"),
    ("column", np.ones((3, 1)), "action", "(3,)"),
    ("one number", 3, "action", "(3,)"),
    ("one NumPy number", np.float32(3), "action", "(3,)"),
    ("word", "abc", "action", "numbers"),
    ("words", ["1", "2", "3"], "action", "numbers"),
    ("bytes", b"abc", "action", "numbers"),
    ("nan", [1, NAN, 3], "action[1]", "order 3 -> 2"),
    ("nan, compiled type", np.array([1, 2, NAN], np.float32), "action[2]", "order 4 -> 3"),
    ("infinite", np.array([INF, 0, 0]), "action[0]", "order 2 -> 1"),
    ("minus infinite", [0, 0, -INF], "action[2]", "order 4 -> 3"),
    ("too large for any float", [10**400, 1, 2], "action", "numbers"),
    ("complex", [1j, 2, 3], "action", "numbers"),
    ("truth", np.array([True, False, True]), "action", "numbers"),
    ("objects", np.array([1, 2, 3], object), "action", "numbers"),
    ("dates", np.array(["2020-01-01"] * 3, "M8[D]"), "action", "numbers"),
    ("holes", [None, 1, 2], "action", "numbers"),
    ("mapping", {"2 -> 1": 3}, "action", "numbers"),
    ("ragged", [[1, 2], [3]], "action", "numbers"),
    ("generator", (k for k in range(3)), "action", "numbers"),
    ("odd array-like", Odd(), "action", "numbers"),
]


@pytest.mark.parametrize("sampler", ["numpy", "sequential"])
@pytest.mark.parametrize(("name", "action", "field", "problem"), ACTIONS, ids=[case[0] for case in ACTIONS])
def test_action(name, action, field, problem, sampler):
    env, twin = (gym.make("restock/Serial-v0", demand={"sampler": sampler, "goodwill": True}).unwrapped for _ in "ab")
    for world in (env, twin):
        world.reset(seed=5)
        world.step(np.full(3, 20.0))
    memory = env.memory.copy()
    refused(lambda: env.step(action), field, None, problem)
    np.testing.assert_array_equal(env.memory, memory)
    same(env.step(np.full(3, 10.0)), twin.step(np.full(3, 10.0)))


@pytest.mark.parametrize("mode", ["NEXT_STEP", "SAME_STEP", "DISABLED"])
def test_actions_of_the_vector_environment(mode):
    env = gym.make_vec("restock/Serial-v0", num_envs=2, horizon=3, autoreset_mode=mode)
    twin = gym.make_vec("restock/Serial-v0", num_envs=2, horizon=3, autoreset_mode=mode)
    good = np.full((2, 3), 20.0, np.float32)
    bad = good.copy()
    bad[1, 2] = NAN
    env.reset(seed=1), twin.reset(seed=1)
    for _ in range(3 if mode == "DISABLED" else 7):
        for action, field in [
            (None, "actions"),
            (good[0], "actions"),
            (np.ones((3, 3)), "actions"),
            ("ab", "actions"),
            (Odd(), "actions"),
            (good > 1, "actions"),
            (good + 1j, "actions"),
            (bad, "actions[1][2]"),
            (bad.tolist(), "actions[1][2]"),
        ]:
            refused(lambda action=action: env.step(action), field)
        same(env.step(good), twin.step(good))
    if mode == "DISABLED":
        refused(lambda: env.step(good), "step", "row 0", "over")


def test_steps_outside_an_episode():
    env = gym.make("restock/Serial-v0", horizon=2).unwrapped
    refused(lambda: env.step(np.ones(3)), "step", "before reset", "no episode")
    refused(lambda: env.kpis(), "trajectory", "0 periods", "nothing")
    env.reset(seed=1)
    for _ in range(2):
        env.step(np.ones(3))
    before = env.observe()
    for _ in range(3):
        refused(lambda: env.step(np.ones(3)), "step", "period 2", "over")
    np.testing.assert_array_equal(env.observe(), before)
    assert env.trajectory.periods == 2
    vector = gym.make_vec("restock/Serial-v0", num_envs=2)
    refused(lambda: vector.step(np.ones((2, 3))), "step", "before reset", "no episode")


# seeds and options ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [-1, 1.5, True, "1", NAN, [1], b"1", {}, np.float64(3), np.array(3)], ids=shortened)
def test_seed(seed):
    env = gym.make("restock/Serial-v0").unwrapped
    undisturbed(env, lambda: refused(lambda: env.reset(seed=seed), "seed", None, "integer"))


@pytest.mark.parametrize(
    ("seed", "field"),
    [
        (-1, "seed"),
        ("12", "seed"),
        ([1], "seed"),
        ([1, 2, 3], "seed"),
        ([1, -2], "seed[1]"),
        ([True, 2], "seed[0]"),
        ([1, 1.5], "seed[1]"),
        (np.array(3), "seed"),
        (np.array([1.0, 2.0]), "seed[0]"),
        ({}, "seed"),
    ],
    ids=shortened,
)
def test_vector_seed(seed, field):
    env = gym.make_vec("restock/Serial-v0", num_envs=2)
    refused(lambda: env.reset(seed=seed), field)


FIVE = [[1.0]] * 5
OPTIONS: list[tuple[Any, str, str]] = [
    ([], "options", "mapping"),
    ("x", "options", "mapping"),
    (3, "options", "mapping"),
    ({"demand": FIVE}, "options.demand", "no such option"),
    ({1: 2}, "options.1", "no such option"),
    ({"exogenous": {}}, "exogenous.demand", "required"),
    ({"exogenous": {"demnd": FIVE}}, "exogenous.demnd", "there is none"),
    ({"exogenous": {"demand": FIVE, "price": 3}}, "exogenous.price", "there is none"),
    ({"exogenous": {"demand": FIVE + FIVE}}, "exogenous.demand", "(5, 1)"),
    ({"exogenous": {"demand": [[1, 2]] * 5}}, "exogenous.demand", "(5, 1)"),
    ({"exogenous": {"demand": [-1] * 5}}, "exogenous.demand[0]", "negative"),
    ({"exogenous": {"demand": [1, 1, NAN, 1, 1]}}, "exogenous.demand[2]", "finite"),
    ({"exogenous": {"demand": [1e300] * 5}}, "exogenous.demand[0]", "at most"),
    ({"exogenous": {"demand": ["1"] * 5}}, "exogenous.demand", "numbers"),
    ({"exogenous": {"demand": [True] * 5}}, "exogenous.demand", "numbers"),
    ({"exogenous": {"demand": None}}, "exogenous.demand", "numbers"),
    ({"exogenous": {"demand": [[1], [2, 3]]}}, "exogenous.demand", "numbers"),
    ({"exogenous": {"demand": Odd()}}, "exogenous.demand", "numbers"),
]


@pytest.mark.parametrize(("options", "field", "problem"), OPTIONS, ids=[str(k) for k in range(len(OPTIONS))])
def test_reset_options(options, field, problem):
    env = gym.make("restock/Serial-v0", horizon=5).unwrapped
    undisturbed(env, lambda: refused(lambda: env.reset(seed=3, options=options), field, None, problem))
    vector = gym.make_vec("restock/Serial-v0", num_envs=2, horizon=5)
    vector.reset(seed=1)
    refused(lambda: vector.reset(seed=3, options=options), field, None, problem)


def test_exogenous_that_is_no_mapping():
    env = gym.make("restock/Serial-v0", horizon=5).unwrapped
    refused(lambda: env.reset(options={"exogenous": FIVE}), "exogenous", None, "mapping")


@pytest.mark.parametrize("mask", [[True], [0, 1], np.array([0, 1]), [False, False], "ab", 3, [[True], []], Odd()])
def test_reset_mask(mask):
    env = gym.make_vec("restock/Serial-v0", num_envs=2)
    env.reset(seed=1)
    refused(lambda: env.reset(options={"reset_mask": mask}), "options.reset_mask", None, "2 booleans")


def test_reset_mask_before_the_first_reset():
    env = gym.make_vec("restock/Serial-v0", num_envs=2)
    refused(lambda: env.reset(options={"reset_mask": np.array([True, False])}), "options.reset_mask")
