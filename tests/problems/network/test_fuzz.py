"""Random garbage: only `InvalidInput` may come out, and an environment that refused goes on as if nothing had been."""

from __future__ import annotations

import copy
import csv
import io
from pathlib import Path
from typing import Any

import gymnasium as gym
import hypothesis.strategies as st
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from restock import InvalidInput, load_problem
from restock.envs.registration import make_single, make_vector
from tests.problems.network.networks import random_network, small
from tests.problems.network.refusal import Odd

MORE = settings(max_examples=5 * settings.default.max_examples)

numbers = st.one_of(
    st.sampled_from([-1, 0, 1, 2, 3, 7, 40, 500, 10**9, 2**63, 10**30, 10**400, -(10**20)]),
    st.sampled_from([0.0, -0.0, 0.5, 1.0, 2.5, 20.0, -3.5, 1e-300, 5e-324, 1e11, 1e13, 1e300, 1.8e308]),
    st.sampled_from([float("nan"), float("inf"), -float("inf")]),
    st.floats(),
)
words = st.one_of(
    st.sampled_from(["", "poisson", "normal", "uniform", "negative_binomial", "deterministic", "empirical", "window"]),
    st.sampled_from(
        ["trend", "seasonal", "shock", "numpy", "sequential", "inverse", "serial", "1", "id", "name", "\0"]
    ),
    st.text(max_size=5),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    words,
    st.binary(max_size=3),
    st.complex_numbers(),
    st.dates(),
    st.builds(object),
    st.builds(Odd),
    st.builds(np.float32, st.floats(width=32)),
    st.sampled_from([np.int64(3), np.bool_(True), np.str_("a"), Path("a"), ...]),
)
tables = arrays(st.sampled_from(["f8", "f4", "i8", "?", "U2", "c16"]), array_shapes(min_dims=0, max_side=6, min_side=0))
garbage = st.recursive(
    st.one_of(scalars, tables),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(words, st.integers(0, 3), st.none()), inner, max_size=4),
    ),
    max_leaves=8,
)

FIELDS = """
id initial_inventory holding_cost capacity yield operating_cost from to lead_time price pipeline_cost fixed_cost
shortage_cost mean name horizon backlog discount nodes links markets demand distribution effects series noise_scale
goodwill sampler trend seasonal shock slope amplitude period phase time size growth decay floor cap sd cv low high
dispersion block file dataset column scale
""".split()
RICH: dict[str, Any] = {
    "distribution": {"name": "normal", "cv": 0.3},
    "effects": {"trend": {"slope": 0.1}, "seasonal": {"amplitude": 0.2, "period": 7, "phase": 1}, "shock": {"time": 2}},
    "goodwill": {"growth": 1.01, "decay": 0.9, "floor": 0.2, "cap": 2.0},
    "noise_scale": 1.2,
    "sampler": "inverse",
}


def places(data: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside nested lists and mappings."""
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [place for key, entry in entries for place in [(*at, key), *places(entry, (*at, key))]]


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A valid spec with one to three things wrong, or oddly right, in it."""
    if draw(st.booleans()):
        data = small(demand=copy.deepcopy(draw(st.sampled_from([{"mean": 5}, {"series": [3.0] * 6}, RICH]))))
    else:
        data = random_network(draw(st.integers(0, 10_000)), means=draw(st.booleans())) | {"horizon": 6}
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(places(data)))
        owner: Any = data
        for key in way:
            owner = owner[key]
        match draw(st.sampled_from(["replace", "replace", "remove", "repeat", "rename", "swap", "add"])):
            case "replace":
                owner[last] = draw(garbage)
            case "remove":
                del owner[last]
            case "repeat" if isinstance(owner, list):
                owner.append(copy.deepcopy(owner[last]))
            case "rename" if isinstance(owner, dict):
                owner[draw(st.sampled_from(FIELDS))] = owner.pop(last)
            case "swap" if isinstance(owner, list):
                owner[0], owner[last] = owner[last], owner[0]
            case "add" if isinstance(owner, dict):
                owner[draw(st.sampled_from(FIELDS))] = draw(garbage)
    return data


def refused_or_played(make: Any) -> Any:
    """What was made, after two periods of play that stay finite; None if it was refused."""
    try:
        env = make()
    except InvalidInput as error:
        assert str(error)
        return None
    env.reset(seed=1)
    for action in (env.action_space.low, env.action_space.high)[: env.problem.horizon]:
        obs, reward, *_ = env.step(action)
        assert np.isfinite(reward) and np.isfinite(obs).all() and np.isfinite(env.observe()).all()
        assert (env.observe() >= 0).all()
    return env


