"""Parameters found by simulation: against optima known exactly, for every policy, on every network."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import cma
import numpy as np
import pytest
import yaml

import restock
from restock.core.errors import InvalidInput
from restock.core.play import draw
from restock.evaluation import fit as module
from restock.evaluation.simulate import run
from restock.policies._base import Policy, Tunable
from restock.problems.network.load import instances
from tests.policies.homes import home
from tests.policies.test_levels import one_node

TUNABLE = [name for name in restock.list_policies("network") if restock.make_policy(name, home(name)).tunables()]


def earned(problem: Any, name: str, parameters: dict[str, Any], chance: Any) -> float:
    return float(run(problem, restock.make_policy(name, problem, **parameters), chance, 0).profit.mean())


# optima that are known ------------------------------------------------------------------------------


@pytest.mark.parametrize("backlog", [True, False])
@pytest.mark.parametrize("distribution", ["poisson", {"name": "negative_binomial", "dispersion": 5}, "normal"])
def test_base_stock_at_one_node_is_the_newsvendor_quantile(distribution, backlog):
    # Supplied at once and paying nothing for goods, the node loses h for a unit left and b (lost: b + p) for one short.
    network = one_node(price=0.0 if backlog else 2.0)
    demand = {"mean": 20, "distribution": distribution}
    problem = restock.load_problem(network, demand=demand, backlog=backlog)
    found = restock.fit(problem, "base-stock", episodes=64, budget=400, levels={"shop": 10})
    asked = draw(problem, 64, 0, module.SEARCHED).vectors[:, -problem.horizon :]
    ratio = 9.0 / 10.0 if backlog else 11.0 / 12.0
    best = np.quantile(asked, ratio, method="inverted_cdf")
    level = found.parameters["levels"]["shop"]
    assert level == pytest.approx(best, abs=0.05 if distribution != "normal" else 0.3)
    assert found.in_sample.mean == pytest.approx(
        earned(problem, "base-stock", {"levels": best}, draw(problem, 64, 0, module.SEARCHED)), rel=1e-3
    )


def test_s_S_finds_the_economic_batch():
    # 10 a period, K = 40, h = 1: no plan costs less than 700 in 30 periods, an order for every three (Wagner, Whitin).
    network = one_node(link={"fixed_cost": 40.0})
    problem = restock.load_problem(network, demand={"mean": 10, "distribution": "deterministic"})
    found = restock.fit(problem, "s-S", episodes=1, budget=800, multiples=1.0, batches=25)
    assert found.start.mean < -750.0
    assert -705.0 <= found.in_sample.mean <= -700.0


def test_fitted_levels_of_a_series_are_as_good_as_a_search_of_all():
    problem = restock.load_problem("serial", horizon=20)
    found = restock.fit(problem, "base-stock", episodes=20, budget=250, tune=["levels"])
    chance = draw(problem, 20, 0, module.SEARCHED)
    grid = [
        earned(problem, "base-stock", {"levels": [a, b, c]}, chance)
        for a in (110, 120, 130) for b in (60, 80, 100, 120) for c in (0, 20, 40)
    ]  # fmt: skip
    assert found.in_sample.mean >= max(grid) - 0.1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["newsvendor", "base-stock", "capped-base-stock"])
def test_few_numbers_are_searched_for_to_the_end_of_the_budget(name, seed):
    """One to three numbers and a real budget: the search once ended in an error of its sampler, and all was lost."""
    tune = {"newsvendor": ["service"], "base-stock": ["levels"], "capped-base-stock": ["caps"]}[name]
    for problem in ("serial", one_node()):
        found = restock.fit(problem, name, episodes=32, budget=1500, seed=seed, tune=tune)
        assert found.finished and found.evaluations > 1000
        assert found.in_sample.mean >= found.start.mean


def test_what_was_found_is_kept_whatever_becomes_of_the_search(monkeypatch):
    honest, calls = cma.CMAEvolutionStrategy.tell, []

    def failing(self, *args, **kwargs):
        calls.append(1)
        if len(calls) % 5 == 0:
            raise RuntimeError("A sampler variance has become negative")
        return honest(self, *args, **kwargs)

    monkeypatch.setattr(cma.CMAEvolutionStrategy, "tell", failing)
    found = restock.fit("serial", "base-stock", episodes=16, budget=400, levels=[60, 60, 20])
    assert len(calls) > 10 and found.finished and found.in_sample.mean > found.start.mean + 100


# what comes out -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TUNABLE)
@pytest.mark.parametrize("network", instances())
def test_every_policy_on_every_network(network, name):
    problem = restock.load_problem(network)
    found = restock.fit(problem, name, episodes=24, budget=60)
    assert found.evaluations <= 60 and found.finished
    assert found.in_sample.mean >= found.start.mean
    again = restock.make_policy(name, network, **yaml.safe_load(json.dumps(found.parameters)))
    chance = draw(problem.prior() if found.policy.information == "blind" else problem, 24, 0, module.SEARCHED)
    world = found.policy.problem
    assert run(world, again, chance, 0).profit.mean() == found.in_sample.mean
    json.dumps(found.to_dict(), default=list)


def test_same_seed_same_parameters_and_numpy_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    one = restock.fit("divergent", "s-S", episodes=16, budget=80, seed=3)
    two = restock.fit("divergent", "s-S", episodes=16, budget=80, seed=3)
    other = restock.fit("divergent", "s-S", episodes=16, budget=80, seed=4)
    assert one.parameters == two.parameters != other.parameters
    assert one.in_sample == two.in_sample and one.held_out == two.held_out
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_informed_on_the_problem_blind_on_the_prior():
    problem = restock.load_problem("serial", demand={"effects": ["shock"]})
    blind = restock.fit(problem, "echelon-base-stock", episodes=16, budget=80)
    prior = restock.fit("serial", "echelon-base-stock", episodes=16, budget=80)
    assert blind.parameters == prior.parameters
    assert blind.policy.information == "blind" == blind.parameters["information"]
    informed = restock.fit(problem, "echelon-base-stock", episodes=16, budget=80, information="informed")
    assert informed.policy.information == "informed" == informed.parameters["information"]
    assert informed.in_sample.mean > 1.2 * blind.in_sample.mean  # twice the demand from the middle on


def test_start_that_cannot_be_beaten_is_kept():
    problem = restock.load_problem(one_node(), demand={"mean": 20, "distribution": "deterministic"})
    found = restock.fit(problem, "base-stock", episodes=2, budget=40, levels=20.0)
    assert found.start.mean == found.in_sample.mean == 0.0
    assert found.parameters == {"levels": 20.0, "information": "blind"}


def test_what_is_given_is_what_is_turned():
    """Levels that are given are searched from there; a formula makes way for multiples."""
    given = restock.fit("serial", "echelon-base-stock", episodes=8, budget=40, levels=[110, 220, 240])
    assert given.tuned == ("levels",)
    planned = restock.fit("serial", "echelon-base-stock", episodes=8, budget=40, service=0.6)
    assert planned.tuned == ("multiples",)
    named = restock.fit("serial", "s-S", episodes=8, budget=40, multiples=1.1, tune=["batches"])
    assert named.tuned == ("batches",) and named.parameters["multiples"] == 1.1
    fixed = restock.fit("serial", "s-S", episodes=8, budget=40, multiples=1.1, tune=["reorder_points"])
    assert "multiples" not in fixed.parameters and len(fixed.parameters["reorder_points"]) == 3


def test_shares_find_the_cheap_supplier():
    network = one_node()
    network["nodes"].append({"id": "dear"})
    network["links"].append({"from": "dear", "to": "shop", "lead_time": 0, "price": 0.5})
    network["links"][0]["price"] = 0.4
    problem = restock.load_problem(network)
    found = restock.fit(problem, "base-stock", episodes=16, budget=300, tune=["shares", "multiples"])
    assert found.policy.shares[0] > 0.99


def test_goodwill_drawn_period_by_period_is_fitted_on_the_same_demand_drawn_before():
    demand = {"goodwill": True, "sampler": "sequential"}
    one = restock.fit(restock.load_problem("serial", demand=demand), "base-stock", episodes=16, budget=40)
    two = restock.fit("serial", "base-stock", episodes=16, budget=40)
    other = restock.load_problem("serial", demand={"goodwill": True})
    assert one.parameters == restock.fit(other, "base-stock", episodes=16, budget=40).parameters != two.parameters


def test_recorded_demand_has_nothing_held_out():
    past = np.random.default_rng(1).poisson(22, size=(12, 30, 1)).astype(float)
    start = [110.0, 110.0, 22.0]
    found = restock.fit("serial", "base-stock", exogenous={"demand": past}, tune=["levels"], levels=start, budget=200)
    assert found.held_out is None and found.gain is None and found.episodes == 12
    assert list(found.parameters) == ["levels", "information"]
    assert found.in_sample.mean > found.start.mean
    result = restock.simulate("serial", found.policy, exogenous={"demand": past})
    assert result.profit.mean() == pytest.approx(found.in_sample.mean, rel=1e-12)


def test_a_policy_of_ones_own_needs_no_text(monkeypatch):
    class Own(Policy):
        name, summary = "own", ""

        def __init__(self, problem: Any, order: float = 5.0, information: Any = None) -> None:
            super().__init__(problem, information)
            self.order = order

        def act(self, view: Any) -> np.ndarray:
            return np.full((len(view["on_hand"]), len(self.problem.links)), self.order)

        def tunables(self) -> dict[str, Tunable]:
            return {"order": Tunable(np.array(self.order), np.array(5.0), np.array(0.0), np.array(np.inf))}

    monkeypatch.setattr(module, "make_policy", lambda name, problem, **params: Own(problem, **params))
    found = restock.fit(one_node(), "own", episodes=4, budget=60)
    assert 19.0 < found.parameters["order"] < 23.0


# what may go wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": "s-s"}, "policy = 's-s': there is no such policy. Did you mean 's-S'?"),
        ({"name": "random"}, "policy = 'random': it has no parameters to fit"),
        ({"name": "hindsight"}, "policy = 'hindsight': it knows the future already"),
        ({"episodes": 0}, "episodes = 0: must be an integer >= 1"),
        ({"budget": 0}, "budget = 0: must be an integer >= 1"),
        ({"budget": 2.5}, "budget = 2.5: must be an integer"),
        ({"seed": -1}, "seed = -1: must be an integer"),
        ({"tune": ["level"]}, "tune = 'level': s-S cannot be tuned in that. Known:"),
        ({"tune": "multiples"}, "tune = 'multiples': must be a list of parameters"),
        ({"tune": ["shares"]}, "tune = 'shares': s-S cannot be tuned in that"),
        ({"information": "clairvoyant"}, "information = 'clairvoyant': s-S decides on these levels"),
        ({"batch": 3}, "batch = 3: s-S has no such parameter. Did you mean 'batches'?"),
        ({"exogenous": {"demand": [[1.0]]}}, "exogenous.demand"),
    ],
)
def test_bad_input(arguments, said):
    with pytest.raises(InvalidInput) as caught:
        restock.fit("serial", **{"name": "s-S", "budget": 20, "episodes": 2} | arguments)
    assert said in str(caught.value)


def test_interrupted_keeps_the_best_so_far_or_lets_it_through():
    def stop(done: int, budget: int) -> None:
        if done > 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restock.fit("serial", "s-S", episodes=8, budget=200, progress=stop, multiples=0.5)
    found = restock.fit("serial", "s-S", episodes=8, budget=200, progress=stop, multiples=0.5, stoppable=True)
    assert not found.finished and 40 < found.evaluations < 60
    assert found.in_sample.mean > found.start.mean and found.held_out is not None


def test_progress_never_runs_backwards():
    seen: list[tuple[int, int]] = []
    restock.fit("serial", "s-S", episodes=4, budget=50, progress=lambda *at: seen.append(at))
    assert seen == sorted(seen) and seen[-1] == (50, 50) and len(seen) > 3


def test_the_search_says_nothing_of_pictures_that_it_does_not_draw():
    """The optimizer warns where matplotlib is not installed, which nobody who fits needs."""
    code = (
        "import sys; sys.modules['matplotlib'] = None; sys.modules['matplotlib.pyplot'] = None\n"
        "from restock.evaluation.fit import fit; fit('serial', 'base-stock', episodes=4, budget=8)"
    )
    ran = subprocess.run([sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=True)
    assert "matplotlib" not in ran.stderr
