"""Imitation: behaviour cloning and DAgger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import restock
from restock.core.errors import InvalidInput
from restock.core.play import Table, draw
from restock.evaluation.simulate import run as simulate
from restock.learning.foresight import Foresight
from restock.learning.paths import trainable
from restock.learning.run_folder import LAST, RunFolder
from restock.learning.train import resume, train
from restock.policies import Policy

SMALL: dict[str, Any] = {"architecture": {"hidden": [32]}, "held_out": 16}


def test_a_clone_of_base_stock_orders_like_it(tmp_path: Path) -> None:
    """The teacher's decision is a simple function of the state, so a network can learn it."""
    numbers: dict[str, Any] = {"teacher": "base-stock", "episodes": 128, "steps": 400}
    shape = {"hidden": [64]}
    train("serial", tmp_path / "run", "bc", architecture=shape, held_out=16, **numbers)
    clone, teacher = (
        restock.simulate("serial", policy, episodes=50, seed=9).profit.mean()
        for policy in (str(tmp_path / "run"), restock.make_policy("base-stock", "serial", information="informed"))
    )
    assert clone == pytest.approx(teacher, rel=0.05)
    assert RunFolder(tmp_path / "run").metrics()[0]["train/loss"] < 0.1


def test_dagger_asks_where_the_network_has_been_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    numbers: dict[str, Any] = SMALL | {"teacher": "base-stock", "episodes": 8, "steps": 20, "rounds": 3}
    expected = train("serial", tmp_path / "whole", "dagger", seed=2, **numbers)

    def stop(report: Any, gaps: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train("serial", tmp_path / "cut", "dagger", seed=2, tell=stop, **numbers)
    shown = RunFolder(tmp_path / "cut").load(LAST)["shown"]
    assert len(shown[-1]) == 8 and shown[-1].shape[1:] == (30, 3)
    found = resume(tmp_path / "cut")
    assert found | {"cpu_seconds": 0} == expected | {"cpu_seconds": 0}
    one, other = (RunFolder(tmp_path / name).load(LAST)["actor"] for name in ("whole", "cut"))
    assert all(np.array_equal(one[name].numpy(), other[name].numpy()) for name in one)
    assert [line["step"] for line in RunFolder(tmp_path / "cut").metrics()] == [20, 40, 60]


def test_a_blind_network_may_have_a_teacher_who_knows_the_curve(tmp_path: Path) -> None:
    numbers: dict[str, Any] = SMALL | {"teacher": "base-stock", "episodes": 32, "steps": 2}
    train("serial", tmp_path / "run", "bc", regimes={"kind": "effects"}, **numbers)
    assert restock.make_policy(str(tmp_path / "run"), "serial").information == "blind"


def test_hindsight_can_be_cloned(tmp_path: Path) -> None:
    train("serial", tmp_path / "run", "bc", teacher="hindsight", episodes=4, steps=2, **SMALL)
    assert restock.simulate("serial", str(tmp_path / "run"), episodes=2).profit.shape == (2,)


class Seer(Policy):
    """A clairvoyant policy from outside."""

    name = "seer"
    may_know = ("clairvoyant",)

    def act(self, view: Any) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize("backlog", [True, False])
def test_foresight_is_hindsight_on_its_own_path_and_better_than_it_elsewhere(backlog: bool) -> None:
    """Planning anew from the state one is in: the same optimum, and no worse plan after a bad start."""
    problem = trainable(restock.load_problem("divergent", backlog=backlog))
    episodes = draw(problem, 2, 5)
    best = simulate(problem, restock.make_policy("hindsight", problem), episodes, 0).profit
    assert simulate(problem, Foresight(problem), episodes, 0).profit == pytest.approx(best, rel=1e-6)

    class Late(Foresight):
        """Orders nothing for eight periods."""

        def act(self, view: Any) -> Any:
            return super().act(view) * (view.t >= 8)

    table, orders = Table(problem, episodes), restock.make_policy("hindsight", problem)
    orders.begin(2, 0, episodes)
    plan = orders._plans.copy()  # type: ignore[attr-defined]
    plan[:, :8] = 0.0
    for t in range(problem.horizon):
        table.advance(plan[:, t])
    assert (simulate(problem, Late(problem), episodes, 0).profit > table.rewards.sum(axis=1) + 1.0).all()


def test_dagger_asks_hindsight_where_the_network_has_been(tmp_path: Path) -> None:
    numbers: dict[str, Any] = SMALL | {"teacher": "hindsight", "episodes": 2, "steps": 2, "rounds": 2}
    train("serial", tmp_path / "run", "dagger", **numbers)
    assert len(RunFolder(tmp_path / "run").metrics()) == 2


@pytest.mark.parametrize(
    ("algo", "numbers", "field", "words"),
    [
        ("dagger", {"teacher": "tests.learning.test_imitation:Seer"}, "teacher", "its plan is for its own path"),
        ("bc", {"teacher": "rollin"}, "policy", "Did you mean 'rolling'"),
        ("bc", {"stepps": 3}, "stepps", "steps"),
    ],
)
def test_bad_numbers_are_told(algo: str, numbers: dict[str, Any], field: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as told:
        train("serial", tmp_path / "run", algo, **numbers)
    assert told.value.field == field and words in str(told.value)
    assert not (tmp_path / "run").exists()
