"""A law of one's own that compiles: the same under goodwill, in rollouts, row-wise, in plain Python and in training."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar

import gymnasium as gym
import numba
import numpy as np
import pytest

import restock
from restock.core import backends
from restock.core.errors import InvalidInput
from restock.core.play import draw
from restock.core.rowwise import RowWise
from restock.demand import CompiledDistribution, laws, registry
from restock.evaluation.simulate import run
from restock.learning.several import SeveralSource
from restock.problems.network.regimes import DemandRegimes, Regimes

SHAPE = 1.5


def weibull(uniform: float, mean: float, spread: float, power: float) -> float:
    """Return the quantile of a Weibull variable with this mean; spread is its shape."""
    return mean / math.gamma(1.0 + 1.0 / spread) * (-math.log(1.0 - uniform)) ** (1.0 / spread)


@numba.njit
def halved(amount: float) -> float:
    return 0.5 * amount


@numba.njit
def two_point(uniform: float, mean: float, spread: float, power: float) -> float:
    return halved(mean) if uniform < spread else mean * power


class Weibull(CompiledDistribution):
    name: ClassVar[str] = "weibull"
    demand_at = staticmethod(weibull)
    shape: float = SHAPE

    @property
    def spread(self) -> float:
        return self.shape


class TwoPoint(CompiledDistribution):
    name: ClassVar[str] = "two-point"
    demand_at = staticmethod(two_point)

    @property
    def spread(self) -> float:
        return 0.5

    @property
    def power(self) -> float:
        return 1.5


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    for model in (Weibull, TwoPoint):
        restock.register_demand(model)
    yield
    for model in (Weibull, TwoPoint):
        registry._KNOWN.pop(model.name)


def problem_under(name: str, **more: Any) -> Any:
    return restock.load_problem("divergent", demand={"distribution": name, "goodwill": True, "mean": 12, **more})


@pytest.mark.parametrize("name", ["weibull", "two-point"])
@pytest.mark.parametrize("sampler", ["numpy", "inverse"])
def test_every_way_to_play_gives_the_same_under_goodwill(name: str, sampler: str) -> None:
    problem = problem_under(name, sampler=sampler, noise_scale=0.8)
    assert not problem.sequential and problem.demand.can_draw_ahead
    episodes = draw(problem, 5, 8)
    policy = restock.make_policy("base-stock", problem)
    compiled, by_period = (run(problem, policy, episodes, 0, compiled=fast) for fast in (True, False))
    np.testing.assert_array_equal(compiled.trajectory["demand"], by_period.trajectory["demand"])
    assert compiled.trajectory["sentiment"].std() > 0.0
    plans = compiled.trajectory["ordered"]
    rowwise = RowWise(problem, episodes.vectors).play(plans)
    np.testing.assert_allclose(rowwise, compiled.trajectory.rewards, rtol=1e-12, atol=1e-9)
    texts = problem.texts_in_force
    for b in range(2):
        world = backends.as_lists(problem.world(problem.rows(episodes.vectors)[b]))
        for t in range(problem.horizon):
            texts.put(plans[b, t].tolist(), *world)
            assert texts.step(t, *world) == pytest.approx(compiled.trajectory.rewards[b, t], rel=1e-12, abs=1e-9)
    law, world = problem.demand.distribution, problem.world(problem.rows(episodes.vectors)[0])
    mean = np.asarray(world[5].mean) * compiled.trajectory["sentiment"][0][1:]
    found = [
        [law.demand_at(u, m, law.spread, law.power) for u, m in zip(*both, strict=True)]
        for both in zip(world[5].draw, np.maximum(mean, problem.demand.least_mean), strict=True)
    ]
    expected = np.maximum(mean + 0.8 * (np.array(found) - mean), 0.0)
    np.testing.assert_allclose(compiled.trajectory["demand"][0], expected, rtol=1e-12)


def test_environments_meet_it_and_the_built_in_laws_stay_beside_it() -> None:
    demand = {"distribution": "weibull", "goodwill": True}
    env = gym.make("restock/Serial-v0", demand=demand).unwrapped
    vector = gym.make_vec("restock/Serial-v0", num_envs=2, demand=demand, record=True)
    other = gym.make("restock/Serial-v0", demand={"goodwill": True}).unwrapped
    for one in (env, vector, other):
        one.reset(seed=4)
    for _ in range(29):
        env.step(np.full(3, 20.0))
        other.step(np.full(3, 20.0))
        vector.step(np.full((2, 3), 20.0, np.float32))
    np.testing.assert_array_equal(vector.trajectory["demand"][0], env.trajectory["demand"])
    assert (env.trajectory["demand"] % 1.0 != 0.0).all() and (other.trajectory["demand"] % 1.0 == 0.0).all()


def test_mean_and_deviation_are_those_of_the_law() -> None:
    model, mean = Weibull(shape=2.0), np.array([3.0, 50.0])
    relative = math.sqrt(math.gamma(2.0) / math.gamma(1.5) ** 2 - 1.0)
    np.testing.assert_allclose(model.deviation(mean), relative * mean, rtol=5e-3)
    drawn = model.draw(np.random.default_rng(1), np.full(40_000, 7.0))
    assert drawn.mean() == pytest.approx(7.0, rel=0.01) and drawn.std() == pytest.approx(7.0 * relative, rel=0.02)
    without = restock.load_problem("serial", demand={"distribution": {"name": "weibull", "shape": 2.0}})
    assert restock.simulate(without, "s-S", 20, 0).profit.mean() > 0.0


def test_gradients_flow_through_the_mean() -> None:
    torch = pytest.importorskip("torch")
    problem = problem_under("weibull", sampler="inverse")
    names = problem.operations("torch")
    mean = torch.tensor([4.0, 12.0, 30.0], dtype=torch.float64, requires_grad=True)
    draws = torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64)
    demand = names["demand_of"](float(laws.OWN), mean, SHAPE, 0.0, 1.0, draws)
    (gradient,) = torch.autograd.grad(demand.sum(), mean)
    np.testing.assert_allclose(gradient.numpy(), demand.detach().numpy() / mean.detach().numpy(), rtol=1e-3)


def test_a_network_is_trained_under_it(tmp_path: Any) -> None:
    pytest.importorskip("torch")
    from restock.learning.train import train

    problem = restock.load_problem("serial", demand={"distribution": "weibull", "goodwill": True}, horizon=10)
    train(problem, tmp_path / "run", steps=2, restarts=1, evaluate_every=2, held_out=8, batch=8)
    assert restock.simulate(problem, str(tmp_path / "run"), 4, 0).trajectory["sentiment"].std() > 0.0


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda uniform, mean, spread, power: math.nan, "must return finite"),
        (lambda uniform, mean, spread, power: {}[mean], "cannot be compiled"),
        (lambda uniform: uniform, "cannot be compiled"),
    ],
)
def test_what_cannot_be_compiled_is_refused_where_it_is_named(function: Any, said: str) -> None:
    class Broken(CompiledDistribution):
        name: ClassVar[str] = "broken"
        demand_at = staticmethod(function)

    registry.register(Broken)
    try:
        with pytest.raises(InvalidInput, match=f"^demand.distribution = .*broken.*{said}"):
            restock.load_problem("serial", demand={"distribution": "broken"})
    finally:
        registry._KNOWN.pop("broken")


def test_laws_that_compile_are_not_mixed() -> None:
    own, other, usual = problem_under("weibull"), problem_under("two-point"), problem_under("poisson")
    assert len(SeveralSource([own, own], [1]).next(np.array([0]))) == 1
    for pair in ([own, other], [own, usual]):
        with pytest.raises(InvalidInput, match="compiled distribution"):
            SeveralSource(pair, [1])
    spec = DemandRegimes.model_validate({"specs": [{"distribution": "two-point", "goodwill": True}]})
    with pytest.raises(InvalidInput, match="compiled distribution of the network"):
        Regimes(own, spec)


def test_what_is_kept_on_disk_is_told_apart_by_what_a_law_says() -> None:
    def marks(factor: float) -> str:
        def law(uniform: float, mean: float, spread: float, power: float) -> float:
            return factor * mean

        return backends.fingerprint(laws.laws_with(law))

    assert marks(1.0) != marks(2.0) and marks(1.0) == marks(1.0)
    assert backends.fingerprint(laws.laws_with(weibull)) != backends.fingerprint(laws.LAWS)
