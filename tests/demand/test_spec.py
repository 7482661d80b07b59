"""The demand spec: effects, means, series, resampling, goodwill, own models."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import pytest
from scipy import stats

import restock
from restock import InvalidInput, load_problem
from restock.demand import registry
from restock.demand.distribution import Distribution
from restock.demand.path import Demand
from restock.demand.spec import DemandSpec, check_demand
from tests.problems.network.networks import random_network


def fixed(spec: Any, means: list[float | None] | None = None, periods: int = 30) -> Demand:
    return Demand(check_demand(spec), means or [None], periods)


# effects --------------------------------------------------------------------------------------------


def test_effects_multiply():
    t = np.arange(30.0)
    trend, wave, jump = 1 + 0.05 * t, 1 + 0.5 * np.sin(2 * np.pi * t / 30), np.where(t >= 15, 2.0, 1.0)
    for names, factor in [
        (["trend"], trend),
        (["seasonal"], wave),
        (["shock"], jump),
        (["shock", "trend"], trend * jump),
        (["trend", "seasonal", "shock"], trend * wave * jump),
        ([], np.ones(30)),
    ]:
        np.testing.assert_allclose(fixed({"effects": names}).mean[:, 0], 20 * factor, rtol=1e-15)


def test_parameters_of_effects():
    t = np.arange(12.0)
    spec = {
        "mean": 10,
        "effects": {
            "trend": {"slope": -0.2},
            "seasonal": {"amplitude": 0.25, "period": 7, "phase": 2},
            "shock": {"time": 3, "size": 0.5},
        },
    }
    factor = (1 - 0.2 * t) * (1 + 0.25 * np.sin(2 * np.pi * (t + 2) / 7)) * np.where(t >= 3, 0.5, 1.0)
    np.testing.assert_allclose(fixed(spec, periods=12).mean[:, 0], np.maximum(10 * factor, 0), atol=1e-14)


@pytest.mark.parametrize("effects", ["trend", ["trend"], {"trend": True}, {"trend": {}}, {"trend": {"slope": 0.05}}])
def test_ways_to_write_an_effect(effects):
    np.testing.assert_array_equal(fixed({"effects": effects}).mean, fixed({"effects": ["trend"]}).mean)


def test_an_effect_can_be_off():
    assert fixed({"effects": {"trend": False, "shock": None}}).mean.std() == 0


def test_effects_change_a_series_too():
    series = [1.0, 2.0, 3.0]
    np.testing.assert_allclose(fixed({"series": series, "effects": ["trend"]}, periods=3).mean[:, 0], [1, 2.1, 3.3])


# means ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", ["numpy", "sequential", "inverse"])
@pytest.mark.parametrize("goodwill", [False, True])
def test_every_market_keeps_its_own_mean(sampler, goodwill):
    network = random_network(17, means=True)
    means = np.array([market.mean for market in load_problem(network).spec.ordered_markets])
    assert len(means) >= 3 and len(set(means)) == len(means)
    still = {"growth": 1.0, "decay": 1.0}
    demand = {"sampler": sampler, **({"goodwill": still} if goodwill else {})}
    env = gym.make("restock/Network-v0", instance=network, demand=demand, horizon=600).unwrapped
    env.reset(seed=1)
    for _ in range(600):
        env.step(np.zeros(len(env.problem.links)))
    met = env.trajectory["demand"].mean(axis=0)
    assert (abs(met - means) < 5 * (means / 600) ** 0.5 + 0.05).all()


def test_where_means_come_from():
    means = [8.0, None]
    assert fixed({}, means).mean[0].tolist() == [8, 20]
    assert fixed({"mean": 5}, means).mean[0].tolist() == [5, 5]
    assert fixed({"mean": [1, 2]}, means).mean[0].tolist() == [1, 2]
    assert fixed({"distribution": {"name": "uniform", "low": 2, "high": 8}}, means).mean[0].tolist() == [5, 5]
    assert check_demand(12) == DemandSpec(mean=12.0) == check_demand({"mean": np.float64(12)})


def test_a_demand_keyword_replaces_the_means_of_the_markets_only_where_it_has_one():
    own = [market.mean for market in load_problem("w-network").spec.markets]
    kept = load_problem("w-network", demand={"goodwill": True})
    assert [market.mean for market in kept.spec.markets] == own == kept.demand.mean[0].tolist()
    replaced = load_problem("w-network", demand={"mean": 9})
    assert replaced.demand.mean[0].tolist() == [9, 9]
    assert [market.mean for market in replaced.spec.markets] == [None, None]


@pytest.mark.parametrize("mean", [0.0, 0.02, 0.099])
@pytest.mark.parametrize("spec", [{}, {"goodwill": True}, {"effects": ["trend"]}, {"sampler": "inverse"}])
def test_a_small_mean_stays_what_it_is(mean, spec):
    demand = fixed({"mean": mean, **spec}, periods=400)
    assert demand.least_mean == 0.0
    np.testing.assert_array_equal(demand.path(np.random.default_rng(1)).mean, demand.mean)
    problem = load_problem("serial", demand={"mean": mean, **spec}, horizon=400)
    asked = restock.simulate(problem, restock.make_policy("constant-order", problem, quantity=0), 200)
    total = asked.trajectory["demand"].sum(axis=(1, 2))
    expected = (demand.mean * asked.trajectory["sentiment"][:, 1:, :]).sum(axis=(1, 2)).mean()
    assert abs(total.mean() - expected) <= 5 * (expected / 200) ** 0.5


def test_the_floor_belongs_to_the_published_trend_and_goodwill():
    falling = {"mean": 20, "effects": {"trend": {"slope": -0.2}}}
    assert fixed(falling).path(np.random.default_rng(1)).mean.min() == 0.1
    assert fixed({"mean": 20, "goodwill": True}).least_mean == 0.1
    assert fixed({"mean": 20, "effects": {"shock": {"size": 0.0}}}).path(np.random.default_rng(1)).mean.min() == 0.0
    assert fixed({"series": [0.0] * 30, "goodwill": True}).path(np.random.default_rng(1)).mean.max() == 0.0


# series ---------------------------------------------------------------------------------------------


def test_a_series_is_the_demand_unless_noise_is_written():
    series = np.arange(30.0)
    for spec in ({"series": series}, {"series": series, "noise_scale": 0}, {"series": series, "noise_scale": None}):
        np.testing.assert_array_equal(fixed(spec).path(np.random.default_rng(1)).draw[:, 0], series)
    noisy = fixed({"series": series, "noise_scale": 1}).path(np.random.default_rng(1)).draw[:, 0]
    np.testing.assert_array_equal(noisy, np.random.default_rng(1).poisson(series))


def test_a_series_with_a_column_for_each_market_and_one_for_all():
    both = np.arange(60.0).reshape(30, 2)
    np.testing.assert_array_equal(fixed({"series": both}, [None, None]).mean, both)
    one = fixed({"series": both[:, 0], "same": True}, [None, None]).mean
    np.testing.assert_array_equal(one, np.stack([both[:, 0]] * 2, axis=1))
    with pytest.raises(InvalidInput, match="there are 2 retail links"):
        fixed({"series": both[:, 0]}, [None, None])


def test_a_series_from_a_file(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text('day,sold\n1,"4.5"\n\n2, 7 \n3,0\n', encoding="utf-8-sig")
    series = {"file": str(path), "column": "sold"}
    np.testing.assert_array_equal(fixed({"series": series}, periods=3).mean[:, 0], [4.5, 7, 0])
    np.testing.assert_array_equal(fixed({"series": {**series, "scale": 2}}, periods=2).mean[:, 0], [9, 14])


def test_a_series_of_the_shipped_data():
    demand = fixed({"series": {"dataset": "restaurant", "column": "lamb"}}, periods=100)
    assert demand.mean.shape == (100, 1) and demand.mean.max() > 0 and demand.mean.min() >= 0


# resampling -----------------------------------------------------------------------------------------

DAYS = np.arange(1.0, 41.0)


def resampled(block: Any, seed: int = 1, periods: int = 30, **spec: Any) -> np.ndarray:
    demand = fixed({"series": DAYS, "distribution": {"name": "empirical", "block": block}, **spec}, periods=periods)
    return demand.path(np.random.default_rng(seed)).draw[:, 0]


def test_independent_days_have_the_distribution_of_the_series():
    drawn = resampled(1, periods=20_000)
    counts = np.array([(drawn == day).sum() for day in DAYS])
    assert counts.sum() == 20_000
    assert stats.chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize("block", [3, 7, 29, 100])
def test_blocks_are_runs_of_the_series(block):
    drawn = resampled(block)
    length = min(block, 30)
    steps = np.diff(drawn) == 1
    assert steps[[k for k in range(29) if (k + 1) % length]].all()
    assert len({tuple(resampled(block, seed)) for seed in range(10)}) > 5


def test_a_window_is_one_stretch_of_the_series():
    starts = {resampled("window", seed)[0] for seed in range(200)}
    assert starts == set(DAYS[:11])  # every start that leaves room for 30 days
    for seed in range(5):
        assert (np.diff(resampled("window", seed)) == 1).all()
    assert len(resampled("window", periods=90)) == 90  # a longer episode is several stretches


def test_markets_keep_their_common_day():
    series = np.stack([DAYS, 100 * DAYS], axis=1)
    demand = fixed({"series": series, "distribution": "empirical"}, [None, None])
    for draw in (demand.path(np.random.default_rng(1)).draw, demand.path_at(7, 3).draw):
        np.testing.assert_array_equal(draw[:, 1], 100 * draw[:, 0])


def test_resampling_by_the_counter_stream_and_with_effects():
    demand = fixed({"series": DAYS, "distribution": "empirical", "sampler": "inverse"})
    one, two = demand.path_at(7, 0).draw, demand.path_at(7, 1).draw
    assert set(one.ravel()) <= set(DAYS) and (one != two).any()
    shocked = resampled(1, effects={"shock": {"time": 0, "size": 3}})
    np.testing.assert_allclose(shocked, 3 * resampled(1))


# goodwill -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", ["numpy", "sequential", "inverse"])
def test_goodwill_falls_after_shortage_and_grows_after_service(sampler):
    goodwill = {"growth": 1.05, "decay": 0.8, "floor": 0.5, "cap": 1.2}
    env = gym.make("restock/Serial-v0", demand={"goodwill": goodwill, "sampler": sampler}, horizon=60).unwrapped
    env.reset(seed=2)
    for _ in range(60):
        env.step(np.zeros(3))
    unmet = env.trajectory["unmet"][:, 0]
    expected = [1.0]
    for t in range(1, 60):
        down, up = max(0.5, 0.8 * expected[-1]), min(1.2, 1.05 * expected[-1])
        expected.append(down if unmet[t - 1] > 0 else up)
    np.testing.assert_allclose(env.trajectory["sentiment"][1:, 0], expected, rtol=1e-15)
    assert max(expected) == 1.2 and min(expected) == 0.5


@pytest.mark.parametrize("name", ["poisson", "normal", "negative_binomial", "uniform"])
def test_two_policies_under_goodwill_meet_common_random_numbers(name):
    """Inverse sampling keeps demand a function of the mean at hand: the same quantile whatever the policy did."""
    demand = {"goodwill": True, "distribution": name, "sampler": "inverse"}
    quantiles = []
    for orders in (0.0, 60.0):
        env = gym.make("restock/Serial-v0", demand=demand, max_order=100).unwrapped
        env.reset(seed=4)
        for _ in range(30):
            env.step(np.full(3, orders))
        world = env.problem.world(env.problem.rows(env.problem.source([4]).next(np.array([0])))[0])
        quantiles.append(world[5].draw.copy())
        means = 20 * env.trajectory["sentiment"][1:]
        expected = env.problem.demand.distribution.quantile(quantiles[-1], means)
        np.testing.assert_allclose(env.trajectory["demand"], np.maximum(expected, 0), rtol=1e-12)
    np.testing.assert_array_equal(*quantiles)


# own models -----------------------------------------------------------------------------------------


class Doubling(Distribution):
    """The mean, or twice the mean, or nothing."""

    name: ClassVar[str] = "doubling"

    def draw(self, generator: np.random.Generator, mean: np.ndarray) -> np.ndarray:
        return generator.integers(0, 3, size=np.shape(mean)) * mean

    def quantile(self, uniform: np.ndarray, mean: np.ndarray) -> np.ndarray:
        return np.floor(3 * uniform) * mean


@pytest.fixture
def doubling():
    restock.register_demand(Doubling)
    yield
    registry._KNOWN.pop("doubling")


@pytest.mark.usefixtures("doubling")
@pytest.mark.parametrize("goodwill", [False, True])
@pytest.mark.parametrize("sampler", ["numpy", "sequential", "inverse"])
def test_an_own_model_under_every_sampler(sampler, goodwill):
    demand = {"mean": 10, "distribution": "doubling", "sampler": sampler, "goodwill": goodwill}
    env = gym.make("restock/Serial-v0", demand=demand, horizon=200).unwrapped
    env.reset(seed=1)
    for _ in range(200):
        env.step(np.full(3, 30.0))
    times = env.trajectory["demand"] / (10 * env.trajectory["sentiment"][1:])
    assert sorted(set(np.round(times[:, 0], 9))) == [0, 1, 2]
    assert goodwill == (env.trajectory["sentiment"].std() > 0)
    vector = gym.make_vec("restock/Serial-v0", num_envs=2, demand=demand, horizon=200, record=True)
    vector.reset(seed=1)
    for _ in range(150):
        vector.step(np.full((2, 3), 30.0, np.float32))
    np.testing.assert_array_equal(vector.trajectory["demand"][0], env.trajectory["demand"][:150])
    assert (vector.trajectory["demand"][1] != vector.trajectory["demand"][0]).any()


@pytest.mark.usefixtures("doubling")
def test_an_own_model_is_known_by_its_name_and_keeps_its_parameters():
    class Steps(Distribution):
        name: ClassVar[str] = "steps"
        size: float

        def draw(self, generator: np.random.Generator, mean: np.ndarray) -> np.ndarray:
            return mean + self.size

    assert "doubling" in registry.known()
    assert registry.register(Doubling) is Doubling  # twice does no harm
    restock.register_demand(Steps)
    try:
        path = fixed({"distribution": {"name": "steps", "size": 3}}).path(np.random.default_rng(1))
        np.testing.assert_array_equal(path.draw, 23.0)
        with pytest.raises(InvalidInput, match=r"demand\.distribution\.size = None: this is required"):
            check_demand({"distribution": "steps"})
        with pytest.raises(InvalidInput, match="says no quantiles"):
            load_problem("serial", demand={"distribution": {"name": "steps", "size": 3}, "sampler": "inverse"})
    finally:
        registry._KNOWN.pop("steps")


def test_models_that_cannot_be_registered():
    class Nameless(Distribution):
        def draw(self, generator: np.random.Generator, mean: np.ndarray) -> np.ndarray:
            return mean

    class Poisson(Distribution):
        name: ClassVar[str] = "poisson"

        def draw(self, generator: np.random.Generator, mean: np.ndarray) -> np.ndarray:
            return mean

    for model, problem in (
        (int, "must be a subclass of Distribution"),
        (3, "must be a subclass of Distribution"),
        (Nameless, "has no name"),
    ):
        with pytest.raises(InvalidInput, match=problem):
            restock.register_demand(model)
    with pytest.raises(InvalidInput, match="this name is taken"):
        restock.register_demand(Poisson)


# what is known beforehand -----------------------------------------------------------------------------


def a_thousand(**more: Any) -> Any:
    series = (1000.0 + 100.0 * np.sin(np.arange(90))).tolist()
    return load_problem("serial", demand={"series": series, **more})


def test_the_past_of_a_series_is_its_prior():
    problem = a_thousand(past=60)
    assert problem.demand.mean[0, 0] == pytest.approx(1000 + 100 * np.sin(60))
    prior = problem.prior()
    assert prior.demand.distribution.name == "empirical" and prior.demand.mean.mean() == pytest.approx(1000, rel=0.01)
    history = 1000 + 100 * np.sin(np.arange(60))
    assert prior.demand.deviation(prior.demand.mean).mean() == pytest.approx(history.std(), rel=0.01)
    level = restock.make_policy("base-stock", problem, service=0.95).levels[0]
    assert 5000 < level < 5000 + 3 * history.std() * 5**0.5
    found = restock.fit(problem, "base-stock", episodes=16, budget=60, levels=[5000, 6000, 2000])
    assert found.parameters["levels"]["1"] > 4000  # fitted for what the past says, not for 20


def test_a_prior_is_stated_as_a_mean_or_with_its_distribution():
    assert (a_thousand(prior=900).prior().demand.mean == 900).all()
    stated = a_thousand(prior={"mean": [900], "distribution": {"name": "normal", "cv": 0.2}}).prior()
    assert stated.demand.deviation(stated.demand.mean)[0, 0] == pytest.approx(180)
    flat = load_problem("serial", demand={"mean": 40, "prior": 10})
    assert (flat.demand.mean == 40).all() and (flat.prior().demand.mean == 10).all()
    informed, blind = (restock.make_policy("base-stock", flat, information=i).levels for i in ("informed", "blind"))
    assert (informed > 3 * blind).all()


def test_without_either_nobody_plans_for_twenty():
    problem = a_thousand()
    for name in ("base-stock", "rolling", "newsvendor", "holt-base-stock", "constant-order"):
        with pytest.raises(InvalidInput, match=r"demand\.prior = None.*`past: N`.*`prior: MEAN`"):
            policy = restock.make_policy(name, problem, **({"information": "blind"} if name == "rolling" else {}))
            restock.simulate(problem, policy, episodes=1)
    restock.simulate(problem, restock.make_policy("constant-order", problem, quantity=1000), episodes=1)
    restock.simulate(problem, restock.make_policy("base-stock", problem, information="informed"), episodes=1)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"past": 3}, r"demand\.past = 3: there is no series here"),
        ({"same": True}, r"demand\.same = True: there is no series here"),
        ({"series": [1, 2, 3], "past": 1, "prior": 2}, r"demand\.past = 1: `prior` says what is known beforehand"),
        ({"series": [1, 2, 3], "past": 1, "distribution": "empirical"}, r"demand\.past = 1: an empirical demand takes"),
        ({"series": [1.0] * 40, "past": 20}, "20 of 30 periods after 20 of history"),
        ({"prior": -1}, r"demand\.prior\.mean = -1"),
        ({"prior": {"mean": 5, "distribution": "empirical"}}, "a prior has no series to be drawn from"),
        ({"distribution": "deterministic", "noise_scale": 2}, "a deterministic demand has no noise to scale"),
        ({"series": {"dataset": "restaurant", "column": []}}, "this names no column"),
    ],
)
def test_what_is_wrong_with_a_history_is_said(spec, said):
    with pytest.raises(InvalidInput, match=said):
        load_problem("serial", demand=spec)


def test_a_series_is_found_beside_the_file_that_names_it(tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "sales.csv").write_text("a,b\n" + "\n".join(f"{k},{2 * k}" for k in range(40)), encoding="utf-8")
    shop = """
