"""Training for problems that are no supply networks: forms, rows, run folders."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")
pytest.importorskip("sb3_contrib")

import restock
from restock.core.errors import InvalidInput
from restock.envs.vector import VectorEnvironment
from restock.evaluation.views import Seen
from restock.learning.describe import described, description
from restock.learning.forms import forms_of
from restock.learning.metrics import CLOCKS
from restock.learning.prepared import PreparedEnvironment
from restock.learning.run_folder import LAST, RunFolder
from restock.learning.sb3 import stable_environment
from restock.learning.train import resume, train
from tests.cli.running import run

SHORT: dict[str, dict[str, Any]] = {
    "sharing": {"n_timesteps": 9},
    "production": {"max_steps": 8},
    "retail-hard": {},
    "minimal": {},
}
FORMS = [
    (name, action, observation)
    for name, changes in SHORT.items()
    for action in restock.load_problem(name, **changes).action_kinds
    for observation in ("flat", "scaled")
]
TINY: dict[str, Any] = {"steps": 240, "n_envs": 4, "evaluate_every": 120, "held_out": 4}
PPO = {"n_steps": 15, "batch_size": 60, "n_epochs": 1}
DQN = {"learning_starts": 40, "batch_size": 16, "train_freq": 1, "gradient_steps": 1}
OWN = """
from restock.problems.minimal.problem import MinimalProblem
from restock.problems.minimal.spec import MinimalSpec

class Mine(MinimalProblem):
    family = "mine"

    def __init__(self, horizon=9):
        super().__init__(MinimalSpec(horizon=horizon))
