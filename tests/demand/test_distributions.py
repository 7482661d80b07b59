"""Demand models against scipy.stats: moments of draws, quantile functions, and that all ways to sample agree."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy import optimize, stats

from restock import InvalidInput
from restock.core import streams
from restock.demand import laws
from restock.demand.deterministic import Deterministic
from restock.demand.distribution import Distribution
from restock.demand.negative_binomial import NegativeBinomial
from restock.demand.normal import Normal
from restock.demand.path import Demand, cumulative
from restock.demand.poisson import Poisson
from restock.demand.rowwise import numpy_demand
from restock.demand.spec import check_demand
from restock.demand.uniform import Uniform

MORE = settings(max_examples=5 * settings.default.max_examples)
DRAWS = 40_000


def cut_normal(mean, sd):
    """The normal whose mean is `mean` once it is cut at 0."""
    return stats.norm(optimize.brentq(lambda a: cut_mean(stats.norm(a, sd)) - mean, -40 * sd, mean), sd)


def cut_mean(normal):
    """E[max(0, X)]."""
    return normal.mean() * normal.sf(0) + normal.std() * stats.norm.pdf(normal.mean() / normal.std())


MODELS: list[tuple[Distribution, Any]] = [  # (model, the same in scipy at mean m)
    (Poisson(), stats.poisson),
    (Normal(sd=4.0), lambda m: stats.norm(m, 4.0)),
    (Normal(cv=0.25), lambda m: stats.norm(m, 0.25 * m)),
    (Normal(), lambda m: stats.norm(m, m**0.5)),
    (Uniform(), lambda m: stats.uniform(0, 2 * m)),
    (Uniform(low=10.0, high=30.0), lambda m: stats.uniform(m / 2, m)),
    (NegativeBinomial(dispersion=3.0), lambda m: stats.nbinom(3.0, 3.0 / (3.0 + m))),
    (NegativeBinomial(dispersion=0.4), lambda m: stats.nbinom(0.4, 0.4 / (0.4 + m))),
    (NegativeBinomial(dispersion=400.0), lambda m: stats.nbinom(400.0, 400.0 / (400.0 + m))),
]
IDS = [f"{model.name}-{k}" for k, (model, _) in enumerate(MODELS)]


@pytest.mark.parametrize("mean", [0.7, 20.0, 900.0])
@pytest.mark.parametrize(("model", "twin"), MODELS, ids=IDS)
def test_moments_of_numpy_draws(model, twin, mean):
    expected = twin(mean)
    drawn = model.draw(np.random.default_rng(3), np.full(DRAWS, mean))
    assert abs(drawn.mean() - expected.mean()) < 5 * expected.std() / DRAWS**0.5
    fourth = float(expected.stats("k")) + 2.0
    assert abs(drawn.var() / expected.var() - 1) < 5 * (fourth / DRAWS) ** 0.5
    if mean >= 4 * expected.std() or expected.cdf(-1e-9) == 0:  # nothing is cut
        np.testing.assert_allclose(model.deviation(np.array([mean])), expected.std(), rtol=1e-12)


@pytest.mark.parametrize("sampler", ["numpy", "inverse", "sequential"])
@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("cv", [0.2, 0.3, 0.5, 1.0, 3.0])
def test_normal_demand_keeps_its_stated_mean(cv, scale, sampler):
    spec = {"mean": 20, "distribution": {"name": "normal", "cv": cv}, "noise_scale": scale, "sampler": sampler}
    demand = Demand(check_demand(spec), [None], DRAWS)
    path = demand.path_at(7, 0) if sampler == "inverse" else demand.path(np.random.default_rng(5))
    twin = cut_normal(20.0, 20.0 * cv * scale)
    assert abs(path.draw.mean() - 20) < 5 * path.draw.std() / DRAWS**0.5
    assert abs((path.draw == 0).mean() - twin.cdf(0)) < 5 * (twin.cdf(0) / DRAWS) ** 0.5 + 1e-9
    if scale == 1.0:
        assert abs(demand.deviation(path.mean[0])[0] / path.draw.std() - 1) < 0.05


@pytest.mark.parametrize("cv", [0.3, 1.0, 3.0])
def test_normal_demand_keeps_its_mean_under_goodwill(cv):
    """The law that compiled dynamics call, at the mean of the moment."""
    u = (np.arange(100_000) + 0.5) / 100_000
    demand = numpy_demand(laws.NORMAL, np.full(len(u), 8.0), cv, 1.0, 1.0, u)
    assert abs(demand.mean() - 8.0) < 0.01


@pytest.mark.parametrize("mean", [0.1, 0.7, 20.0, 499.0, 900.0])
@pytest.mark.parametrize(("model", "twin"), MODELS, ids=IDS)
def test_quantiles_are_those_of_scipy(model, twin, mean):
    u = np.concatenate(
        [np.linspace(0.0005, 0.9995, 400), 10.0 ** -np.arange(4.0, 10.0), 1 - 10.0 ** -np.arange(4.0, 8.0)]
    )
    expected = twin(mean)
    if isinstance(model, Normal) and mean < 4 * expected.std():
        expected = cut_normal(mean, expected.std())
    expected = np.maximum(expected.ppf(u), 0.0)
    np.testing.assert_allclose(model.quantile(u, np.full(len(u), mean)), expected, rtol=1e-12, atol=1e-12)


@MORE
@given(st.floats(1e-9, 1 - 1e-9), st.floats(0.01, 3e4))
def test_any_poisson_quantile(u, mean):
    found = laws.poisson_quantile(u, mean)
    assert close_count(found, u, stats.poisson(mean))


@MORE
@given(st.floats(1e-9, 1 - 1e-7), st.floats(0.01, 3000.0), st.floats(0.05, 1e6))
def test_any_negative_binomial_quantile(u, mean, dispersion):
    found = laws.negative_binomial_quantile(u, mean, dispersion)
    assert close_count(found, u, stats.nbinom(dispersion, dispersion / (dispersion + mean)))


def close_count(found: float, u: float, twin: Any) -> bool:
    """The smallest whole number whose cumulative probability reaches u, up to the rounding of scipy's own sums."""
    slack = 1e-9 * min(u, 1 - u) + 1e-14
    return bool(
        found == int(found) >= 0 and twin.cdf(found) >= u - slack and (not found or twin.cdf(found - 1) < u + slack)
    )