@MORE
@given(mutated())
def test_mutated_specs(data):
    refused_or_played(lambda: make_single(instance=data))


@MORE
@given(garbage)
def test_garbage_for_an_instance(data):
    refused_or_played(lambda: make_single(instance=data))


@MORE
@given(st.one_of(garbage, st.dictionaries(st.sampled_from(FIELDS), garbage, max_size=4)))
def test_garbage_for_demand(data):
    refused_or_played(lambda: make_single("restock/Serial-v0", demand=data, horizon=4))


forms = st.sampled_from(["quantity", "normalized", "order-up-to", "multidiscrete"])
keywords = st.fixed_dictionaries(
    {},
    optional={
        "horizon": st.one_of(st.integers(1, 5), garbage),
        "backlog": st.one_of(st.booleans(), garbage),
        "discount": st.one_of(st.just(0.9), garbage),
        "demand": st.one_of(st.just({"mean": 5}), garbage),
        "max_order": st.one_of(st.just(30), numbers, garbage),
        "action": st.one_of(forms, garbage),
        "observation": st.one_of(st.sampled_from(["flat", "scaled"]), garbage),
        "instance": st.one_of(st.just("diamond"), garbage),
        "something": garbage,
    },
)


@MORE
@given(keywords)
def test_garbage_for_keywords(given_keywords):
    try:
        env = gym.make("restock/Network-v0", **given_keywords)
    except InvalidInput:
        return
    except RuntimeError as shown:  # Gymnasium shows all keywords beside a TypeError, and some cannot be shown
        assert isinstance(shown.__context__, InvalidInput) and "something" in given_keywords
        return
    env.reset(seed=1)
    assert np.isfinite(env.step(env.action_space.sample())[1])


@given(keywords, st.one_of(st.integers(1, 3), garbage), garbage, garbage)
def test_garbage_for_vector_keywords(given_keywords, num_envs, mode, record):
    for forms in ({"num_envs": num_envs}, {"autoreset_mode": mode}, {"record": record}, {"render_mode": mode}):
        try:
            env = make_vector(**{"num_envs": 2, **given_keywords, **forms})
        except InvalidInput:
            continue
        env.reset(seed=1)
        assert np.isfinite(env.step(env.action_space.sample())[1]).all()


# files ----------------------------------------------------------------------------------------------

GOOD = yaml.safe_dump(small(), sort_keys=False)
snippets = st.one_of(
    st.sampled_from(
        ["&a ", "*a", "<<: ", "!!set ", "? ", "- ", ": ", "[", "]", "{", "}", "\n", "\t", "'", '"', "|", "---\n"]
    ),
    st.sampled_from(
        ["!!python/object:x ", "%YAML 9.9\n", "~", "1e3", "0x1F", "1_0", "2020-13-45", ".nan", "no", "\x85", "\ufeff"]
    ),
    st.text(max_size=4),
)


@MORE
@given(st.data())
def test_mutated_yaml(tmp_path_factory, data):
    text = GOOD
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(snippets) + text[at + data.draw(st.sampled_from([0, 0, 1, 3, 20])) :]
    path = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    refused_or_played(lambda: make_single(instance=path))


