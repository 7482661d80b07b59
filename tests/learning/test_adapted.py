"""Models from outside as policies: they decide in `simulate` what they decide in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import restock
from restock.core.errors import InvalidInput
from restock.evaluation.audit import audit
from restock.learning.adapted import Adapted
from restock.problems.load import IDS

FORMS = [
    (id, action, observation)
    for id in IDS
    if id != "restock/Network-v0"
    for problem in [restock.load_problem(id)]
    for action in problem.action_kinds
    for observation in problem.observation_kinds
]


class Rule:
    """A function of one observation: some action of the space, always the same for the same observation."""

    def __init__(self, space: Any) -> None:
        self.space = space

    def __call__(self, obs: Any) -> Any:
        flat = np.concatenate([np.ravel(block) for block in obs.values()]) if isinstance(obs, dict) else obs
        self.space.seed(int(np.abs(np.float64(flat)).sum() * 8.0) % 2**31)
        return self.space.sample()


@pytest.mark.parametrize(("id", "action", "observation"), FORMS)
def test_a_function_decides_as_in_the_environment(id: str, action: str, observation: str) -> None:
    env = gym.make(id, action=action, observation=observation, disable_env_checker=True)
    rule = Rule(env.action_space)
    policy = restock.as_policy(rule, id, sees=observation, acts=action)
    assert policy.information == "blind" and policy.name == "adapted"
    result = restock.simulate(id, policy, seeds=[6, 7])
    for episode in range(2):
        obs, _ = env.reset(seed=6 + episode)
        total, over = 0.0, False
        while not over:
            obs, reward, terminated, truncated, _ = env.step(rule(obs))
            total += reward
            over = terminated or truncated
        assert result.profit[episode] == pytest.approx(total, rel=1e-6)


def test_names_of_numbers_are_what_is_seen() -> None:
    seen: list[Any] = []

    def rule(obs: Any) -> list[float]:
        seen.append(obs)
        return [20.0, 20.0, 20.0]

    names = gym.make("restock/Serial-v0").unwrapped.obs_names()  # type: ignore[attr-defined]
    policy = restock.as_policy(rule, "serial", sees=[names[3], "period"], name="two")
    result = restock.simulate("serial", policy, seeds=[0])
    assert [obs[1] for obs in seen] == list(range(30))
    stock = names[3].removeprefix("on hand ")
    column = result.trajectory.labels("on_hand").index(stock)
    np.testing.assert_allclose([obs[0] for obs in seen], result.trajectory["on_hand"][0, :30, column], rtol=1e-6)


def test_it_stands_in_comparisons_and_falls_into_no_trap() -> None:
    def rule(obs: Any) -> Any:
        return np.clip(60.0 - obs[2:5], 0.0, 40.0)

    policy = restock.as_policy(rule, "serial", name="fill")
    table = restock.compare("serial", {"mine": policy, "base-stock": "base-stock"}, episodes=5, seed=1)
    assert {"mine", "base-stock"} <= {row.name for row in table.rows}
    assert audit(lambda problem: restock.as_policy(rule, problem), restock.load_problem("serial")) == ()


def test_what_has_a_name_is_found_by_it(tmp_path: Path) -> None:
    assert restock.as_policy("base-stock", "serial").name == "base-stock"
    policy = restock.make_policy("base-stock", "serial")
    assert restock.as_policy(policy, "serial") is policy
    file = tmp_path / "mine.py"
    file.write_text(
        "from restock.learning.adapted import Adapted\n\n\n"
        "class Mine(Adapted):\n    name = 'mine'\n\n"
        "    def __init__(self, problem):\n"
        "        super().__init__(problem, lambda obs: [20.0, 20.0, 20.0])\n",
        encoding="utf-8",
    )
    assert np.isfinite(restock.simulate("serial", f"{file}:Mine", episodes=2).profit).all()


def test_a_policy_as_an_agent_as_a_policy() -> None:
    """Both ways at once: an agent's `predict` in an environment of its own, told what happens nowhere else."""
    problem = restock.load_problem("minimal")
    agent = restock.make_policy("dynamic-program", problem).as_agent(gym.make("restock/Minimal-v0").unwrapped)
    agent.env.reset(seed=3)
    policy = restock.as_policy(agent, problem)
    assert isinstance(policy, Adapted) and "PolicyAgent" in policy.parameters_in_words()["model"]


