"""The leaderboard: ratios by hand, ranks, leads, cheats, and what the page and the tables say."""

from __future__ import annotations

import itertools
import json
import math
import shutil

import numpy as np
import polars
import pytest
import scipy.stats

import restock
from restock.benchmark.folder import RunFolder
from restock.benchmark.leaderboard import leaderboard
from restock.benchmark.runner import bench
from restock.evaluation.stats import episodes_needed, holm, p_value
from restock.report import board as page
from restock.report import standings as say
from restock.report.numbers import NONE
from tests.benchmark.runs import POLICIES
from tests.report.markup import Page

SUITE = {
    "name": "six-seeds",
    "description": "Two scenarios with six seeds.",
    "seeds": [3, 5, 8, 13, 21, 34],
    "scenarios": [
        {"name": "plain", "groups": ["all", "proven"], "instance": "serial", "horizon": 20},
        {"name": "answers", "groups": ["all"], "instance": "serial", "horizon": 20, "demand": {"goodwill": True}},
    ],
}
NEAR = {"name": "near", "policy": "base-stock", "params": {"levels": [100, 121, 129]}}
FIRST = {"name": "first", "policy": "base-stock", "params": {"levels": [100, 120, 130]}}
POLICY_LIST = [FIRST, NEAR, {"name": "informed-one", "policy": "constant-order", "params": {"information": "informed"}}]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of three policies."""
    return bench(SUITE, POLICY_LIST, out=tmp_path_factory.mktemp("runs") / "three").path


@pytest.fixture(scope="module")
def board(run):
    return leaderboard([run])


def profits(run, policy):
    """Profit by scenario and seed."""
    frame = polars.read_parquet(run / "episodes.parquet").filter(policy=policy)
    return np.array([frame.filter(scenario=one["name"])["profit"].to_list() for one in SUITE["scenarios"]])


def test_ratios_are_sums_over_sums(run, board):
    bound = profits(run, "hindsight")
    for row in board.rows:
        mine = profits(run, row.name)
        ratios = mine.sum(axis=1) / bound.sum(axis=1)
        np.testing.assert_allclose([row.by_scenario["plain"], row.by_scenario["answers"]], ratios, rtol=1e-9)
        np.testing.assert_allclose(row.ratio.mean, ratios.mean(), rtol=1e-9)
        np.testing.assert_allclose([row.by_group["all"], row.by_group["proven"]], [ratios.mean(), ratios[0]], rtol=1e-9)
        np.testing.assert_allclose(row.middle.mean, np.sort((mine / bound).ravel())[3:9].mean(), rtol=1e-9)
        assert row.ratio.low <= row.ratio.mean <= row.ratio.high


def test_ranks_go_by_the_ratio_and_the_bound_has_none(board):
    assert board.rows[0].name == "hindsight" and board.rows[0].rank is None
    assert board.rows[0].ratio.mean == pytest.approx(1.0)
    assert [row.rank for row in board.rows[1:]] == [1, 2, 3]
    means = [row.ratio.mean for row in board.rows[1:]]
    assert means == sorted(means, reverse=True)
    assert board.row("informed-one").information == "informed"
    assert board.proven == ("plain",)
    assert board.published is None and board.oracle_gap is None


def test_leads_are_paired_and_corrected(run, board):
    bound = profits(run, "hindsight")
    ranked = board.rows[1:]
    apart = [
        (profits(run, one.name) / bound - profits(run, other.name) / bound).mean(axis=0)
        for one, other in itertools.pairwise(ranked)
    ]
    corrected = holm([p_value(values) for values in apart])
    for row, other, values, p in zip(ranked, ranked[1:], apart, corrected, strict=False):
        assert row.lead.over == other.name
        assert row.lead.p == pytest.approx(p)
        assert row.lead.difference.mean == pytest.approx(values.mean())
        ahead = np.sign(profits(run, row.name) - profits(run, other.name))
        assert row.lead.improvement.mean == pytest.approx(0.5 + 0.5 * ahead.mean())
        open_ = p >= 0.05
        assert (row.lead.more_seeds is not None) == (open_ and episodes_needed(values) is not None)
    assert ranked[-1].lead is None
    assert any(row.lead is not None and row.lead.more_seeds for row in ranked)


def test_policies_that_earn_the_same_share_a_rank(tmp_path):
    twice = [FIRST, {**FIRST, "name": "twin"}, NEAR]
    shown = leaderboard([bench(SUITE, twice, out=tmp_path / "run").path])
    assert sorted(row.rank for row in shown.rows if row.rank) in ([1, 1, 3], [1, 2, 2])
    twins = [row for row in shown.rows if row.name in ("first", "twin")]
    assert twins[0].rank == twins[1].rank
    lead = twins[0].lead
    assert (lead.over, lead.improvement.mean, lead.p, lead.more_seeds) == ("twin", 0.5, 1.0, None)
    assert "First and twin earned the same." in say.close_calls(shown)


def test_published_rows_stand_beside_own_ones(tmp_path):
    path = bench("gym-invmgmt", ["constant-order"], out=tmp_path / "run").path
    shown = leaderboard([path])
    best = shown.row("MSSP-I", published=True)
    assert (best.rank, best.shown, best.information, best.middle, best.lead) == (
        1,
        "MSSP-I (published)",
        "informed",
        None,
        None,
    )
    assert round(best.ratio.mean, 3) == 0.949 and math.isnan(best.ratio.low)
    assert round(best.by_group["goodwill"], 3) == 0.891
    assert shown.oracle_gap < 1e-7
    assert len(shown.proven) == 14 and shown.exceeded == ()
    partly = shown.row("PPO-MLP-raw", published=True)
    assert (partly.rank, partly.scenarios, partly.ratio) == (None, 11, None)
    without = leaderboard([path], published=False)
    assert {row.name for row in without.rows} == {"hindsight", "constant-order"}
    text = page.markdown(shown)
    assert "| MSSP-I (published) | 1 | 94.9% |" in text
    assert "arXiv:2605.11355" in text and "Only means are known of them" in text
    assert f"| PPO-MLP-raw (published) | {NONE} | 11 of 22 | {NONE} | blind |" in text


def test_runs_are_joined(run, tmp_path):
    other = bench(SUITE, [FIRST, {"name": "more", "policy": "random"}], out=tmp_path / "other").path
    shown = leaderboard([run, other])
    assert {row.name for row in shown.rows} == {"hindsight", "first", "near", "informed-one", "first (other)", "more"}
    assert shown.row("first").ratio == shown.row("first (other)").ratio
    assert set(shown.versions) == {str(run), str(other)}


def test_a_run_named_twice_is_refused(run):
    with pytest.raises(restock.InvalidInput, match="this run is named twice"):
        leaderboard([run, run.parent / "." / run.name])


def test_runs_in_folders_of_one_name_are_told_apart(run, tmp_path):
    other = bench(SUITE, [FIRST], out=tmp_path / run.name).path
    names = {row.name for row in leaderboard([run, other]).rows}
    assert f"first ({other})" in names and "first" in names


def test_a_suite_in_which_nothing_can_be_earned_is_refused(tmp_path):
    poor = {"name": "poor", "seeds": [1], "scenarios": [{"name": "p", "instance": "serial", "demand": {"mean": 0}}]}
    path = bench(poor, ["constant-order"], out=tmp_path / "run").path
    with pytest.raises(restock.InvalidInput, match="in some episode nothing can be earned here"):
        leaderboard([path])


def test_runs_of_two_suites_are_refused(run, tmp_path):
    other = bench({**SUITE, "seeds": [1]}, ["random"], out=tmp_path / "other").path
    with pytest.raises(restock.InvalidInput, match=r"this run is of suite six-seeds \w+, not six-seeds \w+"):
        leaderboard([run, other])


def test_an_unfinished_policy_is_shown_and_not_ranked(run, tmp_path):
    shutil.copytree(run, tmp_path / "part")
    (tmp_path / "part" / "episodes" / "near.001.0000.json").unlink()
    shown = leaderboard([tmp_path / "part"])
    assert shown.rows[-1].name == "near"
    assert (shown.rows[-1].rank, shown.rows[-1].scenarios, shown.rows[-1].by_group) == (
        None,
        1,
        {"proven": shown.rows[-1].by_scenario["plain"]},
    )
    assert any(
        text.startswith("Near is not ranked: it was finished in 1 of 2 scenarios.") for text in say.warnings(shown)
    )
    (tmp_path / "part" / "episodes" / "hindsight.001.0000.json").unlink()
    with pytest.raises(restock.InvalidInput, match="the bound is not finished"):
        leaderboard([tmp_path / "part"])


def test_earning_more_than_a_proven_bound_is_told(run, tmp_path):
    """Results as a broken simulation would give them: one episode too good to be true."""
    shutil.copytree(run, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    for name in ("first", "near"):
        task = next(task for task in folder.plan().tasks() if task.entry.name == name and task.scenario.name == "plain")
        result = folder.finished(task)
        result["episodes"][2]["profit"] = 1e6 if name == "first" else result["episodes"][2]["profit"]
        folder.save(task, result)
    shown = leaderboard([tmp_path / "run"])
    assert shown.exceeded == ("first",)
    assert shown.row("first").exceeded == (("plain", 8),)
    told = say.warnings(shown)
    assert len(told) == 1 and told[0].startswith(
        "First earned more than a proven bound in 1 episodes (the first: plain, seed 8)."
    )
    assert not any(text.startswith("No policy earned more than a proven bound") for text in say.notes(shown))
    assert "No policy earned more than a proven bound in any episode." in say.notes(leaderboard([run]))
    assert "earned more than a proven bound" in Page(page.render(shown)).text


CHEAT = """
class Cheat(Slow):
    name = "cheat"
    may_know = ("informed",)

    def act(self, view):
        frame = sys._getframe()
        while "chance" not in frame.f_locals:
            frame = frame.f_back
        later = frame.f_locals["chance"].vectors[:, -1:]
        return np.repeat(later, len(self.problem.links), axis=1)
