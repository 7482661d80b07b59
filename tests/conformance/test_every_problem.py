"""What holds for every problem, whoever wrote it: the same tests over all of them."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import restock
from restock.core import backends
from restock.core.play import draw, play, recorded
from restock.core.problem import Problem
from restock.core.rowwise import RowWise
from restock.evaluation.audit import audit
from restock.policies.registry import usual_policies
from restock.problems.load import IDS, families, family_of_id, load_problem
from tests.conformance.cases import CASES
from tests.envs.lockstep import MODES, in_lockstep, row, same, sampled, told

ROWS = 3
CLOSE = {"rtol": 1e-12, "atol": 1e-9}


def problem_of(case: str) -> Problem:
    id, given = CASES[case]
    return load_problem(id, **given)


def made(case: str, **more: Any) -> Any:
    id, given = CASES[case]
    return gym.make(id, **given, **more).unwrapped


def plans_of(problem: Problem, seed: int, rows: int = ROWS) -> Any:
    """Decisions in physical units, shape (rows, T, A): what the first action form can ask for."""
    form = problem.action_form(problem.action_kinds[0])
    size = (rows, problem.horizon, len(form.most))
    generator = np.random.default_rng(seed)
    if form.discrete:
        return generator.integers(0, form.most + 1, size).astype(np.float64)
    return generator.uniform(0.0, form.most, size) * (generator.random(size) < 0.7)


def test_there_is_a_case_of_every_kind() -> None:
    assert {family_of_id(id) for id, _ in CASES.values()} == set(families()) == {family_of_id(id) for id in IDS}


# environments -------------------------------------------------------------------------------------

FORMS = [
    (case, action, observation)
    for case in CASES
    for action in problem_of(case).action_kinds
    for observation in problem_of(case).observation_kinds
]


@pytest.mark.parametrize(("case", "action", "observation"), FORMS)
def test_rows_of_a_vector_are_single_environments(case: str, action: str, observation: str) -> None:
    id, given = CASES[case]
    forms = {"action": action, "observation": observation}
    for mode in MODES:
        vector: Any = gym.make_vec(id, num_envs=ROWS, autoreset_mode=mode, **given, **forms)
        singles = [made(case, **forms) for _ in range(ROWS)]
        obs, _ = vector.reset(seed=5)
        for i, single in enumerate(singles):
            assert same(row(obs, i), single.reset(seed=5 + i)[0])
        assert in_lockstep(vector, singles, mode, 25, sampled(vector.action_space, 1)) >= ROWS
        assert pickle.loads(pickle.dumps(vector)).step(vector.action_space.sample())[0] is not None


@pytest.mark.parametrize("case", CASES)
def test_an_episode_repeats_from_its_seed_and_from_its_record(case: str) -> None:
    env = made(case)
    env.action_space.seed(2)
    actions = [env.action_space.sample() for _ in range(env.problem.horizon)]

    def plain(obs: Any) -> Any:
        return told(obs) if isinstance(obs, dict) else obs.tolist()

    def played(**how: Any) -> list[Any]:
        seen: list[Any] = [plain(env.reset(**how)[0])]
        for action in actions:
            obs, *step, info = env.step(action)
            seen.append((plain(obs), *step, told(info)))
            if step[1] or step[2]:
                break
        return seen

    first = played(seed=11)
    exogenous = {name: env.trajectory.exogenous[name] for name in env.problem.exogenous}
    assert played(seed=11) == first
    assert played(options={"exogenous": exogenous}) == first
    assert played(seed=12) != first


@pytest.mark.parametrize("case", CASES)
def test_copies_go_on_alike(case: str) -> None:
    env = made(case)
    env.reset(seed=3)
    env.action_space.seed(0)
    env.step(env.action_space.sample())
    for twin in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        original = copy.deepcopy(env)
        action = env.action_space.sample()
        one, two = original.step(action), twin.step(action)
        assert same(one[0], two[0]) and one[1:4] == two[1:4] and told(one[4]) == told(two[4])


@pytest.mark.parametrize("case", CASES)
def test_parts_add_up_and_every_number_has_a_name(case: str) -> None:
    env = made(case, observation="flat")
    obs, _ = env.reset(seed=0)
    assert len(set(env.obs_names())) == len(obs) == len(env.observe())
    np.testing.assert_allclose(obs, env.observe(), rtol=1e-6)
    env.action_space.seed(0)
    over = False
    while not over:
        obs, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert obs in env.observation_space
        parts = dict(info["profit"])
        assert parts.pop("total") == reward
        assert sum(parts.values()) == pytest.approx(reward, rel=1e-12, abs=1e-9)
        over = terminated or truncated
    with pytest.raises(restock.InvalidInput, match="the episode is over"):
        env.step(env.action_space.sample())
    assert env.kpis()["profit"] == pytest.approx(env.trajectory.rewards.sum())
    for name in env.trajectory:
        assert env.trajectory[name].shape[-1] == len(env.trajectory.labels(name)), name


@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
@pytest.mark.parametrize("case", CASES)
def test_pictures(case: str, mode: str) -> None:
    env = made(case, render_mode=mode)
    env.reset(seed=0)
    first = env.render()
    env.action_space.seed(0)
    for _ in range(2):
        env.step(env.action_space.sample())
    second = env.render()
    assert type(first) is type(second) and not np.array_equal(first, second)
    assert "period 2 of" in second if mode == "ansi" else second.dtype == np.uint8 and second.shape[2] == 3


@pytest.mark.parametrize("case", CASES)
def test_what_is_not_an_action_is_refused_and_changes_nothing(case: str) -> None:
    env = made(case)
    with pytest.raises(restock.InvalidInput, match="no episode has begun"):
        env.step(env.action_space.sample())
    env.reset(seed=1)
    shape = env.action_space.shape
    before = env.observe().tolist()
    for wrong in (np.full(shape, np.nan), np.full(shape, np.inf), np.zeros((*shape, 2)), "order", None, [[0.0], []]):
        with pytest.raises(restock.InvalidInput) as found:
            env.step(wrong)
        assert found.value.mend and env.observe().tolist() == before and env.period == 0
    for options in ({"exogenous": {"nothing": [1]}}, {"exogenous": 3}, {"seed": 3}, 7):
        with pytest.raises(restock.InvalidInput):
            env.reset(options=options)
        assert env.observe().tolist() == before


@pytest.mark.filterwarnings("ignore:.*not in the possible render_modes")
def test_unknown_forms_and_keywords_are_refused() -> None:
    for id in IDS:
        for name, value in {"action": "tea", "observation": "tea", "render_mode": "tea", "tea": 1}.items():
            with pytest.raises(restock.InvalidInput) as found:
                gym.make(id, **{name: value})
            assert found.value.field == name


# back ends ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_back_ends_agree(case: str) -> None:
    problem = problem_of(case)
    episodes = draw(problem, ROWS, 7)
    plans = plans_of(problem, 1)
    trajectory = play(problem, episodes, plans)
    expected = np.zeros((ROWS, problem.horizon))
    lengths = np.full(ROWS, problem.horizon)
    for b, memory in enumerate(problem.rows(episodes.vectors)):
        for lists in (False, True):
            world = problem.world(memory.copy())
            world = backends.as_lists(world) if lists else world
            for t in range(problem.horizon):
                problem.texts.put(plans[b, t].tolist(), *world)
                expected[b, t] = problem.texts.step(t, *world)
                if problem.texts.ends(t, *world):
                    lengths[b] = t + 1
                    break
    np.testing.assert_allclose(trajectory.rewards, expected, **CLOSE)
    assert trajectory.lengths.tolist() == lengths.tolist()
    whole = lengths == problem.horizon  # whole batches play on behind an early end
    batch = np.asarray(RowWise(problem, episodes.vectors).play(plans))
    np.testing.assert_allclose(batch[whole], expected[whole], **CLOSE)


@pytest.mark.parametrize("case", CASES)
def test_a_recorded_batch_is_met_again(case: str) -> None:
    problem = problem_of(case)
    episodes, plans = draw(problem, ROWS, 3), plans_of(problem, 2)
    first = play(problem, episodes, plans)
    again = play(problem, recorded(problem, {name: first.exogenous[name] for name in problem.exogenous}), plans)
    np.testing.assert_allclose(again.rewards, first.rewards, **CLOSE)
    for name in first:
        np.testing.assert_allclose(again[name], first[name], err_msg=name, **CLOSE)


# policies -----------------------------------------------------------------------------------------

POLICIES = [(case, name) for case in CASES for name in restock.list_policies(problem_of(case).family)]
ELSEWHERE = {"rolling", "stochastic", "published-dlp", "published-mssp", "optimal"}  # tested on networks of their own


@pytest.mark.parametrize(("case", "name"), [given for given in POLICIES if given[1] not in ELSEWHERE])
def test_policies_play_and_know_no_more_than_they_say(case: str, name: str) -> None:
    problem = problem_of(case)
    result = restock.simulate(problem, name, episodes=ROWS, seed=1)
    assert np.isfinite(result.profit).all() and result.policy.name == name
    assert (restock.simulate(problem, name, episodes=ROWS, seed=1).profit == result.profit).all()
    assert audit(lambda of: restock.make_policy(name, of), problem) == ()


@pytest.mark.parametrize("case", CASES)
def test_comparisons(case: str) -> None:
    problem = problem_of(case)
    table = restock.compare(problem, usual_policies(problem.family), episodes=4, seed=2)
    names = {row.name for row in table.rows}
    assert names >= set(usual_policies(problem.family)) and not table.exceeded
    assert ("hindsight" in names) == ("hindsight" in restock.list_policies(problem.family))