@pytest.mark.parametrize(
    ("model", "given", "field"),
    [
        (3, {}, "model"),
        ("nowhere.zip", {}, "model"),
        (lambda obs: 1.0, {"sees": "flatt"}, "sees"),
        (lambda obs: 1.0, {"sees": ["on hnd 2"]}, r"sees\[0\]"),
        (lambda obs: 1.0, {"acts": "orders"}, "acts"),
        (lambda obs: 1.0, {"statistics": 3}, "statistics"),
        (lambda obs: 1.0, {"statistics": "nowhere.pkl"}, "statistics"),
        (lambda obs: 1.0, {"information": "clairvoyant"}, "information"),
        (lambda obs: 1.0, {"trained_in": "divergent"}, "problem"),
    ],
)
def test_bad_arguments(model: Any, given: dict[str, Any], field: str) -> None:
    if model == "nowhere.zip":
        pytest.importorskip("stable_baselines3")
    with pytest.raises(InvalidInput, match=f"^{field} = "):
        restock.as_policy(model, "serial", **given)


FORM_ARGUMENTS = {
    "sees": "flat", "acts": "quantity", "max_order": 30.0, "trained_in": "serial", "statistics": "there.pkl",
}  # fmt: skip
ARGUMENTS = {**FORM_ARGUMENTS, "information": "informed", "name": "mine"}


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_no_argument_is_taken_without_effect_beside_a_policy(argument: str) -> None:
    policy = restock.make_policy("base-stock", "serial")
    for model in ("base-stock", policy, type(policy)):
        with pytest.raises(InvalidInput, match=f"^{argument} = .* a policy says this itself"):
            restock.as_policy(model, "serial", **{argument: ARGUMENTS[argument]})


@pytest.mark.parametrize("answer", [[1.0], "much", [np.nan] * 3, None])
def test_what_is_no_action_is_refused_with_its_place(answer: Any) -> None:
    policy = restock.as_policy(lambda obs: answer, "serial")
    with pytest.raises(InvalidInput, match="adapted"):
        restock.simulate("serial", policy, episodes=2)
    chosen = restock.as_policy(lambda obs: 7, "minimal")
    with pytest.raises(InvalidInput, match="an integer from 0 to 5"):
        restock.simulate("minimal", chosen, episodes=2)


# models of stable-baselines3, modules of torch ---------------------------------------------------------


def trained(algo: str, id: str, **given: Any) -> tuple[Any, Any]:
    """A model after a few steps, and its environment."""
    stable = pytest.importorskip("stable_baselines3")
    env = gym.make(id, **given)
    kind = "MultiInputPolicy" if isinstance(env.observation_space, gym.spaces.Dict) else "MlpPolicy"
    numbers: dict[str, Any] = {"PPO": {"n_steps": 16, "batch_size": 16}, "DQN": {"learning_starts": 4}}.get(algo, {})
    model = getattr(stable, algo)(kind, env, seed=0, device="cpu", **numbers)
    return model.learn(16), env


@pytest.mark.parametrize(
    ("algo", "id", "given"),
    [
        ("PPO", "restock/Serial-v0", {"action": "normalized", "observation": "scaled"}),
        ("PPO", "restock/Serial-v0", {"action": "multidiscrete"}),
        ("PPO", "restock/Divergent-v0", {"observation": "dict"}),
        ("SAC", "restock/Serial-v0", {"action": "normalized"}),
        ("DQN", "restock/Minimal-v0", {}),
        ("DQN", "restock/Serial-v0", {"action": "discrete", "observation": "scaled"}),
        ("PPO", "restock/Retail-v0", {"action": "normalized", "observation": "scaled"}),
    ],
)
def test_a_model_of_stable_baselines(algo: str, id: str, given: dict[str, Any], tmp_path: Path) -> None:
    model, env = trained(algo, id, **given)
    result = restock.simulate(id, restock.as_policy(model, id), seeds=[9])  # forms by its spaces
    obs, _ = env.reset(seed=9)
    total, over = 0.0, False
    while not over:
        obs, reward, terminated, truncated, _ = env.step(model.predict(obs, deterministic=True)[0])
        total += float(reward)
        over = terminated or truncated
    assert result.profit[0] == pytest.approx(total, rel=1e-4)
    model.save(tmp_path / "model.zip")
    place = str(tmp_path / "model.zip")
    if id == "restock/Retail-v0":  # whose forms cannot be told apart by their spaces
        with pytest.raises(InvalidInput, match="Say which of flat, scaled, dict"):
            restock.as_policy(place, id)
    again = restock.as_policy(place, id, sees=given.get("observation"))
    assert restock.simulate(id, again, seeds=[9]).profit[0] == pytest.approx(result.profit[0], rel=1e-6)


