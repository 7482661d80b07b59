"""Episodes side by side: one transcript, the same whatever the order in which replies arrive."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

from restock.agents.client import EndpointError
from restock.agents.modes import Mode
from restock.agents.play import Settings
from restock.agents.prompt import turn
from restock.agents.run import Assignment, resume_agent, run_agent, run_agents
from restock.agents.standins.server import serving
from restock.agents.transcript import read
from restock.core.errors import InvalidInput
from restock.problems.load import load_problem
from tests.agents.helping import Script
from tests.agents.test_transcript import without_time
from tests.cli.running import COMMAND, environment, run

STORE = load_problem("retail-easy", horizon=5)
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX sends them")


class Thinking(Script):
    """Takes a while for every reply, never the same; says what follows from what it is asked."""

    def __init__(self, *sayings, most=0.02):
        super().__init__(*sayings)
        self.most, self.now, self.together = most, 0, 0
        self.count = threading.Lock()

    def speak(self, messages, tools):
        with self.count:
            self.now += 1
            self.together = max(self.together, self.now)
        time.sleep(random.uniform(0.0, self.most))
        with self.count:
            self.now -= 1
        units = len(json.dumps(messages)) % 7
        return "no" if units == 0 else json.dumps({"buy_quantities": {"groceries": units}})


def asked_of(server, path=None, jobs=1, episodes=6, tell=lambda line: None):
    return run_agent(
        STORE, "m", episodes, 3, base_url=server.address, api_key="k", request={"tries": 1}, out=path, jobs=jobs,
        settings=Settings(retries=1), tell=tell,
    )  # fmt: skip


def content(lines):
    """Lines without what is measured and the address."""
    return [json.dumps(line, sort_keys=True) for line in without_time(lines)]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The transcript of one episode after the other."""
    path = tmp_path_factory.mktemp("alone") / "a.jsonl"
    with serving(Thinking(most=0.0)) as server:
        asked_of(server, path)
    return path


@pytest.mark.parametrize("jobs", [2, 4, 9])
def test_side_by_side_gives_the_transcript_of_one_by_one(alone, tmp_path, jobs):
    path = tmp_path / "a.jsonl"
    with serving(Thinking()) as server:
        played = asked_of(server, path, jobs)
        assert server.speaker.together > 1
    assert content(read(path)[0]) == content(read(alone)[0]) == content(played.lines)
    in_file = [json.loads(line) for line in path.read_text().splitlines()]
    assert content(in_file) == content(played.lines)


def test_every_line_names_its_episode(alone):
    for line in read(alone)[0]:
        assert ("episode" in line) == (line["event"] not in ("run", "result"))


def test_a_transcript_whose_replies_name_no_episode_is_read_and_resumed(alone, tmp_path):
    """As transcripts were written before episodes ran side by side."""
    lines = [json.loads(line) for line in alone.read_text().splitlines()]
    for line in lines:
        if line["event"] in ("reply", "tool"):
            del line["episode"]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines[:20]))
    with serving(Thinking(most=0.0)) as server:
        resume_agent(path, base_url=server.address, jobs=3)
    assert content(read(path)[0]) == content(read(alone)[0])


