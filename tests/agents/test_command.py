"""`restock agent`: what it prints, writes and refuses."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from restock.agents.transcript import read
from tests.agents.endpoint import counting, standing
from tests.agents.helping import Script, serving
from tests.cli.running import COMMAND, environment, process, run

PLAY = ("agent", "--env", "retail-easy", "--horizon", "5")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A folder of its own, and an environment that names no endpoint."""
    monkeypatch.chdir(tmp_path)
    for name in ("API_BASE_URL", "OPENAI_BASE_URL", "MODEL_NAME", "API_KEY", "HF_TOKEN", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_a_stand_in_plays_and_is_put_beside_policies():
    ran = run(*PLAY, "--model", "stand-in:base-stock", "-n", "2")
    assert ran.code == 0
    for words in ("stand-in:base-stock on retail-easy: 2 episodes", "hindsight", "restock-to-target"):
        assert words in ran.out
    for words in (
        "Published score",
        "10 replies: 0 repairs",
        "Transcript: runs/agent-retail-easy-stand-in-base-stock-0",
    ):
        assert words in ran.out
    assert all(len(line) <= 80 for line in ran.out.splitlines())


def test_json_is_one_document():
    ran = run(*PLAY, "--model", "stand-in:base-stock", "--json", "--price-in", "1", "--log-lines", "-o", "a.jsonl")
    told = ran.document
    (agent,) = told["agents"]
    assert agent["differences"]["restock-to-target"]["mean"] == 0.0 and agent["cost"] > 0.0
    assert told["transcript"] == "a.jsonl" and agent["counts"]["replies"] == 5
    assert agent["grades"][0]["profit"] == agent["mean"]
    assert "[START]" in ran.err


def test_log_lines_are_those_that_people_compare_with():
    ran = run(*PLAY, "--model", "stand-in:malformed", "--log-lines", "--retries", "0", "--quiet")
    lines = [line for line in ran.out.splitlines() if line.startswith("[")]
    assert lines[0] == "[START] task=retail-easy env=restock model=stand-in:malformed"
    assert (
        lines[1].startswith('[STEP] step=1 action={"buy_quantities":{},')
        and " reward=1350.00 done=false error=" in lines[1]
    )
    assert " done=true " in lines[5]
    assert lines[6].startswith("[END] success=false steps=5 score=0.") and "rewards=1350.00,650.00," in lines[6]


def test_an_endpoint_from_the_environment_and_a_transcript_to_compare_with(monkeypatch):
    with serving(Script('{"buy_quantities": {"toys": 4}}')) as server:
        monkeypatch.setenv("API_BASE_URL", server.address)
        monkeypatch.setenv("MODEL_NAME", "scripted")
        monkeypatch.setenv("API_KEY", "secret-key")
        assert run(*PLAY, "-o", "one.jsonl").code == 0
        assert len(server.requests) == 5 and server.requests[0]["model"] == "scripted"
    text = Path("one.jsonl").read_text(encoding="utf-8")
    assert "secret-key" not in text
    ran = run(
        *PLAY, "--model", "stand-in:base-stock", "-o", "two.jsonl", "--with", "one.jsonl", "--beside", "none", "--json"
    )
    assert {row["name"] for row in ran.document["policies"]} == {"stand-in:base-stock", "scripted"}
    assert ran.document["bound"] is None


def printed(said: str) -> list[str]:
    """The command that a message ends with, as it is printed."""
    return shlex.split(said.strip().rpartition("restock agent")[2].rstrip("."))


@pytest.mark.parametrize("out", [("a b.jsonl",), ("both of them", "--env", "minimal")])
def test_the_printed_command_runs_as_it_is_printed(out):
    """With the address, the policies to compare with, and a name that a shell would cut in two."""
    run(*PLAY, "--model", "stand-in:base-stock", "-o", "other.jsonl")
    with serving(Script("{}")) as server:
        answer, asked = server.answer, []

        def failing(body):
            asked.append(body)
            return answer(body) if len(asked) != 3 else (500, "{}")

        server.answer = failing
        given = ("--base-url", server.address, "--jobs", "2", "--beside", "passive", "--with", "other.jsonl")
        several = ("--beside", "none") if len(out) > 1 else ()
        ran = run(*PLAY, "--model", "m", *given, *several, "--tries", "1", "--json", "-o", *out, "--trust")
        assert ran.code == 1 and "Then go on: restock agent --resume" in ran.err
        words = printed(ran.err)
        for option in ("--base-url", "--jobs", "--with", "--json", "--trust"):
            assert option in words
        again = run("agent", *words)
    assert again.code == 0, again.err
    told = again.document
    agents = [agent["name"] for one in told.get("problems", [told]) for agent in one["agents"]]
    assert set(agents) == {"m", "stand-in:base-stock"}


def test_no_secret_stands_in_the_printed_command():
    with serving(Script("{}")) as server:
        answer, asked = server.answer, []
        server.answer = lambda body: answer(body) if asked.append(body) or len(asked) != 3 else (500, "{}")
        address = server.address.replace("http://", "http://me:hidden1@")
        given = ("--base-url", address, "--api-key", "hidden2", "--header", "X-Key: hidden3")
        ran = run(*PLAY, "--model", "m", *given, "--tries", "1", "-o", "a.jsonl")
    assert ran.code == 1 and "hidden" not in ran.err
    assert "restock agent --resume a.jsonl (with the --base-url and --api-key and --header of this command" in ran.err


def test_an_address_is_printed_as_it_was_given():
    with serving(Script("{}")) as server:
        answer, asked = server.answer, []
        server.answer = lambda body: answer(body) if asked.append(body) or len(asked) != 3 else (500, "{}")
        address = server.address.replace("127.0.0.1", "LOCALHOST")
        ran = run(*PLAY, "--model", "m", "--base-url", address, "--tries", "1", "-o", "a.jsonl")
        assert ran.code == 1 and ran.err.strip().endswith(f"--base-url {address}")


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX sends them")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_before_the_first_reply_keeps_nothing_and_says_so(tmp_path, jobs):
    came = threading.Event()

    class Silent(Script):
        def speak(self, messages, tools):
            came.set()
            time.sleep(2.0)
            return super().speak(messages, tools)

    path = tmp_path / "a.jsonl"
    with serving(Silent("{}")) as server:
        arguments = [*PLAY, "--model", "m", "--base-url", server.address, "-o", str(path), "--jobs", jobs]
        running = subprocess.Popen([*COMMAND, *arguments], env=environment(), stderr=subprocess.PIPE, text=True)
        assert came.wait(60)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 130 and not path.exists()
    assert "nothing was played, and no transcript is kept" in said and "--resume" not in said
    assert len(said.strip().splitlines()) == 1


def test_an_endpoint_that_fails_is_told_and_gone_on_with(monkeypatch):
    with serving(Script("{}")) as server:
        answer, asked = server.answer, []

        def failing(body):
            asked.append(body)
            return answer(body) if len(asked) != 2 else (200, "{}")

        server.answer = failing
        ran = run(*PLAY, "--model", "m", "--base-url", server.address, "-o", "a.jsonl", "--tries", "1")
        assert ran.code == 1 and "no chat completion" in ran.err and "restock agent --resume a.jsonl" in ran.err
        assert len(ran.err.splitlines()) == 1
        elsewhere = run("agent", "--resume", "a.jsonl")  # a transcript does not say where a key is sent
        assert elsewhere.code == 2 and "no endpoint is given" in elsewhere.err
        again = run("agent", *printed(ran.err), "--json")
        assert again.code == 0 and again.document["agents"][0]["counts"]["replies"] == 5
    finished = run("agent", "--resume", "a.jsonl")
    assert finished.code == 0 and "a.jsonl is finished" in finished.err


def test_further_fields_are_kept_and_headers_are_not():
    told = counting(prompt_tokens=9, completion_tokens=8, cost=0.25, completion_tokens_details={"reasoning_tokens": 7})
    given = ("--header", "X-Secret: hush", "--header", "X-Title: a: b")
    fields = ("--body", "reasoning_effort=low", "--body", "top_p=0.9", "--body", 'stop=["a=b"]')
    with standing(told, always=True) as server:
        ran = run(*PLAY, "--model", "m", "--base-url", server.address, "-o", "a.jsonl", *fields, *given)
        path = Path("a.jsonl")
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(lines[:8]), encoding="utf-8")
        again = run("agent", "--resume", "a.jsonl", "--base-url", server.address, *given)
    assert ran.code == again.code == 0
    replies = 15  # in each of the five periods three: an answer about a network is none about a store
    assert f"{8 * replies} written ({7 * replies} of reasoning)" in ran.out and f"Cost {0.25 * replies:g}" in ran.out
    assert len(server.requests) > replies
    for body, headers in zip(server.requests, server.headers, strict=True):
        assert (body["reasoning_effort"], body["top_p"], body["stop"]) == ("low", 0.9, ["a=b"])
        assert (headers["x-secret"], headers["x-title"]) == ("hush", "a: b")
    assert "hush" not in "".join(lines) and '"reasoning_effort": "low"' in lines[0]