class Masked:
    """Takes the last choice that can be carried out, as sb3-contrib's algorithm with masks is asked."""

    def predict(self, observation: Any, action_masks: Any) -> Any:
        last = action_masks.shape[1] - 1 - np.argmax(action_masks[:, ::-1], axis=1)
        return last, None


def test_masks_go_to_a_model_that_asks_for_them() -> None:
    problem = restock.load_problem("production", max_steps=10)
    played = restock.simulate(problem, restock.as_policy(Masked(), problem), episodes=3)
    assert played.trajectory["choice"].max() == 2.0 and played.trajectory["invalid"].sum() == 0.0


def test_a_model_with_a_memory_remembers_within_an_episode() -> None:
    contrib = pytest.importorskip("sb3_contrib")
    env = gym.make("restock/Serial-v0", horizon=8, action="normalized")
    model = contrib.RecurrentPPO("MlpLstmPolicy", env, n_steps=8, batch_size=8, seed=0, device="cpu").learn(8)
    problem = restock.load_problem("serial", horizon=8)
    result = restock.simulate(problem, restock.as_policy(model, problem), seeds=[2])
    obs, _ = env.reset(seed=2)
    state, total = None, 0.0
    for t in range(8):
        action, state = model.predict(obs, state, np.array([t == 0]), deterministic=True)
        obs, reward, *_ = env.step(action)
        total += float(reward)
    assert result.profit[0] == pytest.approx(total, rel=1e-4)


def test_spaces_that_do_not_fit_are_refused() -> None:
    model, _ = trained("PPO", "restock/Serial-v0", action="normalized")
    with pytest.raises(InvalidInput, match="the model's actions are"):
        restock.as_policy(model, "serial", acts="discrete")
    with pytest.raises(InvalidInput, match="the model sees"):
        restock.as_policy(model, restock.load_problem("serial", demand={"effects": ["trend"]}), sees="dict")
    with pytest.raises(InvalidInput, match="the model's actions are"):
        restock.as_policy(model, "divergent", acts="normalized")
    with pytest.raises(InvalidInput, match="the model sees"):
        restock.as_policy(model, "serial", sees=["period"])


def test_what_observations_were_scaled_by_goes_with_the_model(tmp_path: Path) -> None:
    stable = pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

    rows = VecNormalize(DummyVecEnv([lambda: gym.make("restock/Serial-v0", action="normalized")] * 2))
    model = stable.PPO("MlpPolicy", rows, n_steps=16, batch_size=16, seed=0, device="cpu").learn(64)
    rows.save(str(tmp_path / "statistics.pkl"))
    model.save(tmp_path / "model.zip")
    with_model = restock.simulate("serial", restock.as_policy(model, "serial"), episodes=3).profit
    place = str(tmp_path / "model.zip")
    from_files = restock.as_policy(place, "serial", sees="flat", statistics=str(tmp_path / "statistics.pkl"))
    assert restock.simulate("serial", from_files, episodes=3).profit == pytest.approx(with_model)
    without = restock.simulate("serial", restock.as_policy(place, "serial", sees="flat"), episodes=3).profit
    assert without != pytest.approx(with_model)


def test_a_model_that_learnt_in_prepared_rows_keeps_their_forms() -> None:
    stable = pytest.importorskip("stable_baselines3")
    from restock.learning.sb3 import stable_environment

    rows = stable_environment("serial", 4, {"residual": "holt-base-stock", "recent": 3})
    model = stable.PPO("MlpPolicy", rows, n_steps=8, batch_size=8, seed=0, device="cpu").learn(32)
    policy = restock.as_policy(model, "serial", name="corrected")
    assert policy.name == "corrected" and np.isfinite(restock.simulate("serial", policy, episodes=2).profit).all()
    for argument, value in FORM_ARGUMENTS.items():
        with pytest.raises(InvalidInput, match=f"^{argument} = "):
            restock.as_policy(model, "serial", **{argument: value})


def test_a_module_of_torch() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(15, 3), torch.nn.Softplus())
    policy = restock.as_policy(module, "serial")

    def same(obs: Any) -> Any:
        with torch.no_grad():
            return module(torch.as_tensor(obs)).numpy()

    expected = restock.simulate("serial", restock.as_policy(same, "serial"), episodes=3).profit
    assert restock.simulate("serial", policy, episodes=3).profit == pytest.approx(expected, rel=1e-5)
