"""The report of a training run, for every kind of problem: pages and tables of runs that were made up."""

from __future__ import annotations

import csv
import itertools
import math
import re
from pathlib import Path

import numpy as np
import pytest

from restock.core.errors import InvalidInput
from restock.core.play import draw
from restock.evaluation.compare import compare
from restock.evaluation.simulate import run
from restock.learning.describe import description
from restock.learning.evaluation import Evaluation, _keep
from restock.learning.run_folder import RunFolder
from restock.learning.snapshots import Snapshot, inventory
from restock.policies.registry import make_policy, yardsticks
from restock.problems.load import load_problem
from restock.report import snapshots as pictures
from restock.report.training import write_training_report
from tests.report.markup import Page

KINDS = {
    "serial": {},
    "sharing": {},
    "production": {"max_steps": 40},
    "minimal": {"horizon": 30},
    "retail-easy": {},
}


def made_up(name: str, folder: Path) -> Evaluation:
    """A run whose policy is random, and was worse before."""
    problem = load_problem(name, **KINDS[name])
    baseline, bound = yardsticks(problem.family)
    beaten = "price-and-cover" if problem.family == "retail" else baseline  # a tuned one takes seconds to tune
    chosen = {"trained": make_policy("random", problem), baseline: make_policy(beaten, problem)}
    comparison = compare(problem, chosen, episodes=3, seed=1 << 40, bound=bound is not None)
    config = {
        "format": 1, "algo": "ppo", "seed": 0, "information": "blind", "training": {"steps": 200}, "regimes": None,
        "preparation": {}, "problem": description(problem),
    }  # fmt: skip
    home = RunFolder(folder)
    home.begin(config, {"restock": "0"})
    chance = draw(problem, 1, 9)
    home.record_start(run(problem, make_policy("random", problem), chance, 1).trajectory.episode(0))
    for k in range(3):
        played = run(problem, make_policy("random", problem), chance, 2 + k).trajectory.episode(0)
        line = {"restart": 0, "step": 100 * (k + 1), "profit": 10.0 + k, "standard_error": 1.0, "baseline": 20.0}
        line |= {"bound": 30.0, "train/loss": 1.0 / (k + 1), "train/clip_range": 0.2}
        home.record(line, played)
    found = Evaluation(home, config, (comparison,), (problem.name,), 1 << 40)
    _keep(found)
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Evaluation]:
    return {name: made_up(name, tmp_path_factory.mktemp(name)) for name in KINDS}


@pytest.mark.parametrize("name", KINDS)
def test_the_page_is_whole_and_speaks_of_its_kind(name: str, runs: dict[str, Evaluation], tmp_path: Path) -> None:
    page = write_training_report(runs[name], tmp_path / "r.html").read_text(encoding="utf-8")
    parsed = Page(page)
    assert len(parsed.ids) == len(set(parsed.ids)) and {"script", "link", "img"}.isdisjoint(parsed.tags)
    spoken = parsed.text.lower()
    assert not {"nan", "inf"} & set(spoken.split())
    for heading in ("How it learnt", "The same episode, while it learnt", "What it is worth", "How to repeat this"):
        assert heading in parsed.headings
    if name != "serial":
        before = spoken.partition("how to repeat this the configuration")[0]
        assert "network" not in before.replace("value network", "").replace("policy network", "")
        assert "node" not in before and "links" not in before
    for picture in re.findall(r"<svg[^>]*>", page):
        label = re.search(r'aria-label="([^"]+)"', picture)
        assert 'role="img"' in picture and label and len(label[1]) > 15
    for file in ("metrics.csv", "evaluation/inventory.csv", "evaluation/snapshots.csv", "evaluation/episodes.csv"):
        assert file in page and (runs[name].run.path / file).is_file()


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", KINDS)
def test_tables_say_what_was_played(name: str, runs: dict[str, Evaluation]) -> None:
    found, problem = runs[name], runs[name].comparisons[0].problem
    trajectory = found.comparisons[0].row("trained").simulation.trajectory
    rows = rows_of(found.run.path / "evaluation" / "inventory.csv")
    places = problem.labels()["on_hand"]
    assert len(rows) == (problem.horizon + 1) * len(places)
    assert [row["location"] for row in rows[: len(places)]] == list(places)
    stock = np.array([float(row["on_hand"]) for row in rows]).reshape(-1, len(places))
    missed = np.array([float(row["missed"]) for row in rows]).reshape(-1, len(places))
    assert np.array_equal(stock, trajectory["on_hand"][0])
    assert missed.sum() == pytest.approx(trajectory[problem.missed[0]][0].sum()) and missed.sum() > 0.0
    assert (missed[0] == 0.0).all()
    shots = rows_of(found.run.path / "evaluation" / "snapshots.csv")
    assert {(row["evaluation"], row["step"]) for row in shots} == {("0", "0"), ("1", "100"), ("2", "200"), ("3", "300")}
    curve = rows_of(found.run.path / "metrics.csv")
    assert [float(row["profit"]) for row in curve] == [10.0, 11.0, 12.0]


