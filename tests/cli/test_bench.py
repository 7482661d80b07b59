"""`restock bench` and `restock leaderboard`: what they print, write and refuse."""

from __future__ import annotations

import json

import pytest

from tests.cli.running import run

QUICK = ("bench", "--suite", "smoke", "--policies", "constant-order")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a small run."""
    path = tmp_path_factory.mktemp("runs") / "quick"
    assert run(*QUICK, "--policies", "base-stock:service=0.9", "--out", str(path)).code == 0
    return path


def test_it_says_what_it_did_and_what_comes_next(folder):
    again = run(*QUICK, "--out", str(folder), width=200)
    assert again.code == 0
    assert "8 kept from before" in again.out and f"See who is ahead: restock leaderboard {folder}" in again.out
    told = run(*QUICK, "--out", str(folder), "--json").document
    assert (told["suite"], told["suite_hash"], told["kept"], told["failed"]) == ("smoke", "f818940ca235", 8, {})


def test_the_default_folder_is_of_the_suite(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*QUICK).code == 0
    assert (tmp_path / "runs" / "smoke" / "episodes.parquet").exists()


def test_leaderboard_prints_and_writes(folder, tmp_path):
    files = ("--out", str(tmp_path / "page.html"), "--markdown", str(tmp_path / "board.md"))
    shown = run("leaderboard", str(folder), *files, width=175)
    assert shown.code == 0
    for words in ("base-stock:service=0.9", "constant-order", "clairvoyant", "ahead of", "Of the blind policies"):
        assert words in shown.out
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert f"restock leaderboard {folder} --out" in (tmp_path / "board.md").read_text(encoding="utf-8")
    told = run("leaderboard", str(folder), "--json").document
    assert told["rows"][0]["name"] == "hindsight"
    assert told["rows"][1]["rank"] == 1 and told["out"] is None
    narrow = run("leaderboard", str(folder), width=80)
    assert all(len(line) <= 80 for line in narrow.out.splitlines())
    assert "decision" not in narrow.out and "decision" in run("leaderboard", str(folder), width=100).out
    assert "p (Holm)" in run("leaderboard", str(folder), width=130).out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("bench", "--suite", "smoek"), "suite = 'smoek': there is no such suite. Did you mean 'smoke'?"),
        (("bench", "--suite", "gone.yaml"), "file = 'gone.yaml': there is no such file."),
        (("bench", "--suite", "smoke", "-p", "gone.yaml"), "file = 'gone.yaml': there is no such file."),
        (("bench", "--suite", "smoke", "-p", "fst"), "there is no such policy, nor list of policies. Did you mean"),
        (("bench", "--suite", "smoke", "-p", "random:most=3"), "most = 3: random has no such parameter."),
        (("bench", "--suite", "smoke", "-p", "gone.py:Mine"), "there is no such file"),
        (("bench", "--suite", "smoke", "-p", "random", "--jobs", "0"), "jobs = 0: must be an integer"),
        (("bench", "--suite", "smoke", "-p", "random", "--out", "/dev/null/run"), "nothing can be written there"),
        (("leaderboard", "nowhere"), "run = 'nowhere': there is no run in this folder. Make one: restock bench."),
        (("leaderboard",), "RUN"),
    ],
)  # fmt: skip
def test_bad_input_is_told_in_one_line(words, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = run(*words)
    assert ran.code == 2
    assert ran.out == "" and ran.err.startswith("error: ") and told in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_page_that_cannot_be_written_is_told_first(folder):
    ran = run("leaderboard", str(folder), "--out", "/dev/null/page.html")
    assert ran.code == 2 and "it cannot be written" in ran.err


def test_a_policy_that_fails_is_told_and_the_exit_code_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        "from restock.policies import Policy\n\n"
        "class Mine(Policy):\n    name = 'mine'\n\n    def act(self, view):\n        return 1 / 0\n",
        encoding="utf-8",
    )
    ran = run(*QUICK, "-p", "mine.py:Mine", "--out", "run", width=200)
    assert ran.code == 1
    assert "Failed: mine.py:Mine in serial backlog: ZeroDivisionError: division by zero (line 7 of mine.py)" in ran.out
    told = run(*QUICK, "-p", "mine.py:Mine", "--out", "run", "--json")
    assert told.code == 1 and list(told.document["failed"]) == ["mine.py:Mine"]
    assert json.loads(told.out)["kept"] == 8


SAME_DEMAND = "On {} demand is the same in all {} episodes: intervals and tests allow for what else differs"


def suite(path, *scenarios):
    lines = ["name: stores", "seeds: [1, 2, 3, 4, 5]", "scenarios:", *(f"  - {one}" for one in scenarios)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def everywhere(folder):
    """What the terminal, the Markdown and the page of a leaderboard say, and its JSON."""
    shown = run("leaderboard", str(folder), "--out", f"{folder}/p.html", "--markdown", f"{folder}/b.md")
    assert shown.code == 0
    texts = [shown.out, *((folder / name).read_text(encoding="utf-8") for name in ("p.html", "b.md"))]
    return [" ".join(text.split()) for text in texts], run("leaderboard", str(folder), "--json").document


def test_a_leaderboard_says_that_all_episodes_of_a_store_have_the_same_demand(tmp_path):
    easy = "{name: easy, instance: retail-easy, horizon: 6}"
    given = suite(tmp_path / "one.yaml", easy, "{name: net, instance: serial, horizon: 6}")
    assert run("bench", "--suite", given, "-p", "random", "-o", str(tmp_path / "run")).code == 0
    texts, told = everywhere(tmp_path / "run")
    assert all(SAME_DEMAND.format("easy", 5) in text for text in texts)
    assert told["same_demand"] == ["easy"] and told["same"] == []
    assert any(SAME_DEMAND.format("easy", 5) in warning for warning in told["warnings"])


def test_where_all_episodes_are_the_same_a_leaderboard_has_no_interval(tmp_path):
    (tmp_path / "store.yaml").write_text(STILL, encoding="utf-8")
    given = suite(tmp_path / "one.yaml", "{name: still, instance: store.yaml}")
    ran = run("bench", "--suite", given, "-p", "passive", "-p", "restock-to-target", "-o", str(tmp_path / "run"))
    assert ran.code == 0, ran.err
    texts, told = everywhere(tmp_path / "run")
    assert all("All 5 episodes of every scenario are the same" in text for text in texts)
    assert not any("demand is the same" in text or "too few seeds" in text for text in texts)
    assert told["same"] == ["still"] and told["rows"][1]["ratio"]["low"] is None
    assert all(row["lead"] is None or row["lead"]["p"] is None for row in told["rows"])


STILL = """
problem: retail
name: still
horizon: 6
products:
  - {name: toys, price: 25, cost: 12, elasticity: 1.3, initial_stock: 10, capacity: 30, demand: [3, 8]}