@pytest.mark.parametrize("mean", [1e5, 1e7, 1e8])
def test_counts_with_huge_means(mean):
    u = np.array([1e-12, 1e-6, 0.1, 0.5, 0.9, 1 - 1e-6, 1 - 1e-9])
    found = Poisson().quantile(u, np.full(len(u), mean))
    np.testing.assert_allclose(found, stats.poisson.ppf(u, mean), rtol=0, atol=1.0)
    assert (
        abs(Poisson().draw(np.random.default_rng(1), np.full(1000, mean)).mean() / mean - 1) < 5 / (1000 * mean) ** 0.5
    )


def test_the_tails_of_a_large_count_are_not_lost_in_rounding():
    for u in (1e-15, 1 - 1e-15):
        for mean in (600.0, 1e6):
            assert abs(laws.poisson_quantile(u, mean) - mean) < 9 * mean**0.5
    assert laws.negative_binomial_quantile(1 - 1e-13, 900.0, 900.0) < 900 + 9 * (2 * 900) ** 0.5


def test_a_count_that_never_comes():
    assert laws.poisson_quantile(0.999, 0.0) == 0.0
    assert laws.negative_binomial_quantile(0.999, 0.0, 3.0) == 0.0


@pytest.mark.parametrize("u", [1e-300, 1e-20, 1e-6, 0.02, 0.3, 0.5, 0.7, 0.98, 1 - 1e-6, 1 - 1e-15])
def test_normal_quantile(u):
    np.testing.assert_allclose(laws.normal_quantile(u), stats.norm.ppf(u), rtol=1e-14)


# three ways to the same number ----------------------------------------------------------------------


@pytest.mark.parametrize("mean", [0.1, 3.3, 20.0, 120.0, 499.9])
def test_table_look_up_is_the_scalar_search(mean):
    table = cumulative(mean)
    u = streams.uniform(streams.key(1, "demand"), 0, 3000)
    u = np.concatenate([u, table[table < 1], np.nextafter(table[table < 1], 0), np.nextafter(table[table < 1], 1)])
    u = u[(u > 0) & (u < 1)]
    np.testing.assert_array_equal(np.searchsorted(table, u), [laws.poisson_quantile(x, mean) for x in u])


@pytest.mark.parametrize(("model", "twin"), MODELS, ids=IDS)
def test_inverse_sampling_is_the_quantile_of_the_counter_stream(model, twin):
    demand = Demand(check_demand({"distribution": model, "sampler": "inverse"}), [None, None], 50)
    key = streams.key(5, "demand")
    path = demand.path_at(key, 7)
    u = streams.uniform(key, 7, 100).reshape(50, 2)
    np.testing.assert_allclose(path.draw, np.maximum(twin(20.0).ppf(u), 0.0), rtol=1e-12)
    assert path.law == laws.GIVEN
    _, rows, _ = demand.paths_at(np.array([key, key], dtype=np.uint64), np.array([7, 8]))
    np.testing.assert_array_equal(rows[0], path.draw)
    np.testing.assert_array_equal(rows[1], demand.path_at(key, 8).draw)