@given(st.binary(max_size=60))
def test_bytes_for_yaml(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    path.write_bytes(content)
    with pytest.raises(InvalidInput):
        load_problem(path)


cells = st.one_of(
    st.integers(0, 30).map(str), st.sampled_from(["", "a", "-1", "nan", '"', "1,5", "\n", ";", "\0", " 3 "])
)


@MORE
@given(st.lists(st.lists(cells, max_size=3), max_size=8), st.booleans(), st.sampled_from(["sold", "a", "", "1"]))
def test_garbage_for_csv(tmp_path_factory, rows, quoted, column):
    path = tmp_path_factory.getbasetemp() / "fuzzed.csv"
    table = [["sold", "a"], *rows] if quoted else rows
    text = io.StringIO(newline="")
    if quoted:
        csv.writer(text).writerows(table)
    else:
        text.write("\n".join(",".join(row) for row in table))
    path.write_text(text.getvalue(), newline="")
    demand = {"series": {"file": str(path), "column": column}}
    refused_or_played(lambda: make_single("restock/Serial-v0", horizon=2, demand=demand))


# play -----------------------------------------------------------------------------------------------

actions = st.one_of(
    garbage,
    arrays(st.sampled_from(["f4", "f8", "i8", "f2", "u1"]), st.sampled_from([(3,), (2,), (4,), (1, 3), ()])),
    st.lists(numbers, min_size=3, max_size=3),
    st.lists(st.floats(0, 50), min_size=3, max_size=3),
)
exogenous = st.one_of(
    garbage,
    st.fixed_dictionaries({"demand": st.one_of(garbage, st.lists(st.floats(-1, 50), min_size=4, max_size=4))}),
)
options = st.one_of(garbage, st.fixed_dictionaries({"exogenous": exogenous}))
moves = st.one_of(
    st.tuples(st.just("step"), actions),
    st.tuples(st.just("step"), actions),
    st.tuples(st.just("reset"), st.one_of(st.integers(0, 5), garbage), st.one_of(st.none(), options)),
)
DEMANDS = [{}, {"goodwill": True}, {"goodwill": True, "sampler": "sequential"}, {"sampler": "inverse"}]


@MORE
@given(forms, st.sampled_from(DEMANDS), st.lists(moves, min_size=1, max_size=12))
def test_whatever_is_refused_leaves_no_trace(form, demand, moves):
    """A twin is spared everything that was refused; both stay the same."""
    env, twin = (
        gym.make("restock/Serial-v0", horizon=4, action=form, demand=demand).unwrapped for _ in ("refusing", "spared")
    )
    env.reset(seed=1), twin.reset(seed=1)
    for kind, *what in moves:
        before = copy.deepcopy(env.np_random.bit_generator.state)
        try:
            result = env.step(what[0]) if kind == "step" else env.reset(seed=what[0], options=what[1])
        except InvalidInput:
            assert env.np_random.bit_generator.state == before
        else:
            other = twin.step(what[0]) if kind == "step" else twin.reset(seed=what[0], options=what[1])
            np.testing.assert_array_equal(result[0], other[0])
            assert result[1] == other[1]
        assert env.period == twin.period
        np.testing.assert_array_equal(env.observe(), twin.observe())
        assert np.isfinite(env.observe()).all()
        assert env.np_random.bit_generator.state == twin.np_random.bit_generator.state
    for _ in range(2):
        np.testing.assert_array_equal(env.reset()[0], twin.reset()[0])
        for _ in range(4):
            good = env.action_form.high
            one, other = env.step(good), twin.step(good)
            np.testing.assert_array_equal(one[0], other[0])
            assert one[1] == other[1]


@given(st.sampled_from(["NEXT_STEP", "SAME_STEP", "DISABLED"]), st.sampled_from(DEMANDS), st.data())
def test_whatever_the_vector_environment_refuses_leaves_no_trace(mode, demand, data):
    env, twin = (
        gym.make_vec("restock/Serial-v0", num_envs=2, horizon=3, autoreset_mode=mode, demand=demand, record=True)
        for _ in ("refusing", "spared")
    )
    env.reset(seed=1), twin.reset(seed=1)
    shapes = st.sampled_from([(2, 3), (2, 3), (3,), (2, 2)])
    pairs = st.one_of(
        garbage, arrays(st.sampled_from(["f4", "f8", "i8"]), shapes), st.lists(actions, min_size=2, max_size=2)
    )
    masks = st.one_of(garbage, arrays("?", st.sampled_from([(2,), (2,), (3,)])))
    wishes = st.one_of(garbage, options, st.fixed_dictionaries({"reset_mask": masks}))
    seeds = st.one_of(st.integers(0, 5), garbage, st.lists(st.one_of(st.none(), st.integers(-1, 9)), max_size=3))
    for _ in range(data.draw(st.integers(1, 10))):
        if data.draw(st.booleans()):
            action = data.draw(pairs)

            def move(world: Any, action: Any = action) -> Any:
                return world.step(action)
        else:
            seed, wish = data.draw(seeds), data.draw(st.one_of(st.none(), wishes))

            def move(world: Any, seed: Any = seed, wish: Any = wish) -> Any:
                return world.reset(seed=seed, options=wish)

        try:
            result = move(env)
        except InvalidInput:
            pass
        else:
            np.testing.assert_array_equal(result[0], move(twin)[0])
        np.testing.assert_array_equal(env.memory, twin.memory)
        np.testing.assert_array_equal(env._clock, twin._clock)
        assert env.trajectory.periods == twin.trajectory.periods
    env.reset(), twin.reset()
    for _ in range(3):
        np.testing.assert_array_equal(env.step(env.action_space.high)[0], twin.step(env.action_space.high)[0])
