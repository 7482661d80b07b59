"""Pathwise training: it improves, it goes on where it stopped, and what it leaves is a policy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import restock
from restock.core.errors import InvalidInput
from restock.core.play import draw
from restock.core.rowwise import RowWise
from restock.evaluation.simulate import run
from restock.learning.config import Family
from restock.learning.metrics import CLOCKS
from restock.learning.regimes import Members
from restock.learning.run_folder import BEST, LAST, RunFolder
from restock.learning.start import plans
from restock.learning.train import resume, train

torch = pytest.importorskip("torch")
SMALL: dict[str, Any] = {"steps": 20, "batch": 16, "restarts": 2, "evaluate_every": 5, "held_out": 16}
TINY_NETWORK = {"hidden": [8]}


class Stop(Exception):
    """Somebody pressed Ctrl-C."""


@pytest.fixture(scope="module", autouse=True)
def _fewer_linear_programs() -> Iterator[None]:
    """What training begins at and is judged against, from fewer episodes: they are not what is tested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("restock.learning.held_out.MOST_SOLVED", 2)
        patch.setattr("restock.learning.start.PATHS", 1)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run on the serial network under goodwill."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    train("serial", folder, architecture=TINY_NETWORK, **SMALL)
    return folder


def weights(folder: Path, name: str = LAST) -> Any:
    return RunFolder(folder).load(name)["actor"]


def same_weights(one: Any, other: Any) -> bool:
    return list(one) == list(other) and all(torch.equal(one[name], other[name]) for name in one)


def metrics(folder: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in line.items() if k not in CLOCKS} for line in RunFolder(folder).metrics()]


def test_a_smoke_run_improves_over_the_untrained_policy(tmp_path: Path) -> None:
    numbers: dict[str, Any] = {"restarts": 1, "held_out": 64, "architecture": {"start": None}}
    result = train("serial", tmp_path / "run", steps=120, evaluate_every=120, batch=64, **numbers)
    first = train("serial", tmp_path / "none", steps=1, batch=1, **numbers)
    assert result["profit"] > first["profit"] + 50.0
    assert result["profit"] > result["baseline"]
    assert result["information"] == "informed"


@pytest.mark.parametrize("goodwill", [False, True])
def test_a_stopped_and_resumed_run_is_the_uninterrupted_one(tmp_path: Path, goodwill: bool) -> None:
    problem = restock.load_problem("serial", demand={"goodwill": goodwill})
    train(problem, tmp_path / "whole", architecture=TINY_NETWORK, **SMALL)
    for evaluations in (2, 3):  # in the first restart, and in the second
        told = 0

        def tell(report: Any, gaps: Any) -> None:
            nonlocal told
            told += 1
            if told == evaluations:  # noqa: B023
                raise Stop

        with pytest.raises(Stop):
            train(problem, tmp_path / "parts", tell=tell, architecture=TINY_NETWORK, **SMALL)
    RunFolder(tmp_path / "parts").record({"step": "written after the last checkpoint"})
    result = resume(tmp_path / "parts")
    for name in (LAST, BEST):
        assert same_weights(weights(tmp_path / "whole", name), weights(tmp_path / "parts", name))
    assert metrics(tmp_path / "whole") == metrics(tmp_path / "parts")
    assert result["profit"] == RunFolder(tmp_path / "whole").result()["profit"]  # type: ignore[index]


def test_training_begins_at_the_mean_orders_of_a_look_ahead(tmp_path: Path) -> None:
    few: dict[str, Any] = {"steps": 1, "batch": 1, "restarts": 1, "held_out": 32, "peak_rate": 1e-9}
    begun = train("divergent", tmp_path / "begun", **few)
    flat = train("divergent", tmp_path / "flat", architecture={"start": None}, **few)
    assert begun["profit"] > flat["profit"] + 100.0


def test_a_generalist_begins_at_the_orders_of_one_who_knows_the_demand(tmp_path: Path) -> None:
    few: dict[str, Any] = {"steps": 1, "batch": 1, "restarts": 1, "held_out": 64, "peak_rate": 1e-9}
    kind = {"kind": "effects"}
    begun = train("divergent", tmp_path / "begun", regimes=kind, **few)
    flat = train("divergent", tmp_path / "flat", architecture={"start": None}, regimes=kind, **few)
    assert begun["profit"] > flat["profit"] + 100.0


def test_with_fixed_costs_training_begins_without_integer_programs() -> None:
    pooled: Any = restock.load_problem("pooled-supply")
    assert pooled.world(pooled.plain.fresh)[1].fixed_cost.any()
    orders = plans([pooled], None, "rolling")
    np.testing.assert_array_equal(orders, plans([pooled], None, "s-S"))
    assert orders.shape == (1, 4, pooled.horizon, len(pooled.links)) and orders.any()


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5])
def test_a_few_steps_are_enough_for_a_run(tmp_path: Path, steps: int) -> None:
    train("serial", tmp_path / "few", architecture=TINY_NETWORK, **SMALL | {"steps": steps})
    assert [line["step"] for line in metrics(tmp_path / "few")] == [steps, steps]


