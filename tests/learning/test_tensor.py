"""The tensor form of the dynamics against the text, and its gradients against finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from restock.core.play import Episodes, Table, draw
from restock.core.rowwise import RowWise
from restock.learning.paths import paths_of, trainable
from restock.learning.tensor import TensorNetwork
from restock.problems.load import load_problem
from tests.problems.network.networks import random_network

torch = pytest.importorskip("torch")
PERIODS, ROWS = 12, 6
GOODWILL: dict[str, Any] = {"goodwill": {"growth": 1.02, "decay": 0.85, "floor": 0.3, "cap": 1.4}}


def problem_of(seed: int, **demand: Any) -> Any:
    return load_problem(
        random_network(seed, means=True), demand=demand or None, horizon=PERIODS, backlog=seed % 2 == 0, discount=0.98
    )


def played(problem: Any, orders: Any, mean: Any, stray: Any, sharpness: float = float("inf")) -> Any:
    """Rewards of orders (B, T, E) in the tensor form, shape (B, T), and the last state."""
    net = TensorNetwork(problem, torch.float64)
    count = len(orders)
    feels = float(problem.spec.demand.goodwill is not None)
    state = net.start(np.full(count, float(problem.spec.backlog)), np.full(count, feels))
    happened = []
    for t in range(orders.shape[1]):
        state, record = net.step(t, state, orders[:, t], mean[:, t], stray[:, t], sharpness)
        happened.append(record)
    return net.profit(torch.stack(happened), sharpness), state


def chance_of(problem: Any, episodes: Any) -> tuple[Any, Any]:
    shape = (len(episodes), problem.horizon, len(problem.markets))
    size = shape[1] * shape[2]
    mean, demand = episodes[:, -2 * size : -size].reshape(shape), episodes[:, -size:].reshape(shape)
    return torch.tensor(mean), torch.tensor(demand - mean)


@pytest.mark.parametrize("seed", range(24))
def test_the_tensor_form_is_the_text(seed: int) -> None:
    problem = problem_of(seed)
    episodes = draw(problem, ROWS, seed)
    plans = np.random.default_rng(seed).uniform(-5.0, 60.0, (ROWS, PERIODS, len(problem.links)))
    rewards, state = played(problem, torch.tensor(plans), *chance_of(problem, episodes.vectors))
    table = Table(problem, episodes)
    for t in range(PERIODS):
        table.advance(plans[:, t])
    np.testing.assert_allclose(rewards.numpy(), table.rewards, rtol=1e-9, atol=1e-9)
    last = table.trajectory()
    for name in ("on_hand", "backlog", "unmet"):
        np.testing.assert_allclose(getattr(state, name).numpy(), last[name][:, -1], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_goodwill_moves_demand_as_in_the_text(seed: int) -> None:
    """Replayed at the goodwill that the tensor form came to, the text earns the same."""
    problem = problem_of(seed, **GOODWILL, noise_scale=0.0)
    episodes = draw(problem, ROWS, seed)
    plans = np.random.default_rng(seed).uniform(0.0, 20.0, (ROWS, PERIODS, len(problem.links)))
    shape = (ROWS, PERIODS, len(problem.markets))
    mean = torch.tensor(np.broadcast_to(problem.demand.mean, shape).copy())
    rewards, state = played(problem, torch.tensor(plans), mean, torch.zeros(shape, dtype=torch.float64))
    table = Table(problem, episodes)
    for t in range(PERIODS):
        table.advance(plans[:, t])
    np.testing.assert_allclose(rewards.numpy(), table.rewards, rtol=1e-9, atol=1e-9)
    assert (state.sentiment != 1.0).any()


@pytest.mark.parametrize("seed", range(12))
def test_gradients_agree_with_those_of_the_text(seed: int) -> None:
    problem = problem_of(seed)
    episodes = draw(problem, ROWS, seed)
    plans = np.random.default_rng(seed).uniform(0.5, 40.0, (ROWS, PERIODS, len(problem.links)))
    theirs, ours = torch.tensor(plans, requires_grad=True), torch.tensor(plans, requires_grad=True)
    RowWise(problem, episodes.vectors, "torch").play(theirs).sum().backward()
    played(problem, ours, *chance_of(problem, episodes.vectors))[0].sum().backward()
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-6, atol=1e-6)
    assert (ours.grad != 0.0).any()


@pytest.mark.parametrize("seed", range(8))
def test_smoothed_gradients_agree_with_central_differences(seed: int) -> None:
    problem = problem_of(seed, **GOODWILL)
    paths = paths_of(trainable(problem), [seed])
    mean, stray = torch.tensor(paths.mean), torch.tensor(paths.stray)
    plan = np.random.default_rng(seed).uniform(0.5, 25.0, (1, PERIODS, len(problem.links)))
    orders = torch.tensor(plan, requires_grad=True)
    played(problem, orders, mean, stray, 1.0)[0].sum().backward()
    gradient = orders.grad[0].numpy()
    width = 1e-5

    def profits(plans: Any) -> Any:
        rows = len(plans)
        with torch.no_grad():
            return played(problem, torch.tensor(plans), mean.expand(rows, -1, -1), stray.expand(rows, -1, -1), 1.0)[
                0
            ].sum(dim=1)

    moves = width * np.eye(plan.size).reshape((plan.size, *plan.shape[1:]))
    here = profits(plan)[0]
    right, left = (profits(plan + moves) - here) / width, (here - profits(plan - moves)) / width
    smooth = ((right - left).abs() < 1e-3).numpy().reshape(gradient.shape)  # at a kink the two sides differ
    assert smooth.mean() > 0.9
    central = ((right + left) / 2).numpy().reshape(gradient.shape)
    np.testing.assert_allclose(gradient[smooth], central[smooth], rtol=1e-4, atol=1e-4)


def test_paths_at_a_goodwill_of_one_are_the_counts_themselves() -> None:
    problem = trainable(load_problem("serial", demand={"goodwill": True, "effects": ["trend"]}))
    paths = paths_of(problem, range(64))
    demand = paths.mean + paths.stray
    np.testing.assert_allclose(demand, np.round(demand), atol=1e-9)
    assert abs(paths.stray.mean()) < 0.5
    ratio = paths.stray.var(axis=0).mean() / paths.mean.mean()
    assert 0.8 < ratio < 1.2  # of Poisson counts


def test_a_mixed_batch_follows_the_rules_of_each_row() -> None:
    problem = load_problem("serial", demand=GOODWILL)
    net = TensorNetwork(problem, torch.float64)
    state = net.start(np.array([1.0, 0.0, 1.0]), np.array([1.0, 1.0, 0.0]))
    mean = torch.full((3, 1), 500.0, dtype=torch.float64)  # more than there is
    for t in range(3):
        state, _ = net.step(t, state, torch.zeros((3, 3), dtype=torch.float64), mean, 0.0 * mean)
    assert state.backlog[1].item() == 0.0 and state.backlog[0].item() > 0.0
    assert state.sentiment[:, 0].tolist() == pytest.approx([0.85**2, 0.85**2, 1.0])


def test_a_run_of_recorded_episodes_can_be_replayed() -> None:
    problem = load_problem("serial")
    demand = np.full((1, 30, 1), 20.0)
    episode = Episodes(np.stack([problem.replay({"demand": demand[0]})]), None, ())
    plans = np.full((1, 30, 3), 20.0)
    rewards, _ = played(problem, torch.tensor(plans), torch.tensor(demand), torch.zeros(1, 30, 1, dtype=torch.float64))
    table = Table(problem, episode)
    for t in range(30):
        table.advance(plans[:, t])
    np.testing.assert_allclose(rewards.numpy(), table.rewards, atol=1e-9)
