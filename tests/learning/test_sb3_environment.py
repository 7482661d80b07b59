"""The native vector environment behind the interface of stable-baselines3."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

import restock
from restock.core.errors import InvalidInput
from restock.envs.vector import VectorEnvironment
from restock.learning.paths import trainable
from restock.learning.prepared import PreparedEnvironment
from restock.learning.regimes import combinations, general
from restock.learning.sb3 import stable_environment

ROWS = 5


def actions(space: Any, rows: int = ROWS, seed: int = 0) -> Any:
    space.seed(seed)
    return np.stack([space.sample() for _ in range(rows)])


@pytest.mark.parametrize("form", ["normalized", "order-up-to", "multidiscrete"])
@pytest.mark.parametrize("name", ["serial", "divergent"])
def test_it_is_the_vector_environment_stepped_by_hand(name: str, form: str) -> None:
    problem = trainable(restock.load_problem(name, horizon=7))
    mine = stable_environment(problem, ROWS, {"action": form, "reward_scale": 0.5})
    hand = VectorEnvironment(problem, ROWS, "SAME_STEP", action=form, observation="scaled")
    mine.seed(11)
    seen = mine.reset()
    expected, _ = hand.reset(seed=11)
    assert np.array_equal(seen, expected)
    ended = 0
    for k in range(23):  # three ends of episodes
        chosen = actions(mine.action_space, seed=k)
        theirs = chosen
        if form == "order-up-to":
            theirs = ((chosen + 1.0) * (hand.action_form.most / 2.0)).astype(np.float32)
        seen, rewards, over, infos = mine.step(chosen)
        expected, money, terminated, truncated, told = hand.step(theirs)
        assert np.array_equal(seen, expected)
        assert rewards.dtype == np.float32 and np.allclose(rewards, 0.5 * money, rtol=1e-6)
        assert np.array_equal(over, terminated | truncated)
        if over.any():
            ended += 1
            for row in range(ROWS):
                assert np.array_equal(infos[row]["terminal_observation"], told["final_obs"][row])
                assert infos[row]["TimeLimit.truncated"] is False
                assert infos[row]["episode"]["l"] == 7
        else:
            assert infos == [{}] * ROWS
    assert ended == 3


def test_the_return_of_an_episode_is_told_in_money() -> None:
    rows = stable_environment("serial", 3)
    rows.seed(1)
    rows.reset()
    total = np.zeros(3)
    for k in range(30):
        _, rewards, _, infos = rows.step(actions(rows.action_space, 3, k))
        total += rewards / rows.prepared.reward_scale
    assert [info["episode"]["r"] for info in infos] == pytest.approx(total.tolist(), rel=1e-4)


def test_a_cut_is_told_where_the_future_counts() -> None:
    rows = stable_environment(restock.load_problem("serial", horizon=2), 2, {"bootstrap": True})
    rows.reset()
    rows.step(actions(rows.action_space, 2))
    assert rows.step(actions(rows.action_space, 2))[3][1]["TimeLimit.truncated"] is True


def test_a_zero_correction_is_the_policy_that_is_corrected() -> None:
    problem = trainable(restock.load_problem("divergent"))
    rows = stable_environment(problem, 8, {"residual": "holt-base-stock", "recent": 3}, information="blind")
    rows.seed(5)
    rows.reset()
    earned = []
    for _ in range(2):
        for _ in range(30):
            _, _, _, infos = rows.step(np.zeros((8, 11), np.float32))
        earned.append([info["episode"]["r"] for info in infos])
    alone = restock.simulate(problem, "holt-base-stock", seeds=range(5, 13))
    assert earned[0] == pytest.approx(alone.profit.tolist(), rel=1e-9)
    assert earned[1] != pytest.approx(earned[0])


def test_a_stack_begins_with_its_first_observation_and_moves_on() -> None:
    plain, stacked = (stable_environment("serial", 2, {"frame_stack": size}) for size in (1, 3))
    for rows in (plain, stacked):
        rows.seed(2)
    one, three = plain.reset(), stacked.reset()
    size = one.shape[1]
    assert np.array_equal(three, np.tile(one, 3))
    history = [one, one, one]
    for k in range(33):
        chosen = actions(plain.action_space, 2, k)
        one, _, over, _ = plain.step(chosen)
        three, _, _, infos = stacked.step(chosen)
        history = [one] * 3 if over.any() else [*history[1:], one]
        assert np.array_equal(three, np.concatenate(history, axis=1))
        if over.any():
            assert infos[0]["terminal_observation"].shape == (3 * size,)


def test_recent_demand_is_newest_first_and_freed_of_goodwill() -> None:
    problem = general(restock.load_problem("serial"))
    rows = stable_environment(problem, 4, {"recent": 2}, combinations(problem), "blind")
    rows.seed(3)
    rows.reset()
    demands, feels = [], []
    for k in range(3):
        seen, *_ = rows.step(actions(rows.action_space, 4, k))
        record = rows.native.record[:, k + 1]
        columns = problem.layout.columns
        demands.append(record[:, columns["demand"]][:, 0] / record[:, columns["sentiment"]][:, 0] / 20.0)
        feels.append(seen)
    tail = seen[:, -5:]
    assert np.allclose(tail[:, 0], demands[2]) and np.allclose(tail[:, 1], demands[1])
    assert np.allclose(tail[:, 2], np.mean(demands, axis=0))
    assert set(np.unique(tail[:, 3:])) <= {0.0, 1.0}


def test_every_problem_of_several_is_met() -> None:
    problem = restock.load_problem("serial")
    rows = stable_environment(general(problem), 64, {"recent": 1}, combinations(problem), "blind")
    rows.seed(0)
    seen = rows.reset()
    assert {tuple(rules) for rules in seen[:, -2:].tolist()} == {(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)}
    again = stable_environment(general(problem), 64, {"recent": 1}, combinations(problem), "blind")
    again.seed(0)
    assert np.array_equal(seen, again.reset())


def test_orders_that_come_too_late_are_masked() -> None:
    problem = restock.load_problem("serial")
    rows = stable_environment(problem, 2, {"action": "multidiscrete"})
    rows.reset()
    assert rows.action_masks().all()
    for k in range(29):
        rows.step(actions(rows.action_space, 2, k))
    last = rows.action_masks().reshape(2, -1, 21)
    lead = np.array(rows.prepared.lead)
    assert last[0, :, 0].all() and not last[0, lead > 0, 1:].any() and last[0, lead == 0].all()


def test_the_checker_of_stable_baselines_passes() -> None:
    import gymnasium as gym
    from stable_baselines3.common.env_checker import check_env

    for form in ("normalized", "discrete", "multidiscrete"):
        wrapped = PreparedEnvironment(gym.make("restock/Serial-v0"), action=form, frame_stack=2)
        check_env(wrapped)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"action": "quantitty"}, "action"),
        ({"residual": "hindsight"}, "residual"),
        ({"residual": "base-stok"}, "policy"),
        ({"residual": "base-stock", "action": "order-up-to"}, "residual"),
        ({"frame_stack": 0}, "frame_stack"),
    ],
)
def test_bad_forms_are_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as told:
        stable_environment("serial", 2, given)
    assert field in told.value.field