"""


def acted(space: Any, rows: int, seed: int) -> Any:
    space.seed(seed)
    return np.stack([space.sample() for _ in range(rows)])


@pytest.mark.parametrize(("name", "action", "observation"), FORMS)
def test_an_agent_sees_and_does_in_views_what_it_would_in_its_environment(
    name: str, action: str, observation: str
) -> None:
    problem = restock.load_problem(name, **SHORT[name])
    forms = forms_of(problem, {"action": action, "observation": observation}, "blind")
    rows = VectorEnvironment(problem, 3, "DISABLED", action, observation, record=True)
    shown = [rows.reset(seed=5)[0]]
    played = []
    for k in range(5):
        played.append(acted(rows.single_action_space, 3, k))
        shown.append(rows.step(played[-1])[0])
    seen = Seen.of(rows.trajectory, informed=False)
    forms.begin(3, problem)
    for t in range(5):
        assert np.array_equal(forms.look(seen.view(t)), shown[t])
        decision = forms.decided(played[t], seen.view(t))
        assert np.array_equal(decision, rows.trajectory[problem.decision][:, t])


def test_one_choice_stands_for_all_numbers_where_there_is_no_such_form() -> None:
    forms = forms_of(restock.load_problem("sharing"), {"action": "discrete"}, "blind")
    assert forms.action_space().n == 21 and forms.native == "normalized"
    seen = Seen.of(restock.simulate("sharing", "nothing", 2).trajectory, informed=False).view(0)
    for choice, most in ((0, 0.0), (10, 50.0), (20, 100.0)):
        assert np.allclose(forms.decided(np.full(2, choice), seen), most)
    assert forms.masks(seen).all() and forms.masks(seen).shape == (2, 21)


# rows ---------------------------------------------------------------------------------------------------


def test_rows_end_each_for_itself_and_what_ended_is_told() -> None:
    """A plant that is bankrupt at once ends before the others; the end of the horizon is a cut."""
    problem = restock.load_problem("production", max_steps=6, initial_cash=12.0, raw_price_base=5.0)
    rows, hand = stable_environment(problem, 5, {"observation": "flat"}), VectorEnvironment(problem, 5, "SAME_STEP")
    rows.seed(3)
    seen = rows.reset()
    assert np.array_equal(seen, hand.reset(seed=3)[0])
    lengths, early, returns = np.zeros(5), 0, np.zeros(5)
    for k in range(20):
        action = np.where(np.arange(5) < 2, 1, 0) if k % 7 else acted(rows.action_space, 5, k)
        seen, rewards, over, infos = rows.step(action)
        theirs, money, terminated, truncated, told = hand.step(action)
        lengths, returns = lengths + 1, returns + money
        assert np.array_equal(seen, theirs) and np.allclose(rewards, money, rtol=1e-6)
        assert np.array_equal(over, terminated | truncated)
        for row in range(5):
            if not over[row]:
                assert infos[row] == {}
                continue
            early += int(lengths[row] < 6)
            assert np.array_equal(infos[row]["terminal_observation"], told["final_obs"][row])
            assert infos[row]["TimeLimit.truncated"] == bool(truncated[row] and not terminated[row])
            assert infos[row]["episode"]["l"] == lengths[row]
            assert infos[row]["episode"]["r"] == pytest.approx(returns[row])
            lengths[row] = returns[row] = 0.0
    assert not early  # a unit is bought only with the cash for it, so nobody is bankrupt here


def test_bankruptcy_ends_one_row_before_the_others() -> None:
    rows = stable_environment(restock.load_problem("production", max_steps=9, initial_cash=5.0, price_std=0.0), 3)
    rows.seed(1)
    rows.reset()
    _, _, over, infos = rows.step(np.array([1, 0, 0]))  # all the cash for one unit
    assert over.tolist() == [True, False, False]
    assert infos[0]["TimeLimit.truncated"] is False and infos[0]["episode"]["l"] == 1 and infos[1] == {}
    for _ in range(8):
        _, _, over, infos = rows.step(np.zeros(3, dtype=int))
    assert over.tolist() == [False, True, True] and infos[1]["TimeLimit.truncated"] is True


def test_a_row_that_began_anew_has_a_stack_of_its_own() -> None:
    rows = stable_environment(restock.load_problem("minimal", horizon=4), 2, {"frame_stack": 3})
    rows.seed(2)
    first = rows.reset()
    assert first.shape == (2, 3) and np.ptp(first, axis=1).max() == 0.0
    previous = first
    for _ in range(4):
        seen, _, over, infos = rows.step(np.array([5, 0]))
        shown = np.stack([info.get("terminal_observation", one) for info, one in zip(infos, seen, strict=True)])
        assert np.array_equal(shown[:, :2], previous[:, 1:])
        previous = shown
    assert over.all() and np.ptp(seen, axis=1).max() == 0.0


def test_longer_episodes_begin_where_the_curriculum_says_so() -> None:
    given = {"curriculum": [2, 5], "curriculum_shares": [0.5, 0.5], "curriculum_steps": 14}
    rows = stable_environment(restock.load_problem("production", max_steps=5), 2, given)
    rows.seed(0)
    rows.reset()
    told = []
    for step in range(1, 18):
        _, _, over, infos = rows.step(np.zeros(2, dtype=int))
        if over[0]:
            told.append((step, infos[0]["episode"]["l"], infos[0]["TimeLimit.truncated"]))
    assert told == [(2, 2, True), (4, 2, True), (6, 2, True), (7, 1, True), (12, 5, True), (17, 5, True)]


def test_single_environments_are_prepared_too() -> None:
    import gymnasium as gym

    env = PreparedEnvironment(gym.make("restock/Production-v0", max_steps=3), observation="flat")
    seen, _ = env.reset(seed=4)
    assert np.array_equal(seen, gym.make("restock/Production-v0", max_steps=3).reset(seed=4)[0])
    ends = [env.step(0)[2:4] for _ in range(3)]
    assert ends == [(False, False), (False, False), (False, True)]
    assert env.action_masks().tolist() == [True, True, False]


# runs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "algo", "numbers"),
    [
        ("sharing", "ppo", PPO),
        ("production", "dqn", DQN | {"curriculum": [4, 8]}),
        ("minimal", "maskable-ppo", PPO),
        ("retail-hard", "sac", DQN),
        ("minimal", "recurrent-ppo", PPO),
    ],
)
def test_a_stopped_run_goes_on_as_one_run(name: str, algo: str, numbers: dict[str, Any], tmp_path: Path) -> None:
    problem = restock.load_problem(name, **SHORT[name])
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    expected = train(problem, whole, algo, seed=3, **TINY, **numbers)

    def stop(report: Any, gaps: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(problem, cut, algo, seed=3, tell=stop, **TINY, **numbers)
    assert resume(cut) | {"cpu_seconds": 0} == expected | {"cpu_seconds": 0}
    one, other = (RunFolder(path).load(LAST)["model"]["policy"] for path in (whole, cut))
    assert all(np.array_equal(one[key].numpy(), other[key].numpy()) for key in one)
    lines = [
        [{k: v for k, v in line.items() if k not in CLOCKS} for line in RunFolder(path).metrics()]
        for path in (whole, cut)
    ]
    assert lines[0] == lines[1]
    moved = tmp_path / "elsewhere"
    shutil.move(whole, moved)
    again = restock.simulate(problem, str(moved), 3, 1).profit
    assert np.array_equal(again, restock.simulate(problem, str(cut), 3, 1).profit)


def test_a_trained_agent_decides_as_its_environment_is_stepped(tmp_path: Path) -> None:
    """Running statistics included."""
    from restock.learning.agents import agent_of
    from restock.learning.run_folder import BEST

    corrects = {"residual": "restock-to-target", "frame_stack": 2}
    for name, algo, more in (
        ("sharing", "ppo", PPO),
        ("production", "dqn", DQN),
        ("minimal", "maskable-ppo", PPO),
        ("retail-hard", "ppo", PPO | corrects),
        ("sharing", "sac", DQN | {"residual": "base-stock", "action": "normalized"}),
    ):
        problem = restock.load_problem(name, **SHORT[name])
        folder = tmp_path / f"{name}-{algo}"
        train(problem, folder, algo, **TINY, **more)
        config, content = RunFolder(folder).config(), RunFolder(folder).load(BEST)
        assert set(content["seen"]) == {"obs_rms", "ret_rms"}
        agent = agent_of(config, content, problem)
        rows = stable_environment(problem, 6, config["preparation"] | {"curriculum": None, "curriculum_steps": None})
        rows.seed(7)
        seen, infos, earned = rows.reset(), [{}], []
        while not infos[0]:
            masked = {"action_masks": rows.action_masks()} if algo == "maskable-ppo" else {}
            assert agent._scaled is not None
            actions = agent.network.predict(agent._scaled(seen), deterministic=True, **masked)[0]
            seen, _, _, infos = rows.step(actions)
        earned = [info["episode"]["r"] for info in infos]
        policy = restock.make_policy(str(folder), problem, integer=False)
        assert earned == pytest.approx(restock.simulate(problem, policy, seeds=range(7, 13)).profit.tolist(), rel=1e-5)


def test_a_problem_of_ones_own_is_trained_for_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(OWN, encoding="utf-8")
    numbers = [word for key, value in (TINY | PPO).items() for word in ("--set", f"{key}={value}")]
    done = run("train", "mine.py:Mine", "--with", "horizon=5", *numbers, "--out", "run", "--json")
    assert done.code == 0 and done.document["algo"] == "ppo" and done.document["information"] == "blind"
    config = RunFolder("run").config()
    assert config["problem"] == {"place": f"{tmp_path / 'mine.py'}:Mine", "arguments": {"horizon": 5}}
    assert described(config["problem"]).horizon == 5
    found = run("compare", "mine.py:Mine", "run", "random", "-n", "4", "--json").document
    assert {row["name"] for row in found["policies"]} == {"run", "random"}
    assert run("evaluate", "run", "-n", "4", "--json").document["episodes"] == 4
    assert "random" in (Path("run") / "report.html").read_text(encoding="utf-8")


def test_a_class_that_a_folder_could_not_find_again_is_refused(tmp_path: Path) -> None:
    from restock.problems.minimal.problem import MinimalProblem
    from restock.problems.minimal.spec import MinimalSpec

    class Here(MinimalProblem):
        family = "here"

    with pytest.raises(InvalidInput, match="Name it by its place"):
        description(Here(MinimalSpec()))


@pytest.mark.parametrize("name", ["sharing", "sharing-variable", "production", "minimal", "retail-easy", "serial"])
def test_a_description_makes_the_same_problem(name: str) -> None:
    problem = restock.load_problem(name)
    assert described(description(problem)).spec == problem.spec


# what cannot be -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given", "field", "words"),
    [
        ("sharing", {"algo": "pathwise"}, "algo", "tensors of a supply network"),
        ("sharing", {"regimes": {}}, "regimes", "demands of a supply network"),
        ("sharing", {"recent": 3}, "recent", "only supply networks"),
        ("sharing", {"residual": "base-stock"}, "residual", "Use action: normalized"),
        ("sharing", {"residual": "hindsight", "action": "normalized"}, "residual", "knows the future"),
        ("production", {"residual": "idle"}, "residual", "cannot be corrected"),
        ("sharing", {"action": "multidiscrete"}, "action", "no such form"),
        ("production", {"algo": "sac"}, "action", "continuous numbers. Use ppo or dqn"),
        ("production", {"action": "normalized"}, "action", "no such form"),
        ("retail", {"algo": "dqn", "action": "multidiscrete"}, "action", "one choice"),
        ("sharing", {"algo": "maskable-ppo", "action": "quantity"}, "action", "decides by choices. Use discrete"),
        ("minimal", {"normalize": "often"}, "normalize", "boolean|true"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_written(
    name: str, given: dict[str, Any], field: str, words: str, tmp_path: Path
) -> None:
    problem = restock.load_problem("retail-easy" if name == "retail" else name)
    with pytest.raises(InvalidInput, match=words) as found:
        train(problem, tmp_path / "run", **given)
    assert found.value.field == field and not (tmp_path / "run").exists()


def test_another_kind_of_problem_is_refused(tmp_path: Path) -> None:
    train("minimal", tmp_path / "run", **TINY, **PPO)
    with pytest.raises(InvalidInput, match="problems like its own only"):
        restock.make_policy(str(tmp_path / "run"), "production")


def test_any_field_is_changed_on_the_command_line() -> None:
    document = run("show", "production", "--with", "max_steps=7", "--with", "holding_cost=1e-3", "--json").document
    assert document["horizon"] == 7 and document["holding_cost"] == 0.001
    for words, told in (
        (["--with", "max_stpes=7"], "Did you mean 'max_steps'"),
        (["--with", "7"], "KEY=VALUE"),
        (["--with", "max_steps=7", "--with", "max_steps=8"], "twice"),
    ):
        done = run("show", "production", *words)
        assert done.code == 2 and told in done.err
