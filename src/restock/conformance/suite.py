"""The tests of every problem: environments, back ends, policies."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import pytest

from restock.conformance.lockstep import MODES, in_lockstep, row, same, sampled, told
from restock.core import backends
from restock.core.errors import InvalidInput
from restock.core.play import draw, play, recorded
from restock.core.problem import Problem
from restock.core.rowwise import RowWise
from restock.envs.single import Environment
from restock.envs.structured import StructuredEnvironment
from restock.evaluation.audit import audit
from restock.evaluation.compare import compare
from restock.evaluation.simulate import simulate
from restock.policies.registry import list_policies, make_policy, usual_policies
from restock.problems.load import load_problem

ROWS = 3
CLOSE: dict[str, Any] = {"rtol": 1e-12, "atol": 1e-9}


def plans_of(problem: Problem, seed: int, rows: int = ROWS) -> Any:
    """Return the decisions in physical units, shape (rows, T, A): what the first action form can ask for."""
    form = problem.action_form(problem.action_kinds[0])
    size = (rows, problem.horizon, len(form.most))
    generator = np.random.default_rng(seed)
    if form.discrete:
        return generator.integers(0, (form.most + 1).astype(np.int64), size).astype(np.float64)
    return generator.uniform(0.0, form.most, size) * (generator.random(size) < 0.7)


def refuses_the_unknown(id: str, given: Mapping[str, Any]) -> None:
    """Check that no unknown form or keyword is taken by `gym.make`."""
    for name, value in {"action": "tea", "observation": "tea", "render_mode": "tea", "tea": 1}.items():
        with pytest.raises(InvalidInput) as found:
            gym.make(id, **{**given, name: value})
        assert found.value.field == name


class Conformance:
    """Derive a class from it, whose name begins with `Test`, in a test file; pytest does the rest.

    Needs the extra `viz`: pictures are drawn.

    Attributes:
        cases: Settings to play, by name: an environment id, and its keywords. Short horizons will do.
        policies: Policies of your own to play, by their places (`file.py:Class`), besides those known.
        elsewhere: Known policies that are left out, because they are tested on problems of their own.

    Example:
        >>> class TestMine(Conformance):
        ...     cases = {"short": ("restock/Problem-v0", {"problem": "my-problem", "horizon": 8})}
    """

    cases: ClassVar[Mapping[str, tuple[str, dict[str, Any]]]] = {}
    policies: ClassVar[Sequence[str]] = ()
    elsewhere: ClassVar[Collection[str]] = ()

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """One test for every case, and every form, picture or policy that it has."""
        asked = set(metafunc.fixturenames)
        if "observation" in asked:
            problems = {case: self.problem_of(case) for case in self.cases}
            forms = [
                (case, action, observation)
                for case, problem in problems.items()
                for action in problem.action_kinds
                for observation in problem.observation_kinds
            ]
            metafunc.parametrize(("case", "action", "observation"), forms)
        elif "name" in asked:
            played = [
                (case, name)
                for case in self.cases
                for name in (*list_policies(self.problem_of(case).family), *self.policies)
                if name not in self.elsewhere
            ]
            metafunc.parametrize(("case", "name"), played, ids=[f"{case}-{name[-40:]}" for case, name in played])
        elif "case" in asked:
            metafunc.parametrize("case", list(self.cases))
            if "mode" in asked:
                metafunc.parametrize("mode", ["ansi", "rgb_array"])

    def problem_of(self, case: str) -> Problem:
        """Return the problem of a case."""
        id, given = self.cases[case]
        return load_problem(id, **given)

    def made(self, case: str, **more: Any) -> Any:
        """Return the environment of a case."""
        id, given = self.cases[case]
        return gym.make(id, **given, **more).unwrapped

    # environments -------------------------------------------------------------------------------------

    def test_rows_of_a_vector_are_single_environments(self, case: str, action: str, observation: str) -> None:
        """Row i of a vector is the single environment seeded with seed + i, in every mode of resets."""
        id, given = self.cases[case]
        forms: dict[str, Any] = {"action": action, "observation": observation}
        for mode in MODES:
            vector: Any = gym.make_vec(id, num_envs=ROWS, autoreset_mode=mode, **given, **forms)
            singles = [self.made(case, **forms) for _ in range(ROWS)]
            obs, _ = vector.reset(seed=5)
            for i, single in enumerate(singles):
                assert same(row(obs, i), single.reset(seed=5 + i)[0])
            assert (
                in_lockstep(vector, singles, mode, singles[0].problem.horizon + 10, sampled(vector.action_space, 1))
                >= ROWS
            )
            assert pickle.loads(pickle.dumps(vector)).step(vector.action_space.sample())[0] is not None

    def test_an_episode_repeats_from_its_seed_and_from_its_record(self, case: str) -> None:
        """The same seed, or the recorded exogenous information, is the same episode."""
        env = self.made(case)
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

    def test_records_play_the_same_periods(self, case: str) -> None:
        """Actions and observations as records (`Problem.records`) go through JSON, and play what arrays play."""
        problem = self.problem_of(case)
        spoken = StructuredEnvironment(problem)
        plain = Environment(problem, action=spoken.records.form)
        spoken.reset(seed=3)
        plain.reset(seed=3)
        shape = plain.action_space.shape
        for decision in plans_of(problem, 4)[0]:
            action = spoken.records.action(decision)
            seen = spoken.step(spoken.action_type.model_validate_json(action.model_dump_json()))
            numbers = spoken.records.decision(action)
            _, reward, terminated, truncated, _ = plain.step(numbers.reshape(shape) if shape else int(numbers[0]))
            assert (seen.reward, seen.done) == (reward, terminated or truncated)
            assert spoken.observation_type.model_validate_json(seen.model_dump_json()) == seen
            if seen.done:
                return

    def test_copies_go_on_alike(self, case: str) -> None:
        """A copy, and one that was pickled, goes on as the original does."""
        env = self.made(case)
        env.reset(seed=3)
        env.action_space.seed(0)
        env.step(env.action_space.sample())
        for twin in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
            original = copy.deepcopy(env)
            action = env.action_space.sample()
            one, two = original.step(action), twin.step(action)
            assert same(one[0], two[0]) and one[1:4] == two[1:4] and told(one[4]) == told(two[4])

    def test_parts_add_up_and_every_number_has_a_name(self, case: str) -> None:
        """The parts of the reward add up to it; observations lie in their space."""
        env = self.made(case, observation="flat")
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
        with pytest.raises(InvalidInput, match="the episode is over"):
            env.step(env.action_space.sample())
        assert env.kpis()["profit"] == pytest.approx(env.trajectory.rewards.sum())
        for name in env.trajectory:
            assert env.trajectory[name].shape[-1] == len(env.trajectory.labels(name)), name

    def test_pictures(self, case: str, mode: str) -> None:
        """Both pictures show that something has happened."""
        env = self.made(case, render_mode=mode)
        env.reset(seed=0)
        first = env.render()
        env.action_space.seed(0)
        for _ in range(2):
            env.step(env.action_space.sample())
        second = env.render()
        assert type(first) is type(second) and not np.array_equal(first, second)
        assert "period 2 of" in second if mode == "ansi" else second.dtype == np.uint8 and second.shape[2] == 3

    def test_what_is_not_an_action_is_refused_and_changes_nothing(self, case: str) -> None:
        """NaN, another shape, text, and unknown options are refused."""
        env = self.made(case)
        with pytest.raises(InvalidInput, match="no episode has begun"):
            env.step(env.action_space.sample())
        env.reset(seed=1)
        shape = env.action_space.shape
        before = env.observe().tolist()
        for wrong in (
            np.full(shape, np.nan),
            np.full(shape, np.inf),
            np.zeros((*shape, 2)),
            "order",
            None,
            [[0.0], []],
        ):
            with pytest.raises(InvalidInput) as found:
                env.step(wrong)
            assert found.value.mend and env.observe().tolist() == before and env.period == 0
        for options in ({"exogenous": {"nothing": [1]}}, {"exogenous": 3}, {"seed": 3}, 7):
            with pytest.raises(InvalidInput):
                env.reset(options=options)
            assert env.observe().tolist() == before

    @pytest.mark.filterwarnings("ignore:.*not in the possible render_modes")
    def test_unknown_forms_and_keywords_are_refused(self, case: str) -> None:
        """An error names what is unknown."""
        id, given = self.cases[case]
        refuses_the_unknown(id, given)

    # back ends ----------------------------------------------------------------------------------------

    def test_back_ends_agree(self, case: str) -> None:
        """Plain Python, compiled code and whole batches in NumPy play the same."""
        problem = self.problem_of(case)
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
                    problem.texts_in_force.put(plans[b, t].tolist(), *world)
                    expected[b, t] = problem.texts_in_force.step(t, *world)
                    if problem.texts.ends(t, *world):
                        lengths[b] = t + 1
                        break
        np.testing.assert_allclose(trajectory.rewards, expected, **CLOSE)
        assert trajectory.lengths.tolist() == lengths.tolist()
        whole = lengths == problem.horizon  # whole batches play on behind an early end
        batch = np.asarray(RowWise(problem, episodes.vectors).play(plans))
        np.testing.assert_allclose(batch[whole], expected[whole], **CLOSE)

    def test_a_recorded_batch_is_met_again(self, case: str) -> None:
        """What was recorded of many episodes can be played again."""
        problem = self.problem_of(case)
        episodes, plans = draw(problem, ROWS, 3), plans_of(problem, 2)
        first = play(problem, episodes, plans)
        again = play(problem, recorded(problem, {name: first.exogenous[name] for name in problem.exogenous}), plans)
        np.testing.assert_allclose(again.rewards, first.rewards, **CLOSE)
        for name in first:
            np.testing.assert_allclose(again[name], first[name], err_msg=name, **CLOSE)

    # policies -----------------------------------------------------------------------------------------

    def test_policies_play_and_know_no_more_than_they_say(self, case: str, name: str) -> None:
        """Policies play, repeat from their seed, and fall into no trap of `audit`."""
        problem = self.problem_of(case)
        result = simulate(problem, name, episodes=ROWS, seed=1)
        assert np.isfinite(result.profit).all() and result.policy.name == make_policy(name, problem).name
        assert (simulate(problem, name, episodes=ROWS, seed=1).profit == result.profit).all()
        assert audit(lambda of: make_policy(name, of), problem) == ()

    def test_comparisons(self, case: str) -> None:
        """Policies are compared, beside the optimum in hindsight where there is one."""
        problem = self.problem_of(case)
        asked = (*usual_policies(problem.family), *self.policies)
        table = compare(problem, asked, episodes=4, seed=2)
        names = {row.name for row in table.rows}
        assert names >= {make_policy(name, problem).name for name in asked} and not table.exceeded
        assert ("hindsight" in names) == ("hindsight" in list_policies(problem.family))