def test_a_key_that_is_refused(monkeypatch):
    with serving(Script("{}"), [401]) as server:
        ran = run(*PLAY, "--model", "m", "--base-url", server.address, "--json")
    assert (
        ran.code == 1
        and "refuses (401" in ran.document["error"]["problem"]
        and "API_KEY" in ran.document["error"]["mend"]
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("agent",), "no problem is named"),
        (PLAY, "no model is named"),
        ((*PLAY, "--model", "gpt"), "no endpoint is given"),
        ((*PLAY, "--model", "gpt", "--base-url", "here"), "must be an http or https address"),
        (("agent", "--env", "nosuch", "--model", "stand-in:base-stock"), "there is no such network"),
        ((*PLAY, "--model", "stand-in:base-stok"), "Did you mean 'base-stock'?"),
        ((*PLAY, "--model", "stand-in:base-stock", "--mode", "tol"), "Did you mean 'tool'?"),
        ((*PLAY, "--model", "stand-in:base-stock", "--policy", "passive"), "decides alone"),
        ((*PLAY, "--model", "stand-in:base-stock", "--mode", "tool", "--policy", "base-stock"), "problems of the kind"),
        ((*PLAY, "--model", "stand-in:base-stock", "--fallback", "hindsight"), "it knows the future"),
        ((*PLAY, "--model", "stand-in:base-stock", "--beside", "nobody"), "there is no such policy"),
        ((*PLAY, "--model", "stand-in:base-stock", "--information", "all"), "there is no such level"),
        ((*PLAY, "--model", "stand-in:base-stock", "--temperature", "-1"), "temperature = -1.0"),
        ((*PLAY, "--model", "stand-in:base-stock", "--max-tokens", "0"), "max_tokens = 0"),
        ((*PLAY, "--model", "stand-in:base-stock", "--price-in", "-1"), "price_in = -1.0"),
        ((*PLAY, "--model", "stand-in:base-stock", "--episodes", "0"), "episodes = 0"),
        ((*PLAY, "--model", "stand-in:base-stock", "--seed", "-1"), "seed = -1"),
        ((*PLAY, "--model", "stand-in:base-stock", "--with", "none.jsonl"), "there is no such file"),
        ((*PLAY, "--model", "stand-in:base-stock", "--price-cached", "-1"), "price_cached = -1.0"),
        ((*PLAY, "--model", "stand-in:base-stock", "--body", "seed=1"), "Here --model-seed sets it."),
        ((*PLAY, "--model", "stand-in:base-stock", "--body", "top_p"), "must be a name, '=' and a value"),
        ((*PLAY, "--model", "stand-in:base-stock", "--body", "top_p=NaN"), "must be JSON"),
        ((*PLAY, "--model", "stand-in:base-stock", "--body", 'a={"b": 1'), "must be NAME=JSON"),
        ((*PLAY, "--model", "stand-in:base-stock", "--body", 'a={"b": 1, "b": 2}'), "must be NAME=JSON"),
        ((*PLAY, "--model", "stand-in:base-stock", "--body", "a=1", "--body", "a=2"), "must be given once"),
        ((*PLAY, "--model", "m", "--base-url", "http://h/v1", "--header", "X: 1", "--header", "x: 2"), "given once"),
        ((*PLAY, "--model", "m", "--base-url", "http://h/v1", "--header", "X Y: 1"), "header = 'X Y'"),
        (("agent", "--resume", "none.jsonl"), "there is no such file"),
        (("agent", "--resume", "none.jsonl", "--body", "a=1"), "must not change in a resumed run"),
        (("agent", "--resume", "none.jsonl", "--episodes", "3"), "must not change in a resumed run"),
    ],
)
def test_what_is_refused(given, words, tmp_path):
    ran = run(*given)
    assert ran.code == 2 and words in ran.err and len(ran.err.splitlines()) == 1
    assert list(tmp_path.rglob("*.jsonl")) == []


