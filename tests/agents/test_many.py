"""`restock agent` with several problems at once, side by side, with prices."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from restock.agents.transcript import read
from restock.core.streams import episode_seeds
from tests.agents.helping import Script, serving
from tests.agents.test_transcript import without_time
from tests.cli.running import run

RULE = ("--model", "stand-in:base-stock")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("API_BASE_URL", "OPENAI_BASE_URL", "MODEL_NAME", "API_KEY", "HF_TOKEN", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_several_problems_give_a_transcript_each_and_one_table():
    several = ("agent", "--env", "retail-easy", "--env", "serial", *RULE, "-n", "2", "--jobs", "3")
    ran = run(*several, "--out", "both", "--price-in", "1", "--price-out", "2", "--json")
    told = ran.document
    assert [row["problem"] for row in told["table"]] == ["retail-easy", "serial"]
    assert sorted(path.name for path in Path("both").iterdir()) == ["retail-easy.jsonl", "serial.jsonl"]
    for row, judged in zip(told["table"], told["problems"], strict=True):
        single = run("agent", "--env", row["problem"], *RULE, "-n", "2", "--json").document
        assert row["mean"] == single["agents"][0]["mean"] == judged["agents"][0]["mean"]
        assert row["difference"]["mean"] == 0.0 and row["reference"] == judged["reference"]
        assert row["transcript"] == judged["transcript"] == f"both/{row['problem']}.jsonl"
        assert row["cost"] == pytest.approx(sum(one["cost"] for one in judged["agents"][0]["episodes"]))
        assert row["cost"] == pytest.approx((row["counts"]["tokens_in"] + 2 * row["counts"]["tokens_out"]) / 1e6)
    total = told["total"]
    assert total["episodes"] == 4 and total["counts"]["replies"] == 120
    assert total["cost"] == pytest.approx(sum(row["cost"] for row in told["table"]))


def test_the_table_says_the_same_in_words():
    ran = run("agent", "--env", "retail-easy", "--env", "serial", *RULE, "-n", "2", "--price-in", "1", "-o", "both")
    assert ran.code == 0 and all(len(line) <= 80 for line in ran.out.splitlines())
    for words in ("retail-easy", "serial", "2 problems, 4 episodes", "120 replies", "in all", "Transcripts: both"):
        assert words in ran.out
    assert re.search(r"Cost 0\.\d+ in all", ran.out)


def test_a_kind_of_problem_stands_for_all_of_it():
    told = run("agent", "--env", "retail", "--horizon", "3", *RULE, "--json").document
    assert [row["problem"] for row in told["table"]] == ["retail-easy", "retail-hard", "retail-medium"]
    assert Path("runs/agent-stand-in-base-stock-0/retail-hard.jsonl").exists()


def test_published_stores_are_played_in_their_own_episodes():
    told = run("agent", "--env", "retail", "--seeds", "own", *RULE, "--beside", "none", "--json").document
    seeds = [judged["agents"][0]["episodes"][0]["seed"] for judged in told["problems"]]
    assert seeds == [100, 300, 200]
    ran = run("agent", "--env", "serial", "--seeds", "own", *RULE)
    assert ran.code == 2 and "has no seed of its own" in ran.err


def test_money_is_told_by_episode_and_in_all():
    priced = ("agent", "--env", "serial", *RULE, "-n", "3", "--price-in", "1000", "--price-out", "2000")
    ran = run(*priced)
    (agent,) = run(*priced, "--json", "-o", "again.jsonl").document["agents"]
    costs = [one["cost"] for one in agent["episodes"]]
    assert agent["cost"] == pytest.approx(sum(costs)) and len(set(costs)) == 3
    for cost in costs:
        assert f"{cost:.4g}" in ran.out
    assert f"Cost {agent['cost']:.4g} in all, {agent['cost'] / 3:.4g} an episode." in " ".join(ran.out.split())
    assert "Cost" not in run("agent", "--env", "serial", *RULE, "-o", "free.jsonl").out


def test_what_was_stopped_goes_on_from_its_folder():
    with serving(Script("{}")) as server:
        answer, asked = server.answer, []

        def failing(body):
            asked.append(body)
            return answer(body) if len(asked) < 13 else (401, {})

        server.answer = failing
        several = ("agent", "--env", "retail-easy", "--env", "serial", "--horizon", "5", "-n", "3", "--jobs", "2")
        ran = run(*several, "--model", "m", "--base-url", server.address, "-o", "both")
        assert ran.code == 1 and len(ran.err.splitlines()) == 1
        assert "of 6 episodes are not finished (retail-easy: episode" in ran.err
        assert "restock agent --resume both" in ran.err
        server.answer = answer
        again = run("agent", "--resume", "both", "--base-url", server.address, "--jobs", "2", "--json")
        assert again.code == 0 and again.document["total"]["counts"]["replies"] == 30
        whole = run(*several, "--model", "m", "--base-url", server.address, "-o", "whole", "--json")
    assert whole.code == 0
    for name in ("retail-easy", "serial"):
        both, alone = (without_time(read(Path(folder, f"{name}.jsonl"))[0]) for folder in ("both", "whole"))
        assert both == alone


def test_log_lines_stay_episode_by_episode():
    one = run("agent", "--env", "retail-easy", "--horizon", "4", *RULE, "-n", "3", "--log-lines", "--quiet")
    more = run(
        "agent", "--env", "retail-easy", "--horizon", "4", *RULE, "-n", "3", "--log-lines", "--quiet", "--jobs", "3",
        "-o", "more.jsonl",
    )  # fmt: skip
    logged = [[line for line in ran.out.splitlines() if line.startswith("[")] for ran in (one, more)]
    assert logged[0] == logged[1] and len(logged[0]) == 18


def test_episodes_for_training_are_those_of_their_own_stream():
    told = run("agent", "--env", "serial", *RULE, "-n", "2", "--seed", "5", "--training", "--json").document
    assert [one["seed"] for one in told["agents"][0]["episodes"]] == list(episode_seeds(5, 2, "training"))
    assert not set(episode_seeds(5, 100, "training")) & set(episode_seeds(5, 100))


def test_episodes_for_training_are_called_so():
    words = " ".join(run("agent", "--env", "minimal", *RULE, "--seed", "5", "--training", "-o", "t.jsonl").out.split())
    assert "training episodes of seed 5" in words and "of your own" not in words
    words = " ".join(run("agent", "--env", "minimal", *RULE, "--seeds", "4,9", "-o", "s.jsonl").out.split())
    assert "seeds of your own" in words


def test_requests_that_were_repeated_are_told():
    with serving(Script("{}"), [429, 503]) as server:
        given = ("--env", "minimal", "--model", "m", "--base-url", server.address, "--beside", "none", "-o", "t.jsonl")
        words = " ".join(run("agent", *given).out.split())
    asked, replies = len(server.requests), read(Path("t.jsonl"))[0][-1]["counts"]["replies"]
    assert asked == replies + 2 and f"{replies} replies to {asked} requests:" in words


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--env", "serial", "--env", "serial"), "--env = 'serial': this problem is named twice"),
        (("--env", "serial", "--env", "nosuch"), "there is no such network"),
        (("--env", "serial", "--env", "retail-easy", "--policy", "x"), "decides alone"),
        (("--env", "serial", "--env", "retail-easy", "--beside", "s-S"), "problems of the kind"),
        (("--env", "serial", "--jobs", "0"), "jobs = 0"),
        (("--env", "serial", "--training", "--seeds", "3"), "--training"),
        (("--env", "serial", "--env", "retail-easy", "-o", "taken"), "there are transcripts in this folder"),
    ],
)
def test_what_is_refused(given, words):
    Path("taken").mkdir()
    Path("taken/a.jsonl").write_text("x", encoding="utf-8")
    ran = run("agent", *given, *RULE)
    assert ran.code == 2 and words in ran.err and len(ran.err.splitlines()) == 1
    assert [str(path) for path in Path().rglob("*.jsonl")] == ["taken/a.jsonl"]


def test_transcripts_to_compare_with_are_put_where_they_belong():
    for name in ("serial", "retail-easy"):
        run("agent", "--env", name, "--model", "stand-in:sloppy", "-o", f"{name}.jsonl")
    ran = run("agent", "--env", "serial", "--env", "retail-easy", *RULE, "--with", "serial.jsonl", "--with",
              "retail-easy.jsonl", "--json", "-o", "both")  # fmt: skip
    assert [len(judged["agents"]) for judged in ran.document["problems"]] == [2, 2]
    other = run("agent", "--env", "minimal", "--env", "retail-easy", *RULE, "--with", "serial.jsonl")
    assert other.code == 2 and "serial" in other.err and "none of these problems" in other.err
    assert json.loads(Path("both/serial.jsonl").read_text().splitlines()[0])["problem"] == "serial"


def sloppy_and_rule():
    """Transcripts of two models on the same two problems, a folder each."""
    several = ("agent", "--env", "serial", "--env", "retail-easy", "-n", "2", "--price-in", "1", "--price-out", "1")
    assert run(*several, "--model", "stand-in:mean-anchoring", "-o", "one").code == 0
    assert run(*several, *RULE, "-o", "two").code == 0


def test_a_folder_to_compare_with_stands_for_its_transcripts_of_what_is_played():
    sloppy_and_rule()
    both = run("agent", "--resume", "two", "--with", "one", "--json").document
    agents = ["stand-in:base-stock", "stand-in:mean-anchoring"]
    assert [sorted(agent["name"] for agent in judged["agents"]) for judged in both["problems"]] == [agents, agents]
    single = run("agent", "--resume", "two/serial.jsonl", "--with", "one", "--json").document
    assert sorted(agent["name"] for agent in single["agents"]) == agents
    other = run("agent", "--env", "minimal", *RULE, "--with", "one")
    assert other.code == 2 and "--with = 'one'" in other.err and "minimal" in other.err


@pytest.mark.parametrize("given", [("--resume", "two", "--with", "one"), ("--resume", "two", "--resume", "one")])
def test_several_models_have_rows_and_sums_of_their_own(given):
    sloppy_and_rule()
    told = run("agent", *given, "--json").document
    rows = {(row["problem"], row["agent"]): row for row in told["table"]}
    assert len(rows) == len(told["table"]) == 4
    for model in ("base-stock", "mean-anchoring"):
        name = f"stand-in:{model}"
        own = [row for row in told["table"] if row["agent"] == name]
        total = told["totals"][name]
        assert total["episodes"] == 4 and total["counts"]["replies"] == sum(row["counts"]["replies"] for row in own)
        assert total["cost"] == pytest.approx(sum(row["cost"] for row in own))
    ran = run("agent", *given)
    words = " ".join(ran.out.split())
    assert "4 problems" not in words and "8 episodes" not in words and words.count("120 replies") == 2
    assert all(len(line) <= 80 for line in ran.out.splitlines())
    head = next(line for line in ran.out.splitlines() if line.strip().startswith("problem"))
    assert "agent" in head.split()


def test_a_run_of_which_nothing_was_played_leaves_nothing_behind():
    """A wrong name of a model, address or key is mended by the same command, not by resuming with the mistake."""
    with serving(Script("{}")) as server:
        answer = server.answer
        server.answer = lambda body: (404, {"error": {"message": "no such model"}})
        for envs, out in ((("--env", "serial"), "t.jsonl"), (("--env", "serial", "--env", "minimal"), "both")):
            several = ("agent", *envs, "--horizon", "3", "--base-url", server.address, "-o", out)
            server.answer = lambda body: (404, {"error": {"message": "no such model"}})
            ran = run(*several, "--model", "wrong")
            assert ran.code == 1 and "no such model" in ran.err and "--resume" not in ran.err
            assert "start again" in ran.err and not list(Path().rglob("*.jsonl"))
            server.answer = answer
            assert run(*several, "--model", "right").code == 0
            for path in Path().rglob("*.jsonl"):
                path.unlink()


def test_a_file_that_is_no_transcript_is_not_called_one():
    Path("models.yml").write_text("models: []\n", encoding="utf-8")
    Path("folder").mkdir()
    ran = run("agent", "--env", "serial", *RULE, "-o", "models.yml")
    assert ran.code == 2 and "no transcript" in ran.err and "--resume" not in ran.err
    ran = run("agent", "--env", "serial", *RULE, "-o", "folder")
    assert ran.code == 2 and "this is a folder" in ran.err and "--resume" not in ran.err
    ran = run("agent", "--env", "serial", "--env", "minimal", *RULE, "-o", "models.yml")
    assert ran.code == 2 and "--out = 'models.yml'" in ran.err and "must be a folder" in ran.err
    ran = run("agent", "--resume", "models.yml")
    assert ran.code == 2 and "no transcript" in ran.err and "damaged" not in ran.err
    assert Path("models.yml").read_text(encoding="utf-8") == "models: []\n"


def test_a_transcript_of_other_episodes_is_named_by_its_file_and_in_words():
    run("agent", "--env", "serial", *RULE, "-o", "serial.jsonl")
    run("agent", "--env", "serial", *RULE, "--seed", "3", "-o", "other.jsonl")
    run("agent", "--env", "minimal", *RULE, "-o", "minimal.jsonl")
    for name, words in (("other", "another seed"), ("minimal", "another problem")):
        ran = run("agent", "--resume", "serial.jsonl", "--with", f"{name}.jsonl")
        assert ran.code == 2 and f"'{name}.jsonl'" in ran.err and words in ran.err and "(described)" not in ran.err