def test_the_seed_makes_the_run(trained: Path, tmp_path: Path) -> None:
    again = train("serial", tmp_path / "again", architecture=TINY_NETWORK, **SMALL)
    other = train("serial", tmp_path / "other", architecture=TINY_NETWORK, seed=1, **SMALL)
    assert same_weights(weights(trained, BEST), weights(tmp_path / "again", BEST))
    assert again["profit"] != other["profit"]


def test_restarts_differ_and_the_best_is_kept(trained: Path) -> None:
    lines = metrics(trained)
    assert {line["restart"] for line in lines} == {0, 1}
    best = max(lines, key=lambda line: line["profit"])
    assert RunFolder(trained).result()["profit"] == pytest.approx(best["profit"])  # type: ignore[index]
    kept = RunFolder(trained).load(BEST)
    assert (kept["restart"], kept["step"]) == (best["restart"], best["step"])


def test_the_folder_says_all(trained: Path, tmp_path: Path) -> None:
    moved = tmp_path / "somewhere" / "else"
    shutil.copytree(trained, moved)
    policy = restock.make_policy(str(moved), "serial")
    assert (policy.name, policy.information) == ("else", "informed")
    there = restock.simulate("serial", policy, episodes=20, seed=3)
    here = restock.simulate("serial", str(trained), episodes=20, seed=3)
    np.testing.assert_array_equal(there.profit, here.profit)
    assert set(json.loads((moved / "versions.json").read_text())) >= {"restock", "torch", "numpy"}
    assert yaml.safe_load((moved / "config.yaml").read_text())["seed"] == 0


def test_a_series_in_a_file_is_kept_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("units\n" + "\n".join(str(10 + k % 3) for k in range(30)) + "\n")
    demand = {"series": {"file": str(tmp_path / "sales.csv"), "column": "units"}, "noise_scale": 1.0}
    problem = restock.load_problem("serial", demand=demand)
    few = {"steps": 2, "batch": 4, "restarts": 1, "held_out": 4}
    train(problem, tmp_path / "run", architecture=TINY_NETWORK, **few)
    (tmp_path / "sales.csv").unlink()
    assert restock.simulate("serial", str(tmp_path / "run"), episodes=3).profit.shape == (3,)


def test_deployed_orders_earn_the_same_in_the_text_row_by_row(trained: Path) -> None:
    problem = restock.load_problem("serial", demand={"effects": ["trend"], "goodwill": True})
    episodes = draw(problem, 8, 5)
    result = run(problem, restock.make_policy(str(trained), problem), episodes, 0)
    again = RowWise(problem, episodes.vectors).play(result.trajectory["ordered"])
    np.testing.assert_allclose(again, result.trajectory.rewards, rtol=1e-9, atol=1e-9)


def test_whole_orders_are_an_option_of_deployment(trained: Path) -> None:
    ordered = {
        whole: restock.simulate("serial", restock.make_policy(str(trained), "serial", integer=whole), 5).trajectory[
            "ordered"
        ]
        for whole in (True, False)
    }
    assert (ordered[True] == np.round(ordered[True])).all()
    assert (ordered[False] != np.round(ordered[False])).any()
    result = RunFolder(trained).result()
    assert result is not None and {"profit", "profit_integer", "integer"} <= set(result)