def test_nobody_needs_the_client_who_asks_no_model():
    code = (
        "import sys, restock.cli.main, restock.agents.prompt, restock.agents.judge; "
        "print([m for m in ('openai', 'httpx', 'fastapi', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    assert done.stdout.strip() == "[]"


def test_without_the_extra_it_says_how_to_get_it(tmp_path):
    (tmp_path / "httpx.py").write_text("raise ImportError")
    ran = process(*PLAY, "--model", "stand-in:base-stock", cwd=tmp_path,
                  PYTHONPATH=os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]]))  # fmt: skip
    assert ran.code == 2 and "pip install 'restock[llm]'" in ran.err


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX sends them")
def test_ctrl_c_keeps_what_was_played_and_says_how_to_go_on(tmp_path):
    class Slow(Script):
        def speak(self, messages, tools):
            time.sleep(0.05)
            return super().speak(messages, tools)

    path = tmp_path / "a.jsonl"
    with serving(Slow("{}")) as server:
        arguments = ["agent", "--env", "retail-easy", "--model", "m", "--base-url", server.address, "-o", str(path)]
        running = subprocess.Popen([*COMMAND, *arguments], env=environment(), stderr=subprocess.PIPE, text=True)
        while not path.exists() or path.read_text().count("\n") < 8:
            assert running.poll() is None
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
        assert running.returncode == 130 and f"Go on with it: restock agent --resume {path}" in said
        assert len(said.strip().splitlines()) == 1
        lines = read(path)[0]
        assert 8 <= len(lines) < 60
        again = run("agent", *printed(said), "--json")
        assert again.document["agents"][0]["counts"]["replies"] == 30
        assert json.loads(path.read_text().splitlines()[len(lines) - 1]) == lines[-1]