"""


def test_a_cheat_is_caught_and_not_ranked(tmp_path):
    (tmp_path / "cheat.py").write_text("import sys\n" + POLICIES + CHEAT, encoding="utf-8")
    entry = {"name": "cheat", "policy": f"{tmp_path}/cheat.py:Cheat", "params": {"seconds": 0.0}}
    found = bench(SUITE, [FIRST, entry], out=tmp_path / "run")
    assert list(found.caught) == ["cheat"]
    assert found.caught["cheat"].startswith("plain: in period 0 it decides by what happens later")
    shown = leaderboard([found.path])
    row = shown.row("cheat")
    assert (row.rank, len(row.caught)) == (None, 2)  # once in each kind of scenario
    assert shown.row("first").rank == 1 and shown.row("first").caught == ()
    assert say.warnings(shown)[0].startswith(
        "Cheat is not ranked, as it decides by what a policy that is informed may not"
    )
    again = bench(SUITE, [FIRST, entry], out=tmp_path / "run")
    assert (again.done, again.caught) == (0, found.caught)


def test_the_page_is_whole_and_needs_nothing_else(board, tmp_path):
    path = page.write_board(board, tmp_path / "page.html", "restock leaderboard run")
    read = Page(path.read_text(encoding="utf-8"))
    assert len(read.ids) == len(set(read.ids))
    assert all(link.startswith("#part-") and link[1:] in read.ids for link in read.links)
    assert "script" not in read.tags
    for row in board.rows:
        assert row.shown in read.text
    for words in (board.suite_mark, "restock leaderboard run", "Of the blind policies", "interquartile mean"):
        assert words in read.text
    told = json.loads(read.text[read.text.index("{ ") :].split(" Written by restock")[0])
    assert told["rows"][1]["name"] == board.rows[1].name


def test_markdown_tables_are_rectangular(board, tmp_path):
    text = page.write_markdown(board, tmp_path / "board.md").read_text(encoding="utf-8")
    assert text.startswith("# Leaderboard: six-seeds\n")
    tables = [block for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) == 3
    for block in tables:
        lines = block.splitlines()
        assert len(lines) == 2 + len(board.rows)
        assert len({line.count("|") for line in lines}) == 1


def test_times_are_told_with_two_digits():
    assert [say.seconds_in_words(t) for t in (2.34e-6, 1.7e-5, 3.4e-3, 0.256, 1.2, 75.0, math.nan)] == [
        "2.3 µs", "17 µs", "3.4 ms", "256 ms", "1.2 s", "75 s", NONE,
    ]  # fmt: skip


def test_leads_over_the_next_by_rank_keep_5_percent_by_holm():
    """The next is chosen by the same seeds, which brings the two nearer to each other, not further apart."""
    rng, studies, seeds, count = np.random.default_rng(5), 2000, 10, 8
    for spread in (np.ones(count), np.geomspace(0.1, 10.0, count)):
        values = rng.normal(size=(studies, seeds, count)) * spread
        order = np.argsort(-values.mean(axis=1), axis=1)
        ranked = np.take_along_axis(values, order[:, None, :], axis=2)
        apart = ranked[:, :, :-1] - ranked[:, :, 1:]
        t = apart.mean(axis=1) / apart.std(axis=1, ddof=1) * math.sqrt(seeds)
        smallest = 2.0 * scipy.stats.t.sf(np.abs(t), seeds - 1).min(axis=1)
        assert ((count - 1) * smallest < 0.05).mean() < 0.05 + 3.0 * math.sqrt(0.05 * 0.95 / studies)
