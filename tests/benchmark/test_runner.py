"""The runner: the same results however many processes, what is kept, what is done again, what is refused."""

from __future__ import annotations

import json
import signal

import numpy as np
import polars
import pytest

import restock
from restock.benchmark import table, worker, workers
from restock.benchmark.folder import RunFolder
from restock.benchmark.runner import bench
from restock.benchmark.suite import load_suite
from tests.benchmark.runs import POLICIES, results

QUICK = ["base-stock", {"name": "constant-I", "policy": "constant-order", "params": {"information": "informed"}}]
EVERY = 3 * 4  # policies, the bound among them, and scenarios of the suite


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of quick policies."""
    return bench("smoke", QUICK, out=tmp_path_factory.mktemp("runs") / "quick")


@pytest.fixture
def mine(tmp_path):
    """A file of policies that are slow, noisy or broken."""
    path = tmp_path / "policies.py"
    path.write_text(POLICIES, encoding="utf-8")
    return path


def test_a_run_holds_every_policy_in_every_scenario(finished):
    assert (finished.done, finished.kept, finished.again, finished.failed) == (EVERY, 0, 0, {})
    frame = polars.read_parquet(finished.table)
    suite = load_suite("smoke")
    assert len(frame) == EVERY * len(suite.seeds)
    assert set(frame["policy"]) == {"hindsight", "base-stock", "constant-I"}
    assert frame["suite_hash"].unique().to_list() == [suite.mark]
    assert frame["restock_version"].unique().to_list() == [restock.__version__]
    assert (frame["decision_seconds"] > 0.0).all()
    assert set(frame.filter(policy="constant-I")["information"]) == {"informed"}
    bounds = frame.filter(policy="hindsight")
    assert bounds["bound"].null_count() == len(suite.seeds)  # nothing is proven under goodwill


def test_its_episodes_are_those_of_simulate(finished):
    frame = polars.read_parquet(finished.table)
    suite = load_suite("smoke")
    for scenario in suite.scenarios:
        problem = scenario.problem()
        for seed in suite.seeds:
            row = frame.filter(policy="base-stock", scenario=scenario.name, seed=seed)
            alone = restock.simulate(problem, "base-stock", seeds=[seed])
            np.testing.assert_allclose(row["profit"].item(), alone.profit[0], rtol=1e-12)
            np.testing.assert_allclose(row["fill_rate"].item(), alone.kpis["fill_rate"][0], rtol=1e-12)


def test_two_processes_give_what_one_gives(finished, tmp_path, mine):
    policies = [*QUICK, {"name": "mine", "policy": f"{mine}:Noisy", "params": {"seconds": 0.0}, "chunk": 1}]
    one = bench("smoke", policies, out=tmp_path / "one")
    two = bench("smoke", policies, out=tmp_path / "two", jobs=2)
    assert results(one.path) == results(two.path)
    assert {name: data for name, data in results(one.path).items() if "mine" not in name} == results(finished.path)
    frames = [polars.read_parquet(run.table).drop("decision_seconds") for run in (one, two)]
    assert frames[0].equals(frames[1])


def test_starting_again_does_nothing_twice(finished):
    before = results(finished.path)
    again = bench("smoke", QUICK, out=finished.path)
    assert (again.done, again.kept) == (0, EVERY)
    assert results(finished.path) == before


def test_more_policies_join_a_run(tmp_path):
    bench("smoke", ["base-stock"], out=tmp_path / "run")
    more = bench("smoke", ["constant-order"], out=tmp_path / "run")
    assert (more.done, more.kept) == (4, 4)  # the bound is kept
    assert set(polars.read_parquet(more.table)["policy"]) == {"hindsight", "base-stock", "constant-order"}


def test_a_changed_policy_is_run_anew(tmp_path, mine):
    said = []
    entry = {"name": "mine", "policy": f"{mine}:Slow", "params": {"seconds": 0.0}}
    before = bench("smoke", entry, out=tmp_path / "run", remark=said.append)
    assert said == []
    changed = {**entry, "params": {"seconds": 0.0, "level": 5.0}}
    other = bench("smoke", changed, out=tmp_path / "run", remark=said.append)
    assert (other.done, other.kept, other.again) == (4, 4, 4)
    assert said == ["Changed since they were run: mine. Their 4 tasks are done again."]
    mine.write_text(POLICIES.replace("uniform(0.0", "uniform(1.0"), encoding="utf-8")
    edited = bench("smoke", changed, out=tmp_path / "run")
    assert edited.again == 4
    assert before.path == edited.path


@pytest.mark.parametrize("harm", ["", "half", "digit", "other", "null"])
def test_a_damaged_task_is_done_again(finished, tmp_path, harm):
    bench("smoke", QUICK, out=tmp_path / "run")
    path = tmp_path / "run" / "episodes" / "base-stock.001.0000.json"
    whole = path.read_text(encoding="utf-8")
    damaged = {"half": whole[: len(whole) // 2], "digit": whole.replace('"profit": ', '"profit": 1', 1), "null": "null"}
    path.write_text(damaged.get(harm, "{}" if harm == "other" else harm), encoding="utf-8")
    from restock.benchmark.leaderboard import leaderboard

    with pytest.raises(restock.InvalidInput, match=r"base-stock\.001\.0000\.json.*damaged.*restock bench again"):
        leaderboard([tmp_path / "run"])
    said = []
    again = bench("smoke", QUICK, out=tmp_path / "run", remark=said.append)
    assert (again.done, again.again) == (1, 1)
    assert said == ["1 damaged files of finished tasks: these tasks are done again."]
    assert results(tmp_path / "run") == results(finished.path)


def test_another_suite_is_refused(finished):
    other = json.loads(json.dumps(load_suite("smoke").model_dump(mode="json", exclude_unset=True)))
    other["seeds"] = [1, 2, 4]
    with pytest.raises(restock.InvalidInput, match=r"the run in this folder is of suite smoke \w+, this one of smoke"):
        bench(other, QUICK, out=finished.path)
    assert bench("smoke", QUICK, out=finished.path).kept == EVERY


def test_what_failed_is_told_alike_whichever_task_ends_first(tmp_path, mine, monkeypatch):
    def backwards(tasks, jobs, unwanted):
        yield from [(task, worker.attempt(task)) for task in reversed(tasks)]

    entries = [f"{mine}:Broken", {"name": "again", "policy": f"{mine}:Broken"}]
    expected = bench("smoke", entries, out=tmp_path / "first").failed
    monkeypatch.setattr(workers, "answers", backwards)
    failed = bench("smoke", entries, out=tmp_path / "last").failed
    assert list(failed.items()) == list(expected.items()) and len(failed) == 2


def test_other_versions_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(restock, "__version__", "0.0.9")
    bench("smoke", ["constant-order"], out=tmp_path / "run")
    monkeypatch.undo()
    with pytest.raises(restock.InvalidInput, match=r"is of restock 0\.0\.9, this one of"):
        bench("smoke", ["constant-order"], out=tmp_path / "run")


def test_a_damaged_description_is_told(tmp_path):
    bench("smoke", ["constant-order"], out=tmp_path / "run")
    (tmp_path / "run" / "run.json").write_text('{"format": 1', encoding="utf-8")
    with pytest.raises(restock.InvalidInput, match=r"run\.json is damaged"):
        bench("smoke", ["constant-order"], out=tmp_path / "run")


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(restock.InvalidInput, match="there is something else in this folder"):
        bench("smoke", ["constant-order"], out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "run").write_text("", encoding="utf-8")
    with pytest.raises(restock.InvalidInput, match="nothing can be written there"):
        bench("smoke", ["constant-order"], out=tmp_path / "run")


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("Broken", r"serial backlog: RuntimeError: no idea what to order \(line \d+ of policies\.py\)"),
        ("Shapeless", r"serial backlog: .*act\(\) returns decisions of shape \(3, 3\)"),
    ],
)
def test_a_policy_that_fails_does_not_stop_the_others(tmp_path, mine, kind, why):
    policies = [{"name": "mine", "policy": f"{mine}:{kind}", "params": {"seconds": 0.0}}, "base-stock"]
    found = bench("smoke", policies, out=tmp_path / "run")
    assert list(found.failed) == ["mine"]
    import re

    assert re.match(why, found.failed["mine"])
    assert found.done == 8
    assert set(polars.read_parquet(found.table)["policy"]) == {"hindsight", "base-stock"}


def test_a_process_that_dies_is_told_and_replaced(tmp_path, mine):
    policies = [{"name": "mine", "policy": f"{mine}:Gone", "params": {"seconds": 0.0}}, "base-stock"]
    found = bench("smoke", policies, out=tmp_path / "run", jobs=2)
    assert found.failed == {"mine": found.failed["mine"]}
    assert found.failed["mine"].endswith(f"its process was ended by signal {int(signal.SIGKILL)}")
    assert set(polars.read_parquet(found.table)["policy"]) == {"hindsight", "base-stock"}


def test_without_polars_it_is_csv(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "polars", None)
    said = []
    found = bench("smoke", ["constant-order"], out=tmp_path / "run", remark=said.append)
    assert found.table.name == "episodes.csv"
    assert said == ["Parquet needs polars (pip install 'restock[data]'): the episodes are written as CSV."]
    monkeypatch.undo()
    rows = table.rows_of(RunFolder(found.path).plan(), RunFolder(found.path).results(RunFolder(found.path).plan()))
    assert polars.read_csv(found.table)["profit"].to_list() == [row["profit"] for row in rows]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"suite": "smoek"}, "there is no such suite. Did you mean 'smoke'"),
        ({"policies": []}, "there is nothing to run"),
        ({"policies": ["base-stok"]}, "Did you mean 'base-stock'"),
        ({"policies": [{"policy": "base-stock", "params": {"level": 3}}]}, "base-stock: level = 3: base-stock has no"),
        ({"policies": ["base-stock", {"policy": "random", "name": "base-stock"}]}, "two policies have this name"),
        ({"policies": [{"policy": "base-stock", "fitt": True}]}, "Did you mean 'fit'"),
        ({"policies": [{"policy": "random", "params": {"x": {1, 2}}}]}, "a run cannot keep this parameter"),
        ({"jobs": 0}, "must be an integer >= 1"),
        ({"jobs": True}, "must be an integer >= 1"),
    ],
)
def test_what_cannot_be_run_is_told_before_anything_is_written(tmp_path, given, told):
    with pytest.raises(restock.InvalidInput) as refused:
        bench(**{"suite": "smoke", "policies": ["constant-order"], "out": tmp_path / "run", **given})
    assert told in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_a_fitted_policy_is_fitted_to_each_scenario(tmp_path):
    fitting = {"episodes": 8, "budget": 80}
    policies = [{"name": "fitted", "policy": "base-stock", "fit": fitting}, "base-stock"]
    suite = {"name": "one", "seeds": [1, 2], "scenarios": [{"name": "a", "instance": "serial", "horizon": 20}]}
    found = bench(suite, policies, out=tmp_path / "run")
    told = {name: data["parameters"] for name, data in results(found.path).items()}
    assert told["fitted.000.0000.json"] != told["base-stock.000.0000.json"]


def test_what_a_killed_run_left_half_written_is_cleared(tmp_path):
    path = bench("smoke", ["constant-order"], out=tmp_path / "run").path
    left = path / "episodes" / ".constant-order.000.0000.json.4711"
    left.write_text("{", encoding="utf-8")
    bench("smoke", ["constant-order"], out=path)
    assert not left.exists() and len(results(path)) == 8


def test_a_policy_whose_files_have_changed_is_run_anew(tmp_path):
    """As of a trained policy, which is the folder of its run."""
    weights = tmp_path / "training"
    weights.mkdir()
    (weights / "config.yaml").write_text("algo: none\n", encoding="utf-8")
    (weights / "best.pt").write_bytes(b"first")
    path = tmp_path / "policies.py"
    path.write_text(f"{POLICIES}\nclass Trained(Slow):\n    name = 'trained'\n    folder = {str(weights)!r}\n", "utf-8")
    entry = {"name": "mine", "policy": f"{path}:Trained", "params": {"seconds": 0.0}}
    bench("smoke", entry, out=tmp_path / "run")
    assert bench("smoke", entry, out=tmp_path / "run").again == 0
    (weights / "best.pt").write_bytes(b"second")
    assert bench("smoke", entry, out=tmp_path / "run").again == 4