@pytest.mark.parametrize(
    ("usage", "words", "early", "uncounted"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 77}, "15 replies were cut off at 77 tokens: raise --max-tokens.",
         0, 0),
        ({"prompt_tokens": 9, "completion_tokens": 12},
         "15 replies were cut off before the 77 tokens asked for at most, by a limit of the endpoint", 15, 0),
        (None, "15 replies were cut off, and not counted: raise --max-tokens, or a limit of the endpoint.", 0, 15),
    ],
)  # fmt: skip
def test_replies_that_were_cut_off_are_told(usage, words, early, uncounted):
    with serving(Script('{"orders"')) as server:
        answer = server.answer

        def cut(body):
            status, said = answer(body)
            said["choices"][0]["finish_reason"] = "length"
            said["usage"] = usage
            return status, said

        server.answer = cut
        given = (*PLAY, "--model", "m", "--base-url", server.address, "--max-tokens", "77", "-o", "a.jsonl")
        ran = run(*given)
        told = run("agent", "--resume", "a.jsonl", "--json").document
    said = " ".join(ran.out.split())
    assert words in said and said.count("cut off") == 1 and said.count("raise") == 1
    (agent,) = told["agents"]
    assert (agent["cut"], agent["cut_early"], agent["cut_uncounted"]) == (15, early, uncounted)
    assert "cut off" not in run(*PLAY, "--model", "stand-in:base-stock", "-o", "b.jsonl").out


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--price-in", "-1"), "price_in = -1.0: must be a finite number >= 0"),
        (("--price-out", "nan"), "price_out = nan: must be a finite number >= 0"),
        (("--temperature", "3"), "temperature = 3.0: must be from 0 to 2"),
        (("--timeout", "nan"), "timeout = nan: must be from 0.1 to 86400"),
        (("--max-tokens", "0"), "max_tokens = 0: must be from 1 to 1000000"),
    ],
)
def test_a_number_out_of_range_is_told_with_its_range(given, words):
    ran = run(*PLAY, "--model", "stand-in:base-stock", "-o", "a.jsonl", *given)
    assert ran.code == 2 and words in ran.err and not Path("a.jsonl").exists()