@pytest.mark.parametrize(("model", "twin"), MODELS, ids=IDS)
def test_compiled_laws_are_the_plain_ones(model, twin):
    u = streams.uniform(streams.key(3, "demand"), 0, 200)
    mean = np.linspace(0.1, 700.0, 200)
    compiled = numpy_demand(model.law, mean, model.spread, model.power, 1.3, u)
    plain = [laws.demand_of(model.law, m, model.spread, model.power, 1.3, x) for m, x in zip(mean, u, strict=True)]
    np.testing.assert_allclose(compiled, plain, rtol=1e-12, atol=1e-12)


def test_the_counter_stream_is_uniform():
    u = streams.uniform(streams.key(3, "demand"), 2, 50_000)
    assert stats.kstest(u, "uniform").pvalue > 1e-4
    assert 0 < u.min() and u.max() < 1 and len(np.unique(u)) == len(u)
    other = streams.uniform(streams.key(4, "demand"), 2, 50_000)
    assert abs(np.corrcoef(u, other)[0, 1]) < 0.03 and abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 0.03


# noise, floor, bias ---------------------------------------------------------------------------------


def demand_of(spec: Any, means: list[float | None] | None = None, periods: int = DRAWS, seed: int = 3) -> np.ndarray:
    """An episode's demand, shape (T, M)."""
    return Demand(check_demand(spec), means or [None], periods).path(np.random.default_rng(seed)).draw


@pytest.mark.parametrize("name", ["poisson", "normal", "uniform", "negative_binomial"])
def test_noise_scale_stretches_the_distance_from_the_mean(name):
    plain = demand_of({"mean": 50, "distribution": name, "noise_scale": 1.0})
    half = demand_of({"mean": 50, "distribution": name, "noise_scale": 0.5})
    np.testing.assert_allclose(half, 50 + 0.5 * (plain - 50), atol=1e-12)
    np.testing.assert_array_equal(demand_of({"mean": 50, "distribution": name, "noise_scale": 0}), 50.0)
    wild = demand_of({"mean": 50, "distribution": name, "noise_scale": 30})
    assert wild.min() == 0.0


def test_uniform_demand_is_unbiased_and_keeps_to_its_interval():
    around = demand_of({"mean": 20, "distribution": "uniform"})
    assert abs(around.mean() - 20) < 0.3 and 0 <= around.min() < 0.1 and 39.9 < around.max() <= 40
    between = demand_of({"distribution": {"name": "uniform", "low": 6, "high": 9}})
    assert abs(between.mean() - 7.5) < 0.03 and 6 <= between.min() < 6.01 and 8.99 < between.max() <= 9
    point = demand_of({"distribution": {"name": "uniform", "low": 0, "high": 0}})
    assert point.max() == 0.0


def test_normal_demand_is_cut_at_zero():
    drawn = demand_of({"mean": 2, "distribution": {"name": "normal", "sd": 10}})
    assert drawn.min() == 0.0 and abs((drawn == 0).mean() - cut_normal(2.0, 10.0).cdf(0)) < 0.02


def test_demand_that_is_known_draws_nothing():
    generator = np.random.default_rng(1)
    before = generator.bit_generator.state
    path = Demand(check_demand({"mean": 7, "distribution": "deterministic"}), [None], 9).path(generator)
    np.testing.assert_array_equal(path.draw, 7.0)
    assert generator.bit_generator.state == before
    assert isinstance(check_demand({"series": [1, 2]}).resolved, Deterministic)


def test_a_count_too_large_to_search_for_is_refused_only_where_it_is_searched_for():
    for spec in ({"sampler": "inverse"}, {"goodwill": True}):
        with pytest.raises(InvalidInput, match="cannot be sampled by inversion"):
            Demand(check_demand({"mean": 1e9, **spec}), [None], 5)
    for spec in ({}, {"goodwill": True, "sampler": "sequential"}, {"sampler": "inverse", "distribution": "normal"}):
        Demand(check_demand({"mean": 1e9, **spec}), [None], 5)


def test_the_texts_of_the_laws_are_the_ones_compiled():
    """Every law that `demand_of` calls is among the texts handed to the compiler, so that a bound copy is found."""
    names = {text.__name__ for text in laws.LAWS}
    called = {name for text in laws.LAWS for name in text.__code__.co_names if callable(getattr(laws, name, None))}
    assert called <= names