def test_the_network_sees_in_deployment_what_it_saw_in_training(trained: Path) -> None:
    """The same orders from the tensor rollout and from the views of a simulation."""
    from restock.learning.actors import actor_of, ground_of
    from restock.learning.paths import paths_of
    from restock.learning.tensor import TensorNetwork

    config = RunFolder(trained).config()
    problem, actor = ground_of(config), actor_of(config)
    actor.load_state_dict(weights(trained, BEST))
    seeds = range(7, 11)
    paths = paths_of(problem, seeds)
    tensors = TensorNetwork(problem)
    mean, stray = (torch.as_tensor(part, dtype=torch.float32) for part in (paths.mean, paths.stray))
    state = tensors.start(paths.carry, paths.feels)
    actor.begin(len(seeds))
    orders = []
    with torch.no_grad():
        for t in range(problem.horizon):
            orders.append(actor(t, state).numpy())
            state, _ = tensors.step(t, state, torch.as_tensor(orders[-1]), mean[:, t], stray[:, t])
    deployed = restock.make_policy(str(trained), problem, integer=False)
    ordered = restock.simulate(problem, deployed, seeds=seeds).trajectory["ordered"]
    np.testing.assert_allclose(np.stack(orders, axis=1), ordered, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize(
    "architecture",
    [
        {"head": "order-up-to"},
        {"residual": "base-stock"},
        {"calendar": False},
        {"memory": "history"},
        {"kind": "graph"},
    ],
)
def test_every_architecture_learns(architecture: dict[str, Any], tmp_path: Path) -> None:
    shape = {"hidden": [16], **architecture}
    numbers = {"restarts": 1, "batch": 16, "held_out": 16}
    result = train("divergent", tmp_path / "run", architecture=shape, steps=25, **numbers)
    first = train("divergent", tmp_path / "first", architecture=shape, steps=1, **numbers)
    assert result["profit"] > first["profit"]
    assert np.isfinite(restock.simulate("divergent", str(tmp_path / "run"), episodes=2).profit).all()


@pytest.mark.parametrize("kind", ["effects", "family"])
def test_a_generalist_is_blind_and_plays_any_demand(kind: str, tmp_path: Path) -> None:
    numbers = {"steps": 3, "restarts": 1, "batch": 32, "held_out": 64}
    result = train("serial", tmp_path / "run", architecture=TINY_NETWORK, regimes={"kind": kind}, **numbers)
    assert result["information"] == "blind"
    for demand in ({}, {"goodwill": True, "effects": ["shock"]}):
        problem = restock.load_problem("serial", demand=demand, backlog=False)
        policy = restock.make_policy(str(tmp_path / "run"), problem)
        assert policy.information == "blind"
        assert np.isfinite(restock.simulate(problem, policy, episodes=3).profit).all()


def test_a_graph_network_plays_other_topologies(tmp_path: Path) -> None:
    shape = {"kind": "graph", "hidden": [8]}
    train("serial", tmp_path / "run", architecture=shape, steps=2, restarts=1, batch=8, held_out=8)
    for name in ("divergent", "serial"):
        assert np.isfinite(restock.simulate(name, str(tmp_path / "run"), episodes=3).profit).all()
    with pytest.raises(InvalidInput, match="calendar"):
        restock.make_policy(str(tmp_path / "run"), restock.load_problem("divergent", horizon=20))


# what can go wrong -----------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["cut", "changed", "missing"])
def test_a_damaged_checkpoint_gives_one_clear_error(trained: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    path = folder / "checkpoints" / BEST
    data = path.read_bytes()
    if damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "changed":
        path.write_bytes(data[:-100] + bytes(100))
    else:
        path.unlink()
    with pytest.raises(InvalidInput, match=r"best\.pt.*(damaged|missing)"):
        restock.make_policy(str(folder), "serial")


@pytest.mark.parametrize("name", ["config.yaml", "checkpoints.json"])
def test_a_damaged_description_gives_one_clear_error(trained: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    (folder / name).write_text("{")
    with pytest.raises(InvalidInput):
        restock.make_policy(str(folder), "serial")


def test_another_network_is_refused(trained: Path) -> None:
    with pytest.raises(InvalidInput, match="problems like its own only"):
        restock.make_policy(str(trained), "divergent")


def test_another_run_is_not_overwritten(trained: Path) -> None:
    with pytest.raises(InvalidInput, match="another run in this folder"):
        train("serial", trained, seed=5, architecture=TINY_NETWORK, **SMALL)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no training run"):
        resume(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"steps": 0}, "steps"),
        ({"steps": 1.5}, "steps"),
        ({"sharpness": [0.0, 1.0]}, "sharpness"),
        ({"warm_up": 30}, "warm_up"),
        ({"algo": "pathwize"}, "algo"),
        ({"seed": -1}, "seed"),
        ({"stepps": 10}, "stepps"),
        ({"architecture": {"hidden": [0]}}, "architecture.hidden[0]"),
        ({"architecture": {"residual": "rolling"}}, "residual"),
        ({"architecture": {"residual": "base-stock", "head": "order-up-to"}}, "architecture.residual"),
        ({"regimes": {"kind": "all"}}, "regimes.kind"),
    ],
)
def test_bad_input_is_named_and_writes_nothing(arguments: dict[str, Any], field: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        train("serial", tmp_path / "run", **arguments)
    assert caught.value.field == field
    assert not (tmp_path / "run").exists()


def test_training_that_goes_astray_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restock.learning.pathwise.Training._sharpness", lambda self: float("nan"))
    with pytest.raises(InvalidInput, match="went astray"):
        train(restock.load_problem("serial", demand={"goodwill": True}), tmp_path / "run", **SMALL)


def test_a_processor_budget_ends_the_run(tmp_path: Path) -> None:
    result = train("serial", tmp_path / "run", steps=10_000, restarts=1, cpu_seconds=0.5, held_out=8, batch=8)
    assert result["cpu_seconds"] < 30.0
    assert RunFolder(tmp_path / "run").metrics()[-1]["step"] < 10_000


def test_members_of_a_family_differ_in_what_they_are_trained_for() -> None:
    serial: Any = restock.load_problem("serial")
    members = Members(serial, Family()).problems(40)
    for differs in (
        lambda member: member.spec.demand.goodwill is not None,
        lambda member: member.spec.backlog,
        lambda member: float(member.demand.mean[0, 0]) > 25.0,
        lambda member: member.demand.noise_scale > 1.25,
    ):
        assert 8 < sum(map(differs, members)) < 36
    again, others = (Members(serial, Family()).problems(40, seed) for seed in (0, 1))
    assert (again[1].demand.mean == members[1].demand.mean).all()
    assert (others[1].demand.mean != members[1].demand.mean).any()