def test_lines_of_episodes_may_stand_in_any_order(alone, tmp_path):
    lines = alone.read_text().splitlines(keepends=True)
    by_episode: dict[int, list[str]] = {}
    for line in lines[1:-1]:
        by_episode.setdefault(json.loads(line)["episode"], []).append(line)
    mixed, dice = [lines[0]], random.Random(4)
    while any(by_episode.values()):
        mixed.append(by_episode[dice.choice([k for k, left in by_episode.items() if left])].pop(0))
    path = tmp_path / "a.jsonl"
    path.write_text("".join(mixed[: len(mixed) * 2 // 3]))
    with serving(Thinking()) as server:
        resume_agent(path, base_url=server.address, jobs=2)
        asked = len(server.requests)
    assert asked < sum(line["event"] == "reply" for line in map(json.loads, lines))
    assert content(read(path)[0]) == content(read(alone)[0])


def test_a_line_that_is_not_what_happens_stops_all(alone, tmp_path):
    lines = [json.loads(line) for line in alone.read_text().splitlines()][:-1]
    wrong = next(line for line in lines if line["event"] == "turn" and line["episode"] == 2)
    wrong["reward"] += 1.0
    path = tmp_path / "a.jsonl"
    text = "".join(json.dumps(line) + "\n" for line in lines[:-4])
    path.write_text(text)
    with (
        serving(Thinking()) as server,
        pytest.raises(InvalidInput, match=r"of episode 2 is not what happens now \(rew"),
    ):
        resume_agent(path, base_url=server.address, jobs=3)


@pytest.mark.parametrize("jobs", [1, 3])
def test_one_failing_episode_keeps_the_others_and_says_which(alone, tmp_path, jobs):
    lost = next(line for line in read(alone)[0] if line.get("episode") == 2 and line.get("period") == 2)
    words = turn(lost["seen"], lost["note"])
    path = tmp_path / "a.jsonl"
    with serving(Thinking()) as server:
        answer = server.answer

        def failing(asked):
            return (500, {}) if asked["messages"][-1]["content"] == words else answer(asked)

        server.answer = failing
        with pytest.raises(EndpointError, match=r"1 of 6 episodes is not finished \(episode 3\).*answers 500"):
            asked_of(server, path, jobs)
        lines = read(path)[0]
        assert [line["episode"] for line in lines if line["event"] == "end"] == [0, 1, 3, 4, 5]
        server.answer = answer
        before = len(server.requests)
        resume_agent(path, base_url=server.address, jobs=jobs)
        assert len(server.requests) - before < 10
    assert content(read(path)[0]) == content(read(alone)[0])


def test_an_endpoint_that_is_gone_is_not_asked_for_every_episode():
    with serving(Thinking()) as server:
        server.faults = [500] * 100
        with pytest.raises(EndpointError, match=r"20 of 20 episodes are not finished \(episodes 1 to 20\)"):
            asked_of(server, jobs=2, episodes=20)
        assert len(server.requests) < 8


def test_a_model_that_takes_no_temperature_is_asked_without_in_every_episode():
    with serving(Thinking()) as server:
        answer = server.answer

        def picky(asked):
            if "temperature" in asked:
                return 400, {"error": {"message": "Unsupported parameter: temperature"}}
            return answer(asked)

        server.answer = picky
        assert asked_of(server, jobs=4).finished


def test_several_problems_at_once_each_with_its_transcript(tmp_path):
    problems = ["retail-easy", "serial", "minimal"]
    wanted = [Assignment(load_problem(name), out=tmp_path / f"{name}.jsonl") for name in problems]
    played = run_agents(wanted, "stand-in:base-stock", 2, 5, jobs=3)
    for name, transcript in zip(problems, played, strict=True):
        single = run_agent(name, "stand-in:base-stock", 2, 5)
        assert content(transcript.lines) == content(single.lines)
        assert content(read(tmp_path / f"{name}.jsonl")[0]) == content(single.lines)


def test_policies_that_a_model_asks_side_by_side_say_what_they_say_alone():
    how = Settings(mode=Mode("tool", ("base-stock", "rolling"), calls=2))
    problem = load_problem("serial", horizon=8)
    one, other = (run_agent(problem, "stand-in:follower", 6, 1, settings=how, jobs=jobs) for jobs in (1, 6))
    assert content(one.lines) == content(other.lines)


def test_bad_jobs():
    with pytest.raises(InvalidInput, match="jobs = 0"):
        run_agent(STORE, "stand-in:base-stock", jobs=0)


CODE = """
import sys
from restock.agents.run import resume_agent, run_agent
from restock.agents.modes import Mode
from restock.agents.play import Settings
from restock.problems.load import load_problem
path, address, resume = sys.argv[1:]
if resume == "resume":
    resume_agent(path, base_url=address, jobs=3)
else:
    run_agent(load_problem('retail-easy', horizon=5), 'm', 6, 3, base_url=address, request={'tries': 1}, out=path,
              jobs=3, settings=Settings(retries=1))
"""


@POSIX
def test_killed_again_and_again_it_ends_as_if_it_had_not_been(alone, tmp_path):
    path, dice = tmp_path / "a.jsonl", random.Random(2)
    with serving(Thinking(most=0.1)) as server:
        before = 0
        for start in range(3):
            arguments = [str(path), server.address, "resume" if start else "begin"]
            running = subprocess.Popen([sys.executable, "-c", CODE, *arguments], env=environment())
            while not path.exists() or path.read_text().count("\n") < before + 6:
                assert running.poll() is None
                time.sleep(0.01)
            time.sleep(dice.uniform(0.0, 0.1))
            running.kill()
            running.wait()
            before = path.read_text().count("\n")
        assert not read(path)[0][-1]["event"] == "result"
        resume_agent(path, base_url=server.address, jobs=3)
    assert content(read(path)[0]) == content(read(alone)[0])
    assert content(map(json.loads, path.read_text().splitlines())) == content(read(alone)[0])


@POSIX
def test_ctrl_c_with_jobs_ends_at_once_and_goes_on(tmp_path):
    path = tmp_path / "a.jsonl"
    with serving(Thinking(most=0.2)) as server:
        arguments = ["agent", "--env", "retail-easy", "--horizon", "5", "--model", "m", "--base-url", server.address]
        arguments += ["-n", "6", "--jobs", "3", "-o", str(path)]
        pipe = subprocess.PIPE
        running = subprocess.Popen([*COMMAND, *arguments], env=environment(), stdout=pipe, stderr=pipe, text=True)
        while not path.exists() or path.read_text().count("\n") < 8:
            assert running.poll() is None
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, said = running.communicate(timeout=60)
        assert time.monotonic() - began < 10.0
        assert running.returncode == 130 and f"restock agent --resume {path}" in said
        assert len(said.strip().splitlines()) == 1
        kept = sum(line["event"] == "reply" for line in read(path)[0])
        before = len(server.requests)
        again = run("agent", "--resume", str(path), "--base-url", server.address, "--jobs", "2", "--json")
        assert again.code == 0
        assert len(server.requests) - before == again.document["agents"][0]["counts"]["replies"] - kept


def test_an_episode_of_its_own_thread_never_writes_after_the_end(tmp_path):
    """Whoever stops the run closes the file; a late reply must not write into it."""

    class Late(Thinking):
        def speak(self, messages, tools):
            if len(json.dumps(messages)) % 2:
                time.sleep(0.3)
            return "{}"

    def stop(line):
        if line["event"] == "turn":
            raise KeyboardInterrupt

    path = tmp_path / "a.jsonl"
    with serving(Late()) as server:
        with pytest.raises(KeyboardInterrupt):
            asked_of(server, path, 4, tell=stop)
        size = path.stat().st_size
        time.sleep(0.5)
        assert path.stat().st_size == size
    assert read(path)[0][0]["model"] == "m"
