"""`restock bench --agents`: language models on the leaderboard, beside policies and on the same episodes."""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

from restock.agents.models import load_models
from restock.agents.transcript import read
from restock.benchmark.folder import RunFolder
from restock.benchmark.leaderboard import leaderboard
from restock.benchmark.runner import bench
from restock.core.errors import InvalidInput
from restock.core.trust import trusting
from tests.agents.helping import Script, serving
from tests.benchmark.runs import results
from tests.cli.running import COMMAND, environment, run

SUITE = """
name: two
seeds: [1, 2, 3]
scenarios:
  - {name: short serial, instance: serial, horizon: 6, groups: [serial]}
  - {name: goodwill, instance: serial, horizon: 5, groups: [goodwill], demand: {mean: 12, goodwill: true}}
"""
MODELS = """
models:
  - stand-in:base-stock
  - {name: careless, model: "stand-in:sloppy", price_in: 1, price_out: 2}
  - {name: hopeless, model: "stand-in:malformed", retries: 0, fallback: base-stock}
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("two.yaml").write_text(SUITE, encoding="utf-8")
    Path("models.yml").write_text(MODELS, encoding="utf-8")
    for name in ("API_BASE_URL", "OPENAI_BASE_URL", "MODEL_NAME", "API_KEY", "HF_TOKEN", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def models(text):
    Path("models.yml").write_text(text, encoding="utf-8")
    return load_models("models.yml")


def test_models_stand_on_the_leaderboard_beside_policies():
    ran = run("bench", "--suite", "two.yaml", "-p", "base-stock", "--agents", "models.yml", "-o", "run", "--json")
    assert ran.code == 0 and ran.document["done"] == 10, ran.err
    board = leaderboard(["run"])
    rule, speaker, careless, hopeless = (
        board.row(name) for name in ("base-stock", "stand-in:base-stock", "careless", "hopeless")
    )
    assert rule.counted is None
    for row in (speaker, careless, hopeless):
        assert row.rank is not None and row.information == "blind"
        assert row.by_scenario == rule.by_scenario and row.ratio == rule.ratio
    assert speaker.counted["replies"] == 3 * 11 and careless.counted["repaired"] == 3 * 3 * 11
    assert careless.counted["cost"] == pytest.approx(
        (careless.counted["tokens_in"] + 2 * careless.counted["tokens_out"]) / 1e6
    )
    assert speaker.counted["cost"] is None and hopeless.counted["fallbacks"] == 33
    assert all(row.decision_seconds > 0.0 for row in (speaker, careless, hopeless))


def test_the_leaderboard_shows_what_it_took():
    run("bench", "--suite", "two.yaml", "-p", "base-stock", "--agents", "models.yml", "-o", "run")
    shown = run("leaderboard", "run", "--markdown", "board.md", "--out", "board.html")
    assert shown.code == 0
    for text in (" ".join(shown.out.split()), Path("board.md").read_text(), Path("board.html").read_text()):
        for words in ("careless", "hopeless", "Agents, over all episodes", "played again", "repairs"):
            assert words in text
        assert "fewer than 5 seeds" in text  # why no interval is told
    told = run("leaderboard", "run", "--json").document
    counted = {row["name"]: row["counted"] for row in told["rows"]}
    assert counted["base-stock"] is None and counted["hopeless"]["fallbacks"] == 33


def test_without_agents_the_leaderboard_says_nothing_of_them():
    run("bench", "--suite", "two.yaml", "-p", "base-stock", "-o", "run")
    assert "gents" not in run("leaderboard", "run").out


def test_a_start_with_other_jobs_or_in_two_parts_gives_the_same():
    bench("two.yaml", ["base-stock"], out="whole", guests=load_models("models.yml"))
    first = bench("two.yaml", ["base-stock"], out="parts", guests=models("models: ['stand-in:base-stock']"))
    assert (first.done, first.kept) == (6, 0)
    again = bench("two.yaml", ["base-stock"], out="parts", jobs=3, guests=models(MODELS))
    assert (again.done, again.kept) == (4, 6)
    assert results(Path("parts")) == results(Path("whole"))
    assert bench("two.yaml", ["base-stock"], out="parts", jobs=3, guests=models(MODELS)).done == 0


def test_the_same_episodes_as_policies():
    bench("two.yaml", ["base-stock"], out="run", guests=load_models("models.yml"))
    plan = RunFolder("run").plan()
    found = {}
    for result in RunFolder("run").results(plan):
        found[result["policy"], result["scenario"]] = [(one["seed"], one["profit"]) for one in result["episodes"]]
    for scenario in ("short serial", "goodwill"):
        assert found["base-stock", scenario] == found["stand-in:base-stock", scenario]


def test_other_prices_ask_nobody_again():
    with serving(Script("{}")) as server:
        text = f"models: [{{name: m, model: m, base_url: '{server.address}', price_in: 1}}]"
        bench("two.yaml", ["base-stock"], out="run", guests=models(text))
        asked = len(server.requests)
        assert asked == 33
        said: list[str] = []
        dearer = models(text.replace("price_in: 1", "price_in: 2"))
        again = bench("two.yaml", ["base-stock"], out="run", guests=dearer, remark=said.append)
        assert again.again == 2 and len(server.requests) == asked
        (changed,) = [words for words in said if "Changed" in words]
        assert "m." in changed and "replies in their transcripts" in changed and "done again" not in changed
        before = leaderboard(["run"]).row("m").counted
        assert before["cost"] == pytest.approx(2 * before["tokens_in"] / 1e6)
        bench("two.yaml", ["base-stock"], out="run", guests=models(text.replace("name: m", "name: m, history: 2")))
        assert len(server.requests) == 2 * asked


def test_a_decision_that_brings_something_else_is_found_out():
    bench("two.yaml", ["base-stock"], out="run", guests=models("models: ['stand-in:base-stock']"))
    (path,) = Path("run/agents").glob("*.000.*.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    next(line for line in lines if line["event"] == "turn")["reward"] += 5.0
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    for result in Path("run/episodes").glob("stand-in_base-stock*"):
        result.unlink()
    found = bench("two.yaml", ["base-stock"], out="run", guests=models("models: ['stand-in:base-stock']"))
    assert "line 3 of episode 0 is not what happens now (reward)" in found.failed["stand-in:base-stock"]
    assert leaderboard(["run"]).row("stand-in:base-stock").rank is None


def test_an_endpoint_that_fails_leaves_the_others_and_is_resumed():
    with serving(Script("{}")) as bad:
        bad.faults = [401] * 100
        text = f"models: [{{name: bad, model: m, base_url: '{bad.address}'}}, 'stand-in:base-stock']"
        found = bench("two.yaml", ["base-stock"], out="run", guests=models(text), jobs=2)
        assert list(found.failed) == ["bad"] and "refuses (401" in found.failed["bad"]
        assert {row.name for row in leaderboard(["run"]).rows} == {"hindsight", "base-stock", "stand-in:base-stock"}
        bad.faults = []
        again = bench("two.yaml", ["base-stock"], out="run", guests=models(text))
        assert again.failed == {} and again.done == 2
        assert leaderboard(["run"]).row("bad").rank is not None


def test_a_key_is_taken_from_the_variable_that_is_named_and_written_nowhere(monkeypatch):
    keys = []
    with serving(Script("{}")) as server:

        class Handler(server.RequestHandlerClass):
            def do_POST(self):
                keys.append(self.headers.get("Authorization"))
                super().do_POST()

        server.RequestHandlerClass = Handler
        monkeypatch.setenv("API_KEY", "general-secret")
        monkeypatch.setenv("MINE", "own-secret")
        text = f"models: [{{name: a, model: m, base_url: '{server.address}', api_key_env: MINE}}]"
        bench("two.yaml", ["base-stock"], out="run", guests=models(text), trust=True)
        assert set(keys) == {"Bearer own-secret"}
        keys.clear()
        text = f"models: [{{name: b, model: m, base_url: '{server.address}'}}]"
        bench("two.yaml", ["base-stock"], out="run", guests=models(text))
        assert set(keys) == {"Bearer none"}  # whoever wrote the file does not get a key by naming an address
    for path in Path("run").rglob("*"):
        assert path.is_dir() or b"secret" not in path.read_bytes()


def test_a_variable_that_is_not_set_is_told():
    sent = models("models: [{model: m, base_url: 'http://localhost/v1', api_key_env: NOT_SET}]")
    with pytest.raises(InvalidInput, match="there is no such variable"):
        bench("two.yaml", ["base-stock"], out="run", guests=sent, trust=True)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("base_url: '{here}', api_key_env: CLOUD_SECRET", "this would send CLOUD_SECRET to {here}. If that is where"),
        ("base_url: '{here}', api_key_env: API_KEY", "this would send API_KEY to {here}. If that is where API_KEY"),
        ("api_key_env: CLOUD_SECRET", "this would send CLOUD_SECRET to the address of the environment"),
        ("base_url: 'https://example.org/v1'", "this would send prompts to https://example.org/v1. If they belong"),
    ],
)
def test_without_trust_a_file_neither_reads_a_variable_nor_sends_it_nor_leaves_the_machine(monkeypatch, said, words):
    with serving(Script("{}")) as server:
        for name, value in (("CLOUD_SECRET", "s" * 20), ("API_KEY", "k" * 20), ("API_BASE_URL", server.address)):
            monkeypatch.setenv(name, value)
        here = server.address
        Path("models.yml").write_text(f"models: [{{name: a, model: m, {said.format(here=here)}}}]", encoding="utf-8")
        ran = run("bench", "--suite", "two.yaml", "-p", "base-stock", "--agents", "models.yml", "-o", "run")
        assert ran.code == 2 and words.format(here=here) in " ".join(ran.err.split()) and not Path("run").exists()
        assert not server.requests
        if "example.org" not in said:
            trusted = ("-o", "run", "--trust")
            ran = run("bench", "--suite", "two.yaml", "-p", "base-stock", "--agents", "models.yml", *trusted)
            assert ran.code == 0 and server.requests
        for usual in ("api_key_env: API_KEY", f"base_url: '{here}'"):
            bench("two.yaml", ["base-stock"], out=f"run {usual[:4]}", guests=models(f"models: [{{model: m, {usual}}}]"))


@pytest.mark.parametrize("address", ["https://example.org/v1", "http://127.0.0.1.example.org/v1", "//x@y/v1"])
def test_a_file_that_was_sent_takes_no_key_elsewhere(monkeypatch, address):
    monkeypatch.setenv("OPENAI_API_KEY", "secret-of-mine")
    sent = models(f"models: [{{name: a, model: m, base_url: '{address}', api_key_env: OPENAI_API_KEY}}]")
    with pytest.raises(
        InvalidInput, match=r"a file must not send a key by itself.*example\.org|must be an http or https address"
    ):
        bench("two.yaml", ["base-stock"], out="run", guests=sent)
    assert not Path("run").exists()
    if "example" in address:
        with trusting():
            sent.specs[0].endpoint().close()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("models: []", "models = []: this is empty"),
        ("modls: [x]", "Did you mean 'models'?"),
        ("models: [{model: m, hstory: 3}]", "models[0].hstory = 3: there is no such field. Did you mean 'history'?"),
        ("models: [{name: x}]", "models[0].model = None: this is required"),
        ("models: [{model: m, api_key: sk-12345}]", "a key must not stand in this file"),
        ("models: [{model: m, api_key_env: sk-12345}]", "must be the name of an environment variable"),
        (
            "models: [{model: m, base_url: 'http://localhost/v1', api_key_env: NOT_SET}]",
            "this would send NOT_SET to http://localhost/v1. If that is where NOT_SET belongs, add --trust.",
        ),
        (
            "models: [{model: m, request: {tmperature: 1}}]",
            "models[0].request.tmperature = 1: there is no such field. Did",
        ),
        ("models: [{model: m, request: {model: x}}]", "models[0].request.model"),
        ("models: [{model: m, request: {temperature: 9}}]", "models[0].request.temperature = 9"),
        ("models: [{model: m, mode: loud}]", "models[0].mode = 'loud': there is no such mode"),
        ("models: [{model: m, price_in: -1}]", "models[0].price_in = -1"),
        ("models: [{model: m, base_url: here}]", "must be an http or https address"),
        ("", "the file is empty. Write in it `models: [...]`."),
        ("models: [{model: m}]", "no endpoint is given"),
        ("models: ['stand-in:nobody']", "there is no such stand-in"),
        ("models: ['stand-in:sloppy', 'stand-in:sloppy']", "two entries have this name. Give each a name of its own."),
        ("models: [{name: base-stock, model: 'stand-in:sloppy'}]", "two entries have this name"),
        ("models: [{model: 'stand-in:sloppy', mode: tool, policies: [hindsight]}]", "it knows the future"),
        ("models: [{model: 'stand-in:sloppy', information: all}]", "there is no such level"),
    ],
)
def test_a_bad_file_is_told_before_anything_is_played(text, told):
    with pytest.raises(InvalidInput) as refused:
        bench("two.yaml", ["base-stock"], out="run", guests=models(text))
    assert told in str(refused.value) and "sk-12345" not in str(refused.value)
    assert not Path("run").exists()


def wait_for(lines: int, running: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 120.0
    while sum(path.read_text().count("\n") for path in Path().glob("run/agents/*.jsonl")) < lines:
        assert running.poll() is None and time.monotonic() < until, running.communicate()
        time.sleep(0.01)


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX sends them")
def test_killed_again_and_again_then_ctrl_c_it_ends_as_if_it_had_not_been():
    class Slow(Script):
        def speak(self, messages, tools):
            time.sleep(random.uniform(0.0, 0.05))
            return json.dumps({"orders": {"2->1": len(json.dumps(messages)) % 9}})

    with serving(Slow()) as server:
        address = server.address
        models(f"models: [{{name: m, model: m, base_url: '{address}'}}, {{name: n, model: m, base_url: '{address}'}}]")
        words = [
            "bench",
            "--suite",
            "two.yaml",
            "-p",
            "base-stock",
            "--agents",
            "models.yml",
            "--jobs",
            "3",
            "-o",
            "run",
        ]
        pipe, before = subprocess.PIPE, 0
        for stop in (signal.SIGKILL, signal.SIGKILL, signal.SIGINT):
            running = subprocess.Popen(
                [*COMMAND, *words], env=environment(), stdout=pipe, stderr=pipe, text=True, start_new_session=True
            )
            wait_for(before + 12, running)
            running.send_signal(stop)
            _, said = running.communicate(timeout=60)
            before = sum(path.read_text().count("\n") for path in Path().glob("run/agents/*.jsonl"))
        assert running.returncode == 130 and "Traceback" not in said
        line = said.strip().splitlines()[-1]
        assert "Go on with: restock bench --suite two.yaml" in line and "--agents models.yml" in line
        again = run(*shlex.split(line.partition("Go on with: restock ")[2]), "--json")
        assert again.code == 0, again.err
        bench("two.yaml", ["base-stock"], out="whole", guests=load_models("models.yml"))
    assert results(Path("run")) == results(Path("whole"))


def test_every_reply_is_kept_in_a_transcript_of_its_scenario():
    bench("two.yaml", ["base-stock"], out="run", guests=models("models: ['stand-in:base-stock']"))
    paths = sorted(Path("run/agents").glob("*.jsonl"))
    assert len(paths) == 2
    for path, horizon in zip(paths, (6, 5), strict=True):
        lines = read(path)[0]
        assert lines[0]["seeds"] == [1, 2, 3] and lines[-1]["event"] == "result"
        assert sum(line["event"] == "reply" for line in lines) == 3 * horizon