name: two
nodes: [{id: shop, initial_inventory: 5, holding_cost: 0.1}, {id: maker}]
links: [{from: maker, to: shop, lead_time: 1, price: 1}]
markets:
  - {from: shop, to: north, price: 3, shortage_cost: 1}
  - {from: shop, to: south, price: 3, shortage_cost: 1}
demand: {series: {file: sales.csv, column: COLUMN}, past: 5}
"""
    monkeypatch.chdir(tmp_path)  # elsewhere
    file = folder / "two.yaml"
    file.write_text(shop.replace("COLUMN", "[a, b]"), encoding="utf-8")
    np.testing.assert_array_equal(load_problem(str(file)).demand.mean[0], [5.0, 10.0])
    np.testing.assert_array_equal(
        gym.make("restock/Network-v0", instance=str(file)).unwrapped.problem.demand.mean[1], [6, 12]
    )
    file.write_text(shop.replace("COLUMN", "a"), encoding="utf-8")
    with pytest.raises(InvalidInput, match="Give one column for each, or write `same: true`"):
        load_problem(str(file))
    file.write_text(shop.replace("COLUMN", "a").replace("past: 5", "past: 5, same: true"), encoding="utf-8")
    np.testing.assert_array_equal(load_problem(str(file)).demand.mean[0], [5.0, 5.0])


def test_show_tells_all_of_demand():
    said = load_problem(
        "serial", demand={"mean": 30, "effects": ["trend", "seasonal", "shock"], "goodwill": True, "prior": 25}
    ).explain()
    for words in (
        "trend: the mean times 1 + 0.05 t", "season: times 1 + 0.5 sin(2 pi t / 30)", "moves with goodwill",
        "shock: times 2 from period 15 on", "its mean is 0.1 at least", "known beforehand: mean 25",
    ):  # fmt: skip
        assert words in said
    assert "raises the mean to" in load_problem("serial", demand={"mean": 2, "noise_scale": 4}).explain()
    assert "at least" not in load_problem("serial").explain()
    assert "first 60 periods are history" in a_thousand(past=60).explain()