deliveries:
  - {name: cart, cost: 1, lead_time: 1}
"""


def test_without_groups_there_is_no_section_of_them(tmp_path):
    given = suite(tmp_path / "one.yaml", "{name: net, instance: serial, horizon: 6}")
    assert run("bench", "--suite", given, "-p", "base-stock", "-o", str(tmp_path / "run")).code == 0
    texts, _ = everywhere(tmp_path / "run")
    assert not any("By group" in text for text in texts)


@pytest.mark.parametrize(
    "command",
    [
        ("simulate", "retail-easy", "passive", "-n", "3"),
        ("compare", "retail-easy", "passive", "restock-to-target", "-n", "3"),
        ("agent", "--env", "retail-easy", "--model", "stand-in:base-stock", "-n", "3"),
        ("agent", "--env", "retail-easy", "--env", "serial", "--model", "stand-in:base-stock", "-n", "3"),
    ],
)
def test_what_intervals_on_one_demand_do_not_say_is_told_in_words_and_as_json(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = SAME_DEMAND.format("retail-easy", 3)

    def told(place, *more):
        return run(*command, "--horizon", "6", *(("-o", place) if command[0] == "agent" else ()), *more)

    assert words in " ".join(told("a").out.split())
    assert any(words in warning for warning in told("b", "--json").document["warnings"])
    if command[0] != "agent":
        assert told("", "--with", "demand_stream=seed", "--json").document["warnings"] == []


def test_policies_that_cannot_play_a_scenario_are_told_with_its_name(tmp_path):
    """Also where it is not the first one, and how to name others where the suite named none."""
    given = suite(tmp_path / "one.yaml", "{name: net, instance: serial}", "{name: easy, instance: retail-easy}")
    ran = run("bench", "--suite", given, "-o", str(tmp_path / "run"))
    assert ran.code == 2 and not (tmp_path / "run").exists()
    assert "scenario easy: policies: constant-order: policy = 'constant-order': this is for problems of" in ran.err
    assert "Name others with --policies, or as `policies` of the suite." in ran.err
    named = run("bench", "--suite", given, "-p", "random", "-p", "base-stock", "-o", str(tmp_path / "run"))
    assert "scenario easy: policies: base-stock: policy = 'base-stock'" in named.err and "Name others" not in named.err


def test_a_suite_names_the_policies_that_run_where_none_is_named(tmp_path):
    place = suite(tmp_path / "one.yaml", "{name: easy, instance: retail-easy, horizon: 4}")
    text = (tmp_path / "one.yaml").read_text(encoding="utf-8")
    listed = "policies: [passive, {name: mine, policy: restock-to-target, params: {days: 3}}]\n"
    (tmp_path / "one.yaml").write_text(listed + text, encoding="utf-8")
    ran = run("bench", "--suite", place, "-o", str(tmp_path / "run"))
    assert ran.code == 0, ran.err
    rows = run("leaderboard", str(tmp_path / "run"), "--json").document["rows"]
    assert {row["name"] for row in rows} == {"hindsight", "passive", "mine"}
