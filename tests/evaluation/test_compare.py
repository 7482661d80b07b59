"""Comparison: common random numbers, paired differences, the gap, and cheats that are caught."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import restock
from restock.core.play import draw
from restock.core.streams import episode_seeds
from restock.demand import laws
from restock.evaluation.family import Family
from restock.evaluation.table import more_episodes
from restock.policies._base import Policy, View
from restock.policies.base_stock import BaseStock

HONEST = ["base-stock", "constant-order", "random"]


@pytest.fixture(scope="module")
def table() -> Any:
    return restock.compare("serial", HONEST, episodes=40, seed=42)


def test_every_policy_meets_the_same_demand(table):
    demands = [row.simulation.trajectory["demand"] for row in table.rows]
    assert len(demands) == 4
    for demand in demands[1:]:
        np.testing.assert_array_equal(demand, demands[0])


def test_under_goodwill_every_policy_meets_the_same_quantiles():
    # Goodwill moves the mean with the service, so demand differs; the random number behind it does not.
    problem = restock.load_problem("serial", demand={"goodwill": True, "sampler": "inverse"})
    table = restock.compare(problem, ["base-stock", "constant-order"], episodes=3, seed=5)
    rules = problem.rules(laws.POISSON)
    uniforms = draw(problem, 3, 5).vectors[:, len(rules) + 30 :].reshape(3, 30)
    demands = []
    for row in table.rows:
        trajectory = row.simulation.trajectory
        goodwill, demand = trajectory["sentiment"][:, 1:, 0], trajectory["demand"][:, :, 0]
        expected = [
            [laws.poisson_quantile(u, max(20.0 * s, 0.1)) for u, s in zip(*pair, strict=True)]
            for pair in zip(uniforms, goodwill, strict=True)
        ]
        np.testing.assert_array_equal(demand, expected)
        demands.append(demand)
    np.testing.assert_array_equal(demands[0][:, 0], demands[1][:, 0])
    assert not np.array_equal(demands[0], demands[1])


def test_rows_are_best_first_and_the_reference_is_honest(table):
    means = [row.profit.mean for row in table.rows]
    assert means == sorted(means, reverse=True)
    assert table.rows[0].name == "hindsight" and table.rows[0].information == "clairvoyant"
    assert table.reference == table.rows[1].name
    assert table.row(table.reference).difference is None and table.row(table.reference).better_in is None


def test_differences_add_up(table):
    best = table.row(table.reference)
    for row in table.rows:
        if row is best:
            continue
        paired = row.simulation.profit - best.simulation.profit
        np.testing.assert_allclose(row.difference.mean, row.profit.mean - best.profit.mean)
        half = table.family.critical * paired.std(ddof=1) / math.sqrt(40)  # of all pairs of the three
        np.testing.assert_allclose([row.difference.low, row.difference.high], paired.mean() + half * np.array([-1, 1]))
        assert row.better_in == (paired > 0).mean() == row.wins / 40
        assert (row.wins, row.ties, row.losses) == ((paired > 0).sum(), (paired == 0).sum(), (paired < 0).sum())
        assert row.relative == pytest.approx(paired.mean() / best.profit.mean)
    assert table.family == Family(3, 39)


def test_pairing_tells_apart_what_single_means_cannot():
    # Two policies that hardly differ: the demand they share cancels in the difference.
    problem = restock.load_problem("serial")
    pair = {f"level {s}": restock.make_policy("base-stock", problem, levels=[s, 130, 40]) for s in (129, 130)}
    table = restock.compare(problem, pair, episodes=60, seed=1, bound=False)
    other = next(row for row in table.rows if row.difference is not None)
    width = other.difference.high - other.difference.low
    assert width < 0.2 * (other.profit.high - other.profit.low)


def test_gap_and_bound(table):
    hindsight = table.row("hindsight")
    np.testing.assert_allclose(table.bound.mean, hindsight.simulation.bound.mean())
    assert table.bound_proven and table.exceeded == ()
    for row in table.rows:
        expected = 1 - row.simulation.profit.sum() / hindsight.simulation.bound.sum()
        np.testing.assert_allclose(row.gap, expected, atol=1e-12)
        assert 0.0 <= row.gap_interval.low <= row.gap <= row.gap_interval.high
    assert abs(hindsight.gap) < 1e-9


def test_the_order_in_which_policies_are_named_is_irrelevant(table):
    reversed_ = restock.compare("serial", HONEST[::-1], episodes=40, seed=42)
    assert timeless(reversed_) == timeless(table)


def timeless(table: Any) -> dict[str, Any]:
    data = table.to_dict()
    for row in data["policies"]:
        assert row.pop("seconds") >= 0
    return data


def test_without_a_bound():
    table = restock.compare("serial", HONEST, episodes=5, bound=False)
    assert [row.name for row in table.rows if row.name == "hindsight"] == []
    assert table.bound is None and not table.bound_proven
    assert all(row.gap is None for row in table.rows)


def test_under_goodwill_the_bound_is_not_called_proven():
    table = restock.compare(restock.load_problem("serial", demand={"goodwill": True}), ["base-stock"], episodes=4)
    assert table.bound is not None and not table.bound_proven
    np.testing.assert_allclose(table.bound.mean, table.row("hindsight").profit.mean)
    assert table.exceeded == ()


def test_own_names_and_parameters():
    problem = restock.load_problem("serial")
    table = restock.compare(
        problem,
        {"low": restock.make_policy("base-stock", problem, levels=10), "high": "base-stock"},
        episodes=5,
        bound=False,
    )
    assert table.reference == "high"
    low = next(row for row in table.to_dict()["policies"] if row["name"] == "low")
    assert low["parameters"] == {"level 1": 10.0, "level 2": 10.0, "level 3": 10.0}


def test_one_policy_that_knows_the_future_and_nobody_else():
    table = restock.compare("serial", ["hindsight"], episodes=3)
    assert table.reference == "hindsight" and len(table.rows) == 1


def test_one_episode_has_no_interval():
    row = restock.compare("serial", ["base-stock", "random"], episodes=1).rows[1]
    assert math.isnan(row.profit.low) and math.isnan(row.profit.high)


def test_windows_that_overlap_widen_the_intervals():
    series = np.random.default_rng(0).poisson(20, 160).astype(float)
    windows = np.lib.stride_tricks.sliding_window_view(series, 30)[::2][:, :, None]
    naive = restock.compare("serial", ["base-stock"], exogenous={"demand": windows})
    honest = restock.compare("serial", ["base-stock"], exogenous={"demand": windows}, block=15)
    assert naive.seed is None and honest.block == 15 and honest.episodes == len(windows)
    narrow, wide = (table.row("base-stock").profit for table in (naive, honest))
    assert wide.high - wide.low > 1.3 * (narrow.high - narrow.low)


def test_progress_names_each_policy_and_ends():
    told: list[tuple[str, int, int]] = []
    restock.compare("serial", ["base-stock", "random"], episodes=3, progress=lambda *step: told.append(step))
    assert list(dict.fromkeys(name for name, _, _ in told)) == ["base-stock", "random", "hindsight"]
    done = [step for _, step, _ in told]
    assert done == sorted(done) and told[-1][1:] == (300, 300)


# cheats -----------------------------------------------------------------------------------------------


class Smuggler(BaseStock):
    """Puts a thousand free units into the warehouse before the first period."""

    name = "smuggler"

    def begin(self, episodes: int, seed: int, chance: Any) -> None:
        self.problem.world(self.problem.plain.fresh)[4].on_hand[0] += 1000.0


def test_a_policy_above_a_proven_bound_is_named():
    problem = restock.load_problem("serial")
    honest = restock.compare(problem, ["base-stock"], episodes=4, seed=3)
    assert honest.exceeded == ()
    # The stock is cheap to sell and dear to keep; free units win where there is a market for them.
    busy = restock.load_problem("serial", demand={"mean": 60})
    table = restock.compare(busy, [Smuggler(busy)], episodes=4, seed=3)
    assert table.bound_proven and "smuggler" in table.exceeded
    assert "smuggler" in table.to_dict()["exceeded"]


def test_a_bound_that_is_too_low_is_noticed(monkeypatch):
    from restock.solvers import lp

    solve = lp.NetworkProgram.solve

    def wrong(self: Any, demand: Any) -> lp.Solution:
        solution = solve(self, demand)
        return lp.Solution(solution.orders, solution.profit, solution.bound * 0.8)

    monkeypatch.setattr(lp.NetworkProgram, "solve", wrong)
    table = restock.compare("serial", ["base-stock", "random"], episodes=4, seed=3)
    assert table.exceeded == ("hindsight", "base-stock")


# what is refused ----------------------------------------------------------------------------------------


class Nameless(Policy):
    name = "hindsight-like"
    summary = ""

    def act(self, view: View) -> np.ndarray:
        return np.zeros((len(view["on_hand"]), 3))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"policies": []}, "policies = []: there is nothing to compare"),
        ({"policies": "base-stock"}, "policies = 'base-stock': must be a list of policies"),
        ({"policies": 3}, "policies = 3: must be a list"),
        ({"policies": ["base-stock", "base-stock"]}, "policies = 'base-stock': this is in the list twice"),
        ({"policies": ["base-stock", None]}, "policy = None: must be a name or a policy"),
        ({"policies": {"hindsight": "base-stock"}}, "policies = 'hindsight': this is the name of the bound"),
        ({"block": 0}, "block = 0: must be an integer >= 1"),
        ({"block": 1.5}, "block = 1.5"),
        ({"block": True}, "block = True"),
        ({"episodes": -3}, "episodes = -3"),
    ],
)
def test_arguments_that_do_not_hold(arguments, said):
    with pytest.raises(restock.InvalidInput) as caught:
        restock.compare(**{"problem": "serial", "policies": ["random"], **arguments})
    assert said in str(caught.value)


def test_a_policy_of_ones_own():
    problem = restock.load_problem("serial")
    table = restock.compare(problem, [Nameless(problem), "base-stock"], episodes=3)
    assert table.row("hindsight-like").kpis["bullwhip_cv"] == 0.0


def test_p_values_are_adjusted_and_open_verdicts_say_what_they_need():
    levels = {"one": (100, 120, 130), "near": (98, 122, 131), "far": (60, 80, 90)}
    problem = restock.load_problem("serial")
    chosen = {name: BaseStock(problem, levels=list(level)) for name, level in levels.items()}
    table = restock.compare(problem, chosen, episodes=12, seed=8)
    assert table.row(table.reference).p is None and table.row("hindsight").p is None
    rivals = [row for row in table.rows if row.p is not None]
    assert len(rivals) == 2
    best = table.row(table.reference).simulation.profit
    assert [row.p for row in rivals] == [table.family.judge(row.simulation.profit - best)[1] for row in rivals]
    near, far = rivals
    assert far.p < 0.001 and far.more_episodes is None
    assert near.p > 0.05 and near.more_episodes == more_episodes(near.simulation.profit - best, Family(3, 11))
    told = {row["name"]: row for row in table.to_dict()["policies"]}
    assert (told[near.name]["p"], told[near.name]["more_episodes"]) == (near.p, near.more_episodes)


def test_rounding_is_no_difference():
    """Profits that differ in the last digits only, all to one side, are the same."""
    problem = restock.load_problem("serial")

    class Rounded(BaseStock):
        name = "rounded"

        def __init__(self, problem):
            super().__init__(problem, levels=[100.0 * (1.0 + 1e-14), 120.0, 130.0])

    chosen = {"one": BaseStock(problem, levels=[100, 120, 130]), "other": Rounded(problem)}
    table = restock.compare(problem, chosen, episodes=10, seed=3, bound=False)
    rival = next(row for row in table.rows if row.p is not None)
    assert (rival.p, rival.more_episodes) == (1.0, None)


# the episodes ---------------------------------------------------------------------------------------


def test_the_table_tells_the_seed_of_each_episode(table):
    assert table.seeds == episode_seeds(42, 40) and table.to_dict()["seeds"] == list(table.seeds)
    env: Any = gym.make("restock/Serial-v0").unwrapped
    for i in (0, 7):
        env.reset(seed=table.seeds[i])
        for order in table.row("base-stock").simulation.trajectory["ordered"][i]:
            env.step(order)
        assert env.kpis()["profit"] == pytest.approx(table.row("base-stock").simulation.profit[i])


def test_another_seed_shares_no_episode():
    """Whoever chooses on one seed and reports on the next reports on fresh episodes."""
    first, second = (restock.compare("serial", ["base-stock"], 100, seed, bound=False) for seed in (0, 1))
    demand = [table.rows[0].simulation.trajectory["demand"][..., 0] for table in (first, second)]
    shared = (demand[0][:, None] == demand[1][None]).all(axis=2)
    assert not shared.any() and not set(first.seeds) & set(second.seeds)


def test_the_first_of_many_episodes_are_those_of_few():
    few, many = (restock.simulate("serial", "base-stock", episodes=n, seed=3) for n in (4, 9))
    assert few.profit.tolist() == many.profit[:4].tolist()


def test_episodes_by_their_own_seeds():
    table = restock.compare("serial", ["base-stock"], seeds=[42, 7], bound=False)
    assert (table.episodes, table.seed, table.seeds) == (2, None, (42, 7))
    alone = restock.simulate("serial", "base-stock", seeds=[7])
    assert alone.profit[0] == table.rows[0].simulation.profit[1]
    again = restock.compare("serial", ["base-stock"], seeds=episode_seeds(5, 3), seed=5, bound=False)
    assert again.seed == 5
    demand = np.ones((2, 30, 1))
    assert restock.compare("serial", ["base-stock"], exogenous={"demand": demand}, bound=False).seeds == ()
    for wrong in ([], "42", 42, [-1]):
        with pytest.raises(restock.InvalidInput, match="seed"):
            restock.compare("serial", ["base-stock"], seeds=wrong)
    with pytest.raises(restock.InvalidInput, match="seeds"):
        restock.compare("serial", ["base-stock"], seeds=[1], exogenous={"demand": demand})


@pytest.mark.parametrize(
    "demand",
    [{"distribution": "deterministic"}, {"distribution": "deterministic", "goodwill": True, "sampler": "sequential"}],
)
def test_identical_episodes_have_no_interval_and_no_test(demand):
    """Nothing is random, so a hundred episodes say no more than one."""
    table = restock.compare(
        restock.load_problem("serial", demand=demand), ["base-stock", "constant-order"], episodes=20
    )
    assert table.identical and table.to_dict()["identical"] is True
    for row in table.rows:
        assert math.isnan(row.profit.low) and row.p is None and row.wins is None and row.more_episodes is None
        assert row.difference is None or math.isnan(row.difference.low)
        assert row.gap_interval is None or math.isnan(row.gap_interval.low)


def test_recorded_episodes_that_repeat_are_identical():
    demand = np.tile(np.random.default_rng(0).poisson(20.0, (1, 30, 1)).astype(float), (6, 1, 1))
    assert restock.compare("serial", ["base-stock"], exogenous={"demand": demand}).identical
    demand[3, 5] += 1.0
    assert not restock.compare("serial", ["base-stock"], exogenous={"demand": demand}).identical
    assert not restock.compare("serial", ["base-stock"], episodes=1).identical
