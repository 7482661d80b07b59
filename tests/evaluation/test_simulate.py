"""Simulation: the same episodes an environment plays, and views that neither lead anywhere nor ahead."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import restock
from restock.core.play import MOST_EPISODES, draw, draw_each
from restock.core.streams import episode_seeds
from restock.evaluation import simulate as module
from restock.policies._base import Policy, View
from tests.problems.network.networks import random_network

SAMPLERS = ("numpy", "sequential", "inverse")


class Watching(Policy):
    """Orders ten on each link and keeps every view it is given."""

    name = "watching"
    summary = ""

    def __init__(self, problem: Any, spoil: bool = False) -> None:
        super().__init__(problem)
        self.spoil = spoil
        self.views: list[View] = []
        self.chance: Any = "not begun"

    def begin(self, episodes: int, seed: int, chance: Any) -> None:
        self.chance = chance
        self.views = []

    def act(self, view: View) -> np.ndarray:
        orders = np.full((len(view["on_hand"]), len(self.problem.links)), 10.0)
        orders[:, 0] += 0.01 * view["on_hand"][:, 0]
        self.views.append(
            View(
                view.t,
                {k: v.copy() for k, v in view.now.items()},
                {k: v.copy() for k, v in view.past.items()},
                None if view.mean is None else view.mean.copy(),
            )
        )
        if self.spoil:
            for array in view.now.values():
                array[...] = 1e6
            for array in [*view.past.values()] if view.mean is None else [*view.past.values(), view.mean]:
                with pytest.raises(ValueError, match="read-only"):
                    array[...] = 1e6
                with pytest.raises(ValueError, match="WRITEABLE"):
                    array.setflags(write=True)
        return orders


class Informed(Watching):
    name = "informed"
    may_know = ("informed",)


class Clairvoyant(Watching):
    name = "clairvoyant"
    may_know = ("clairvoyant",)


# the same episodes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["base-stock", "random"])
@pytest.mark.parametrize("goodwill", [False, True])
@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("instance", ["serial", "w-network", 5], ids=str)
def test_episode_is_the_one_an_environment_plays(instance, sampler, goodwill, policy):
    network = instance if isinstance(instance, str) else random_network(instance)
    options = {"demand": {"sampler": sampler, "goodwill": goodwill, "effects": ["trend"]}, "horizon": 20}
    result = restock.simulate(restock.load_problem(network, **options), policy, episodes=3, seed=40)
    env: Any = gym.make("restock/Network-v0", instance=network, max_order=1e9, **options).unwrapped
    for i in range(3):
        env.reset(seed=result.chance.seeds[i])
        for order in result.trajectory["ordered"][i]:
            env.step(order)
        single = env.trajectory
        for field in single:
            np.testing.assert_array_equal(single[field], result.trajectory[field][i], err_msg=field)
        np.testing.assert_allclose(env.kpis()["profit"], result.profit[i], rtol=1e-12)


def test_recorded_demand_is_met_as_given():
    demand = np.random.default_rng(0).integers(0, 50, (4, 30, 1)).astype(float)
    for policy in ("base-stock", "random"):
        result = restock.simulate("serial", policy, exogenous={"demand": demand})
        np.testing.assert_array_equal(result.trajectory["demand"], demand)
        seen = {"demand": result.trajectory.exogenous["demand"]}
        np.testing.assert_array_equal(restock.simulate("serial", policy, exogenous=seen).profit, result.profit)


def test_more_episodes_than_one_chunk(monkeypatch):
    problem = restock.load_problem("serial", horizon=5)
    whole = restock.simulate(problem, "base-stock", episodes=7, seed=1)
    monkeypatch.setattr(module, "CHUNK", 3)
    steps: list[tuple[int, int]] = []
    parts = restock.simulate(
        problem, "base-stock", episodes=7, seed=1, progress=lambda done, total: steps.append((done, total))
    )
    assert steps == [(3, 7), (6, 7), (7, 7)]
    for field in whole.trajectory:
        np.testing.assert_array_equal(whole.trajectory[field], parts.trajectory[field])


@pytest.mark.parametrize("policy", ["base-stock", "random", "hindsight"])
def test_progress_grows_to_its_end(policy):
    steps: list[tuple[int, int]] = []
    restock.simulate("serial", policy, episodes=3, progress=lambda done, total: steps.append((done, total)))
    done = [step for step, _ in steps]
    assert done == sorted(done) and len({total for _, total in steps}) == 1
    assert steps[-1][0] == steps[-1][1]


def test_figures_and_money_of_a_simulation():
    result = restock.simulate("divergent", "base-stock", episodes=5, seed=2)
    parts = {name: result.kpis[name] for name in result.trajectory.money}
    spent = sum(value for name, value in parts.items() if name != "revenue")
    np.testing.assert_allclose(parts["revenue"] - spent, result.profit)
    np.testing.assert_array_equal(result.kpis["profit"], result.profit)
    assert result.bound is None and result.seconds > 0
    best = restock.simulate("divergent", "hindsight", episodes=5, seed=2)
    np.testing.assert_allclose(best.bound, best.profit)


# what a policy may see ------------------------------------------------------------------------------


def watch(kind: type[Watching], spoil: bool = False) -> tuple[Any, Any]:
    problem = restock.load_problem("serial", demand={"effects": ["seasonal"]}, horizon=12)
    policy = kind(problem, spoil)
    return policy, restock.simulate(problem, policy, episodes=3, seed=9)


def test_a_view_shows_the_past_and_no_more():
    policy, result = watch(Watching)
    assert policy.chance is None
    for t, view in enumerate(policy.views):
        assert view.t == t and view.mean is None
        for name, values in view.past.items():
            recorded = result.trajectory[name]
            rows = recorded[:, 1 : t + 1] if name in result.trajectory.stocks else recorded[:, :t]
            assert values.shape == rows.shape
            np.testing.assert_array_equal(values, rows)
        for name, values in view.now.items():
            if name in result.trajectory.stocks:
                np.testing.assert_array_equal(values, result.trajectory[name][:, t])


def test_who_is_told_the_mean_and_who_the_episodes():
    informed, _ = watch(Informed)
    mean = restock.load_problem("serial", demand={"effects": ["seasonal"]}, horizon=12).demand.mean
    assert informed.chance is None
    for view in informed.views:
        np.testing.assert_array_equal(view.mean, np.broadcast_to(mean, (3, 12, 1)))
    clairvoyant, _ = watch(Clairvoyant)
    assert len(clairvoyant.chance) == 3


@pytest.mark.parametrize("kind", [Watching, Informed, Clairvoyant])
def test_what_is_written_into_a_view_changes_nothing(kind):
    _, honest = watch(kind)
    spoiler, spoiled = watch(kind, spoil=True)
    for field in honest.trajectory:
        np.testing.assert_array_equal(honest.trajectory[field], spoiled.trajectory[field])
    # And nothing that was spoiled in one period is seen in the next.
    assert all(np.abs(array).max(initial=0) < 1e6 for view in spoiler.views for array in view.now.values())
    assert all(np.abs(array).max(initial=0) < 1e6 for view in spoiler.views for array in view.past.values())


def under(array: Any) -> Any:
    """The array at the bottom of a view: that of the whole record."""
    while array is not None and not (isinstance(array, memoryview) and isinstance(array.obj, np.ndarray)):
        array = array.base if isinstance(array, np.ndarray) else array.obj
    return None if array is None else array.obj


class Keeping(Watching):
    """Keeps views as they are, and looks below them."""

    def act(self, view: View) -> np.ndarray:
        orders = super().act(view)
        self.views[-1] = view
        record = under(view.past["demand"])
        assert record is not None
        self.ahead = max(getattr(self, "ahead", 0.0), np.abs(record[:, view.t + 1 :]).max(initial=0.0))
        return orders


def test_a_view_that_is_kept_shows_later_what_it_showed_then():
    watching, _ = watch(Watching)
    keeping, _ = watch(Keeping)
    for then, now in zip(watching.views, keeping.views, strict=True):
        for name in then.past:
            np.testing.assert_array_equal(now.past[name], then.past[name])
            np.testing.assert_array_equal(now[name], then[name])


def test_the_past_is_not_copied_and_below_it_there_is_no_future():
    policy, _ = watch(Keeping)
    assert policy.ahead == 0.0
    one, other = policy.views[5].past, policy.views[9].past
    for name in one:
        assert np.shares_memory(one[name], other[name])


@pytest.mark.parametrize("instance", ["serial", "sharing", "production", "retail-hard", "minimal"])
def test_no_field_needs_a_copy_to_be_taken_out(instance):
    places = restock.load_problem(instance).layout.places
    assert all(isinstance(place, slice) for place in places.values())


def test_the_future_leaves_no_trace_in_what_a_policy_sees():
    # Two futures that agree for six periods: up to then a blind policy sees the same, bit by bit.
    problem = restock.load_problem("serial", horizon=12)
    demand = np.full((2, 12, 1), 20.0)
    demand[1, 6:] = 90.0
    policy = Watching(problem)
    restock.simulate(problem, policy, exogenous={"demand": demand})
    for view in policy.views[:7]:
        for array in (*view.now.values(), *view.past.values()):
            np.testing.assert_array_equal(array[0], array[1])
    assert not np.array_equal(policy.views[7].past["demand"][0], policy.views[7].past["demand"][1])


# what is refused --------------------------------------------------------------------------------------


class Broken(Watching):
    def __init__(self, problem: Any, decision: Any) -> None:
        super().__init__(problem)
        self.decision = decision

    def act(self, view: View) -> Any:
        return self.decision


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        (np.zeros((2, 2)), "= 'shape (2, 2)': act() returns decisions of shape (2, 3)"),
        (None, "shape ()': act() returns decisions of shape (2, 3)"),
        ([[1, 2, 3], [4, 5]], "= [[1, 2, 3], [4, 5]]: act() returns decisions of shape (2, 3)"),
        ("many", "= 'many': act() returns decisions"),
        (np.zeros(3), "act() returns decisions of shape (2, 3)"),
        (np.array([[1, 2, 3], [4, np.nan, 6]]), "nan: decision 1 of episode 1 is not finite"),
        (np.array([[np.inf, 2, 3], [4, 5, 6]]), "inf: decision 0 of episode 0 is not finite"),
    ],
)
def test_a_broken_policy_is_told(decision, said):
    problem = restock.load_problem("serial")
    with pytest.raises(restock.InvalidInput) as caught:
        restock.simulate(problem, Broken(problem, decision), episodes=2)
    assert said in str(caught.value) and "policy watching" in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"episodes": 0}, "episodes = 0: must be an integer >= 1"),
        ({"episodes": 2.5}, "episodes = 2.5"),
        ({"episodes": True}, "episodes = True"),
        ({"episodes": MOST_EPISODES + 1}, f"must be at most {MOST_EPISODES}"),
        ({"seed": -1}, "seed = -1: must be an integer >= 0"),
        ({"seed": "a"}, "seed = 'a'"),
        ({"policy": "bse-stock"}, "policy = 'bse-stock': there is no such policy"),
        ({"policy": 3}, "policy = 3: must be a name or a policy"),
        ({"problem": "serail"}, "instance = 'serail'"),
        ({"exogenous": {}}, "exogenous = {}: must be a mapping of names to arrays"),
        ({"exogenous": [1]}, "exogenous = [1]: must be a mapping"),
        ({"exogenous": {"demand": []}}, "every array has one entry an episode"),
        ({"exogenous": {"demand": 3.0}}, "every array has one entry an episode"),
        ({"exogenous": {"demand": np.zeros((2, 29))}}, "exogenous.demand = 'shape (29, 1)'"),
        ({"exogenous": {"demand": -np.ones((2, 30))}}, "demand cannot be negative"),
        ({"exogenous": {"demnd": np.ones((2, 30))}}, "Did you mean 'demand'?"),
    ],
)
def test_arguments_that_do_not_hold(arguments, said):
    with pytest.raises(restock.InvalidInput) as caught:
        restock.simulate(**{"problem": "serial", "policy": "base-stock", **arguments})
    assert said in str(caught.value)


def test_a_policy_of_another_network_is_refused():
    with pytest.raises(restock.InvalidInput, match="made for another problem"):
        restock.simulate("divergent", restock.make_policy("base-stock", "serial"))


def test_drawn_episodes_are_a_pure_function_of_their_seed():
    problem = restock.load_problem("divergent")
    together = draw(problem, 5, 10)
    np.testing.assert_array_equal(together.vectors[3], draw_each(problem, [together.seeds[3]]).vectors[0])
    part = together.rows(slice(1, 3))
    np.testing.assert_array_equal(part.vectors, draw_each(problem, part.seeds).vectors)
    assert part.seeds == together.seeds[1:3] == episode_seeds(10, 5)[1:3]