USED = {"prompt_tokens": 1000, "completion_tokens": 50}


def counting_every_other(server):
    """Let every second answer have no count of tokens."""
    answer, numbers = server.answer, itertools.count()

    def sometimes(body):
        status, said = answer(body)
        return status, {**said, "usage": None if next(numbers) % 2 else USED}

    server.answer = sometimes


def test_replies_without_a_count_of_tokens_are_told_wherever_tokens_and_money_are():
    Path("one.yaml").write_text(SUITE, encoding="utf-8")
    with serving(Script("{}")) as server:
        counting_every_other(server)
        given = (*PLAY, "--model", "m", "--base-url", server.address, "--price-in", "1000", "-n", "2")
        shown = run(*given, "-o", "a.jsonl")
        several = run(*given, "--env", "minimal", "-o", "b", width=120)
        Path("models.yml").write_text(f"models: [{{model: m, base_url: '{server.address}', price_in: 1000}}]")
        assert run("bench", "--suite", "one.yaml", "-p", "base-stock", "--agents", "models.yml", "-o", "r").code == 0
    said = " ".join(shown.out.split())
    assert "5000 tokens read, 250 written" in said and "Cost 5 in all" in said
    assert "The endpoint did not count the tokens of 5 of 10 replies: tokens and cost are more than that." in said
    assert "≥ 3000" in said and "≥ 150" in said and "≥ 3 " in said  # the first episode
    assert "≥ 5" in several.out and "the tokens of 10 of 20 replies" in " ".join(several.out.split())
    told = run("agent", "--resume", "a.jsonl", "--json").document["agents"][0]
    assert told["counts"]["uncounted"] == 5 and [one["uncounted"] for one in told["episodes"]] == [2, 3]
    board = run("leaderboard", "r", "--markdown", "b.md", "--out", "b.html", width=170)
    for text in (board.out, Path("b.md").read_text(encoding="utf-8"), Path("b.html").read_text(encoding="utf-8")):
        assert "≥: the endpoint did not count the tokens of some replies (m 7)" in " ".join(text.split())
        assert "≥ 8,000" in text and text.count("≥ 8") == 2  # tokens, and money
    (row,) = [row for row in run("leaderboard", "r", "--json").document["rows"] if row["counted"]]
    assert row["counted"]["uncounted"] == 7 and row["counted"]["cost"] == 8.0


SUITE = """
name: one
seeds: [1, 2, 3]
scenarios:
  - {name: net, instance: serial, horizon: 5}
"""


def test_where_all_tokens_are_counted_nothing_is_said_of_it():
    shown = run(*PLAY, "--model", "stand-in:base-stock", "-n", "2", "--price-in", "1")
    assert "count the tokens" not in " ".join(shown.out.split()) and "≥" not in shown.out
