"""Specs and keywords that do not hold, one line each: the field, what its message says."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest

import restock
from restock import InvalidInput, load_problem
from tests.problems.network.networks import edited, small
from tests.problems.network.refusal import INF, NAN, refused, shortened

GONE = object()  # take the field away instead of changing it

SPECS: list[tuple[Any, ...]] = [  # (place, value, problem[, field where it differs from the place])
    ("horizon", 0, "at least 1"),
    ("horizon", 10**9, "at most 1000000"),
    ("horizon", 10**30, "at most 1000000"),
    ("horizon", 2.5, "integer"),
    ("horizon", "30", "integer"),
    ("horizon", True, "integer"),
    ("horizon", None, "integer"),
    ("horizon", NAN, "integer"),
    ("discount", 0, "more than 0"),
    ("discount", 2, "at most 1"),
    ("discount", NAN, "finite"),
    ("discount", "1", "a number"),
    ("discount", True, "a number"),
    ("backlog", 1, "true or false"),
    ("backlog", "yes", "true or false"),
    ("name", 3, "text"),
    ("description", ["a"], "text"),
    ("periods", 30, "no such field"),
    ("Horizon", 30, "no such field"),
    ("node", [], "no such field"),
    ("nodes", [], "empty"),
    ("nodes", GONE, "required"),
    ("nodes", {}, "a list"),
    ("nodes", "a", "a list"),
    ("nodes", None, "a list"),
    ("nodes[0]", 7, "mapping"),
    ("links", [], "empty"),
    ("links", GONE, "required"),
    ("markets", [], "empty"),
    ("markets", GONE, "required"),
    # ids
    ("nodes[0].id", GONE, "required"),
    ("nodes[0].id", None, "integer or text"),
    ("nodes[0].id", 1.5, "integer or text"),
    ("nodes[0].id", True, "integer or text"),
    ("nodes[0].id", [1], "integer or text"),
    ("nodes[0].id", "", "empty"),
    ("nodes[0].id", "one", "some ids are integers and some are text", "nodes[1].id"),
    ("nodes[1].id", 1, "taken"),
    ("markets[0].to", "shop", "some ids are integers and some are text"),
    ("links[0].from", 9, "no such node"),
    ("links[0].to", 9, "no such node"),
    ("links[0].from", "2", "no such node"),
    ("links[0].from", GONE, "required"),
    ("links[0].from", None, "integer or text"),
    ("links[0].to", 0, "a market"),
    ("links[0].to", 2, "joins two nodes"),
    ("markets[0].from", 9, "no such node"),
    ("markets[0].from", 3, "no supplier"),
    ("markets[0].to", 1, "keeps no stock"),
    ("markets[0].to", GONE, "required"),
    # nodes
    ("nodes[0].initial_inventory", -1, "at least 0"),
    ("nodes[0].initial_inventory", NAN, "finite"),
    ("nodes[0].initial_inventory", INF, "finite"),
    ("nodes[0].initial_inventory", 1e13, "at most 1,000,000,000,000"),
    ("nodes[0].initial_inventory", "10", "a number"),
    ("nodes[0].initial_inventory", True, "a number"),
    ("nodes[0].initial_inventory", [1], "a number"),
    ("nodes[0].initial_inventory", GONE, "needs this"),
    ("nodes[0].holding_cost", -0.1, "at least 0"),
    ("nodes[0].holding_cost", GONE, "needs this"),
    ("nodes[0].holding", 0.1, "no such field"),
    ("nodes[0].I0", 10, "no such field"),
    ("nodes[1].capacity", 0, "more than 0"),
    ("nodes[1].capacity", -3, "more than 0"),
    ("nodes[1].capacity", INF, "finite"),
    ("nodes[1].capacity", GONE, "only a factory", "nodes[1].yield"),
    ("nodes[1].yield", 0, "at least 1e-06"),
    ("nodes[1].yield", -1, "at least 1e-06"),
    ("nodes[1].yield", NAN, "finite"),
    ("nodes[1].operating_cost", -1, "at least 0"),
    ("nodes[0].yield", 0.9, "only a factory"),
    ("nodes[0].operating_cost", 1, "only a factory"),
    ("nodes[2].initial_inventory", 5, "outside source"),
    ("nodes[2].capacity", 5, "outside source"),
    ("nodes[2].holding_cost", 0, "outside source"),
    ("nodes[2].yield", 1, "outside source"),
    # links and markets
    ("links[0].lead_time", -1, "at least 0"),
    ("links[0].lead_time", 1.5, "integer"),
    ("links[0].lead_time", 2.0, "integer"),
    ("links[0].lead_time", "2", "integer"),
    ("links[0].lead_time", True, "integer"),
    ("links[0].lead_time", 10**9, "at most 10000"),
    ("links[0].lead_time", GONE, "required"),
    ("links[0].leadtime", 2, "no such field"),
    ("links[0].price", -1, "at least 0"),
    ("links[0].price", NAN, "finite"),
    ("links[0].price", "1.5", "a number"),
    ("links[0].price", "1e-3", "a number"),
    ("links[0].price", False, "a number"),
    ("links[0].price", GONE, "required"),
    ("links[0].pipeline_cost", -1, "at least 0"),
    ("links[0].fixed_cost", -1, "at least 0"),
    ("links[0].fixed_cost", INF, "finite"),
    ("markets[0].price", -1, "at least 0"),
    ("markets[0].price", GONE, "required"),
    ("markets[0].shortage_cost", -1, "at least 0"),
    ("markets[0].shortage_cost", GONE, "required"),
    ("markets[0].lead_time", 2, "no such field"),
    ("markets[0].mean", -1, "at least 0"),
    ("markets[0].mean", "20", "a number"),
    ("markets[0].mean", 20, "says already how much"),
    # demand
    ("demand", "poisson", "mapping"),
    ("demand", [1, 2], "mapping"),
    ("demand.mu", 20, "no such field"),
    ("demand.base_mu", 20, "no such field"),
    ("demand.mean", -1, "0 to 1e+12"),
    ("demand.mean", "20", "a number or a list"),
    ("demand.mean", NAN, "finite"),
    ("demand.mean", True, "a number or a list"),
    ("demand.mean", [], "empty"),
    ("demand.mean", [1, 2], "retail links is 1"),
    ("demand.mean", [NAN], "finite", "demand.mean[0]"),
    ("demand.mean", ["a"], "a number", "demand.mean[0]"),
    ("demand.mean", [-1], "0 to 1e+12", "demand.mean[0]"),
    ("demand.distribution", "poison", "no such distribution"),
    ("demand.distribution", 3, "a name"),
    ("demand.distribution", {}, "a name"),
    ("demand.distribution", {"sd": 3}, "a name"),
    ("demand.distribution", {"name": "normal", "sigma": 3}, "no such field", "demand.distribution.sigma"),
    ("demand.distribution", {"name": "normal", "mu": 3, "sigma": 1}, "no such field", "demand.distribution.mu"),
    ("demand.distribution", {"name": "normal", "sd": -3}, "at least 0", "demand.distribution.sd"),
    ("demand.distribution", {"name": "normal", "sd": 3, "cv": 0.1}, "twice", "demand.distribution.cv"),
    ("demand.distribution", {"name": "uniform", "low": 3}, "go together", "demand.distribution.high"),
    ("demand.distribution", {"name": "uniform", "low": 3, "high": 1}, "below low", "demand.distribution.high"),
    ("demand.distribution", {"name": "uniform", "low": 1, "high": 3}, "fix the mean", "demand.mean"),
    ("demand.distribution", {"name": "negative_binomial", "dispersion": 0}, "0.001", "demand.distribution.dispersion"),
    ("demand.distribution", {"name": "empirical"}, "drawn from a series", "demand.series"),
    ("demand.distribution", {"name": "empirical", "block": 0}, "at least one", "demand.distribution.block"),
    ("demand.distribution", {"name": "empirical", "block": "week"}, "'window'", "demand.distribution.block"),
    ("demand.effects", "trends", "no such effect"),
    ("demand.effects", ["trend", "shok"], "no such effect", "demand.effects[1]"),
    ("demand.effects", [["trend"]], "no such effect", "demand.effects[0]"),
    ("demand.effects", 3, "names"),
    ("demand.effects", {"season": {}}, "no such field", "demand.effects.season"),
    ("demand.effects", {"trend": 1}, "mapping", "demand.effects.trend"),
    ("demand.effects", {"trend": {"slop": 1}}, "no such field", "demand.effects.trend.slop"),
    ("demand.effects", {"trend": {"slope": INF}}, "finite", "demand.effects.trend.slope"),
    ("demand.effects", {"seasonal": {"period": 0}}, "at least 0.001", "demand.effects.seasonal.period"),
    ("demand.effects", {"seasonal": {"amplitude": -1}}, "at least 0", "demand.effects.seasonal.amplitude"),
    ("demand.effects", {"shock": {"time": 1.5}}, "integer", "demand.effects.shock.time"),
    ("demand.effects", {"shock": {"size": -1}}, "at least 0", "demand.effects.shock.size"),
    ("demand.noise_scale", -1, "at least 0"),
    ("demand.noise_scale", NAN, "finite"),
    ("demand.noise_scale", "1", "a number"),
    ("demand.goodwill", "yes", "on, off"),
    ("demand.goodwill", 1, "on, off"),
    ("demand.goodwill", {"gw_cap": 3}, "no such field", "demand.goodwill.gw_cap"),
    ("demand.goodwill", {"growth": 0}, "more than 0", "demand.goodwill.growth"),
    ("demand.goodwill", {"floor": 3}, "below floor", "demand.goodwill.cap"),
    ("demand.sampler", "fast", "'numpy', 'sequential' or 'inverse'"),
    ("demand.sampler", None, "'numpy', 'sequential' or 'inverse'"),
    ("demand", {3: 4}, "text", "demand.3"),
    # series
    ("demand", {"series": [1] * 6, "mean": 3}, "the mean already", "demand.mean"),
    ("demand", {"series": []}, "empty", "demand.series"),
    ("demand", {"series": 3}, "numbers", "demand.series"),
    ("demand", {"series": "sales.csv"}, "column of a file", "demand.series"),
    ("demand", {"series": ["1"] * 6}, "numbers", "demand.series"),
    ("demand", {"series": [True] * 6}, "numbers", "demand.series"),
    ("demand", {"series": [1, True, 1, 1, 1, 1]}, "numbers", "demand.series"),
    ("demand", {"series": [[1, 2], [3]]}, "equal length", "demand.series"),
    ("demand", {"series": [[[1]]]}, "(1, 1, 1)", "demand.series"),
    ("demand", {"series": [1] * 5}, "shorter than the horizon", "demand.series"),
    ("demand", {"series": [[1, 2]] * 6}, "retail links is 1", "demand.series"),
    ("demand", {"series": [1, NAN, 1, 1, 1, 1]}, "finite", "demand.series[1]"),
    ("demand", {"series": [1, 1, -2, 1, 1, 1]}, "negative", "demand.series[2]"),
    ("demand", {"series": [1, 1, 1e13, 1, 1, 1]}, "at most", "demand.series[2]"),
    ("demand", {"series": {"column": "x"}}, "a file or a dataset", "demand.series.file"),
    ("demand", {"series": {"dataset": "restaurant", "file": "a", "column": "x"}}, "a dataset", "demand.series.file"),
    ("demand", {"series": {"dataset": "resto", "column": "x"}}, "no such data set", "demand.series.dataset"),
    ("demand", {"series": {"dataset": "restaurant", "column": "x"}}, "no such column", "demand.series.column"),
    ("demand", {"series": {"dataset": "restaurant"}}, "required", "demand.series.column"),
    ("demand", {"series": {"file": "none.csv", "column": "x"}}, "no such file", "demand.series.file"),
    ("demand", {"series": {"file": "a\0.csv", "column": "x"}}, "null byte", "demand.series.file"),
]


def name_of(case: Any) -> str:
    return f"{case[0]}={'gone' if case[1] is GONE else shortened(case[1])}"


@pytest.mark.parametrize("case", SPECS, ids=name_of)
def test_spec(case):
    place, value, problem, *rest = case
    data = edited(small(), place, value, remove=value is GONE)
    field = rest[0] if rest else place
    simple = not rest and value is not GONE and not isinstance(value, (dict, list))
    refused(lambda: load_problem(data), f"network.{field}", str(value)[:20] if simple else None, problem)


def test_there_are_many_distinct_messages():
    texts = set()
    for place, value, *_ in SPECS:
        with pytest.raises(InvalidInput) as caught:
            load_problem(edited(small(), place, value, remove=value is GONE))
        texts.add(str(caught.value))
    assert len(texts) > 0.95 * len(SPECS) > 120


@pytest.mark.parametrize(
    ("change", "field", "value", "problem"),
    [
        (lambda d: d["links"].append({"from": 1, "to": 2, "lead_time": 1, "price": 1}), "links", "1 -> 2", "circle"),
        (lambda d: d["links"].append(dict(d["links"][0])), "links[2]", "2 -> 1", "twice"),
        (lambda d: d["markets"].append(dict(d["markets"][0])), "markets[1]", "1 -> 0", "twice"),
        (lambda d: d["nodes"].append({"id": 8}), "nodes[3].id", "8", "no link touches"),
        (lambda d: d["markets"].clear(), "markets", "[]", "empty"),
    ],
    ids=["cycle", "link twice", "market twice", "alone", "nobody buys"],
)
def test_shape_of_the_network(change, field, value, problem):
    data = small()
    change(data)
    refused(lambda: load_problem(data), f"network.{field}", value, problem)


def test_two_networks_in_one_are_refused():
    data = small()
    data["nodes"] += [{"id": 11, "initial_inventory": 1, "holding_cost": 1}, {"id": 13}]
    data["links"].append({"from": 13, "to": 11, "lead_time": 0, "price": 1})
    data["markets"].append({"from": 11, "to": 10, "price": 1, "shortage_cost": 1})
    refused(lambda: load_problem(data), "network.links", "10, 11, 13", "not connected")


def test_goods_that_never_leave_are_refused():
    data = small()
    data["nodes"].append({"id": 5, "initial_inventory": 1, "holding_cost": 1})
    data["links"].append({"from": 3, "to": 5, "lead_time": 0, "price": 1})
    refused(lambda: load_problem(data), "network.nodes[3].id", "5", "never leave")


def test_an_episode_that_cannot_fit_into_memory_is_refused():
    data = edited(small(horizon=500_000), "links[0].lead_time", 9_999)
    refused(lambda: load_problem(data), "network.horizon", "500000", "GB of memory")


def test_a_mean_that_effects_blow_up_is_refused():
    demand = {"mean": 1e12, "effects": {"trend": {"slope": 1e6}}}
    refused(lambda: load_problem("serial", demand=demand), "demand.effects", "period 29", "above 1e+12")


def test_data_that_contains_itself_or_never_ends_is_refused():
    loop: list[Any] = []
    loop.append(loop)
    refused(lambda: load_problem({**small(), "nodes": loop}), "network", None, "contains itself")
    bomb: list[Any] = [1] * 10
    for _ in range(9):
        bomb = [bomb] * 10
    refused(lambda: load_problem({**small(), "nodes": bomb}), "network", None, "more than 1000000 values")


# keywords ----------------------------------------------------------------------------------------

KEYWORDS: list[tuple[dict[str, Any], str, str]] = [
    ({"horizn": 3}, "horizn", "no such keyword"),
    ({"num_periods": 3}, "num_periods", "no such keyword"),
    ({"env_config": {}}, "env_config", "no such keyword"),
    ({"instance": "serial"}, "instance", "no such keyword"),
    ({"horizon": 0}, "horizon", "at least 1"),
    ({"horizon": 10**9}, "horizon", "at most"),
    ({"horizon": 2.5}, "horizon", "integer"),
    ({"horizon": True}, "horizon", "integer"),
    ({"horizon": "30"}, "horizon", "integer"),
    ({"discount": 0}, "discount", "more than 0"),
    ({"discount": 2}, "discount", "at most 1"),
    ({"backlog": 1}, "backlog", "true or false"),
    ({"backlog": "no"}, "backlog", "true or false"),
    ({"demand": "poisson"}, "demand", "mapping"),
    ({"demand": True}, "demand", "mapping"),
    ({"demand": -3}, "demand.mean", "0 to 1e+12"),
    ({"demand": NAN}, "demand.mean", "finite"),
    ({"demand": 10**400}, "demand.mean", "a number"),
    ({"demand": {"mean": [1, 2]}}, "demand.mean", "retail links is 1"),
    ({"demand": {"meen": 3}}, "demand.meen", "no such field"),
    ({"demand": {"effects": ["shok"]}}, "demand.effects[0]", "no such effect"),
    ({"demand": {"series": [1, 2]}}, "demand.series", "shorter than the horizon"),
    ({"max_order": 0}, "max_order", "at least 1e-06"),
    ({"max_order": -1}, "max_order", "at least 1e-06"),
    ({"max_order": NAN}, "max_order", "at least 1e-06"),
    ({"max_order": 1e-300}, "max_order", "at least 1e-06"),
    ({"max_order": 1e13}, "max_order", "at most 1e+12"),
    ({"max_order": [1, 2]}, "max_order", "each of the 3 links"),
    ({"max_order": [1, 0, 2]}, "max_order[1]", "at least 1e-06"),
    ({"max_order": "many"}, "max_order", "each of the 3 links"),
    ({"max_order": True}, "max_order", "each of the 3 links"),
    ({"action": "quantities"}, "action", "no such form"),
    ({"action": 3}, "action", "no such form"),
    ({"action": ["quantity"]}, "action", "no such form"),
    ({"observation": "flatt"}, "observation", "no such form"),
    ({"observation": 3}, "observation", "no such form"),
    ({"render_mode": "rgb"}, "render_mode", "no such mode"),
]
VECTOR: list[tuple[dict[str, Any], str, str]] = [
    ({"num_envs": 0}, "num_envs", "from 1 to"),
    ({"num_envs": -1}, "num_envs", "from 1 to"),
    ({"num_envs": 1.5}, "num_envs", "from 1 to"),
    ({"num_envs": True}, "num_envs", "from 1 to"),
    ({"num_envs": "2"}, "num_envs", "from 1 to"),
    ({"num_envs": 10**12}, "num_envs", "from 1 to"),
    ({"autoreset_mode": "never"}, "autoreset_mode", "no such mode"),
    ({"autoreset_mode": 3}, "autoreset_mode", "no such mode"),
    ({"autoreset_mode": None}, "autoreset_mode", "no such mode"),
    ({"record": "yes"}, "record", "true or false"),
    ({"render_mode": "human"}, "render_mode", "no such mode"),
    ({"render_mode": 3}, "render_mode", "no such mode"),
]


@pytest.mark.filterwarnings("ignore:.*render_mode:UserWarning")  # gymnasium says so as well
@pytest.mark.parametrize(("given", "field", "problem"), KEYWORDS, ids=[shortened(case[0]) for case in KEYWORDS])
def test_keyword(given, field, problem):
    refused(lambda: gym.make("restock/Serial-v0", **given), field, None, problem)
    refused(lambda: gym.make_vec("restock/Serial-v0", num_envs=2, **given), field, None, problem)


@pytest.mark.parametrize(("given", "field", "problem"), VECTOR, ids=[shortened(case[0]) for case in VECTOR])
def test_vector_keyword(given, field, problem):
    refused(lambda: gym.make_vec("restock/Serial-v0", **{"num_envs": 2, **given}), field, None, problem)


@pytest.mark.parametrize("given", [{"record": True}, {"num_envs": 2}, {"autoreset_mode": "NEXT_STEP"}], ids=str)
def test_keywords_of_the_vector_environment_are_none_of_the_single_one(given):
    refused(lambda: gym.make("restock/Serial-v0", **given), next(iter(given)), None, "no such keyword")


def test_keywords_of_load_problem():
    refused(lambda: load_problem("restock/Serial-v0", action="quantity"), "action", None, "no such keyword")
    refused(lambda: load_problem("restock/Serial-v0", instance="serial"), "instance", None, "one instance")
    refused(lambda: load_problem("serial", instance="serial"), "instance", None, "named already")


def test_invalid_input_is_a_value_error_with_its_parts():
    with pytest.raises(ValueError) as caught:
        load_problem("serial", horizon=0)
    error = caught.value
    assert isinstance(error, restock.InvalidInput)
    assert (error.field, error.value) == ("horizon", 0)
    assert error.problem and error.mend