def test_what_is_missed_is_drawn_at_its_place(runs: dict[str, Evaluation]) -> None:
    for name, lanes in (("sharing", 3), ("retail-easy", 5), ("serial", 0), ("production", 0), ("minimal", 0)):
        found = runs[name]
        charts, key = pictures.charts(found.comparisons[0].problem, found.run.snapshots())
        assert len(charts) == 4
        assert (len(key) == lanes) if lanes else (key[-1] == ("not served", pictures.MISSED))
    names = [label for label, _ in pictures.charts(runs["sharing"].comparisons[0].problem, _shots(runs["sharing"]))[1]]
    assert names == ["location 0", "location 1", "location 3"]  # location 2 is the depot


def _shots(found: Evaluation) -> list[Snapshot]:
    return found.run.snapshots()


def test_stock_is_drawn_as_steps(runs: dict[str, Evaluation]) -> None:
    charts, _ = pictures.charts(runs["minimal"].comparisons[0].problem, _shots(runs["minimal"]))
    ways = [way for way in re.findall(r'd="M([^"]+)"', str(charts[-1])) if way.count("L") > 30]
    assert ways
    points = [tuple(float(x) for x in point.split()) for point in ways[0].split("L")]
    for (x, y), (u, v) in itertools.pairwise(points):
        assert math.isclose(x, u) or math.isclose(y, v)


def test_what_has_no_place_is_told_of_all() -> None:
    problem = load_problem("production", max_steps=5)

    class Other(type(problem)):  # type: ignore[misc]
        def missed_at(self) -> None:
            return None

    problem.__class__ = Other
    fields = {"on_hand": np.ones((6, 2)), "unmet": np.full((5, 1), 3.0)}
    rows = list(inventory(problem, fields))
    assert rows[0] == (0, "all", 2.0, 0.0) and rows[1] == (1, "all", 2.0, 3.0) and len(rows) == 6


def test_the_bound_is_the_proven_one(runs: dict[str, Evaluation]) -> None:
    found = runs["retail-easy"]
    (comparison,) = found.comparisons
    bound = comparison.row("hindsight").simulation.bound
    assert bound is not None
    assert found.ratios("hindsight")[0] == pytest.approx(
        comparison.row("hindsight").simulation.profit.sum() / bound.sum()
    )


def test_explaining_another_problem_stops_before_anything_is_played(runs: dict[str, Evaluation]) -> None:
    from restock.cli.evaluate import evaluate

    folder = runs["sharing"].run.path
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with pytest.raises(InvalidInput) as caught:
        evaluate(folder, explain=True, quiet=True)
    assert caught.value.field == "--explain" and "Leave out" in caught.value.mend
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
