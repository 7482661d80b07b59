from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from restock.agents.client import EndpointError
from restock.agents.judge import open_finished
from restock.agents.run import resume_agent, run_agent
from restock.agents.transcript import MEASURED, Transcript, read
from restock.core.errors import InvalidInput
from restock.problems.load import load_problem
from tests.agents.helping import Script, played

STORE = load_problem("retail-easy", horizon=6)


def without_time(lines):
    def bare(value):
        if isinstance(value, dict):
            return {name: bare(entry) for name, entry in value.items() if name not in MEASURED}
        return [bare(entry) for entry in value] if isinstance(value, list) else value

    return [bare(line) for line in lines]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "run.jsonl"
    run_agent(STORE, "stand-in:malformed", 2, 4, out=path)
    return path


def test_one_line_an_event(whole):
    lines = [json.loads(line) for line in whole.read_text().splitlines()]
    events = [line["event"] for line in lines]
    assert events[0] == "run" and events[-1] == "result" and events.count("episode") == events.count("end") == 2
    assert events.count("turn") == 12 and events.count("reply") == 36
    assert lines[0]["system"].startswith("You decide") and len(lines[0]["system_sha256"]) == 64
    turn = next(line for line in lines if line["event"] == "turn")
    assert set(turn) >= {"seen", "reply", "action", "by", "repairs", "reward", "counts", "seconds", "parts", "faults"}


@pytest.mark.parametrize("kept", [1, 2, 3, 5, 6, 20, 27])
def test_a_run_goes_on_where_it_stopped(whole, kept, tmp_path):
    pieces = whole.read_text().splitlines(keepends=True)
    path = tmp_path / "run.jsonl"
    path.write_text("".join(pieces[:kept]))
    asked: list[str] = []
    resume_agent(path, tell=lambda line: asked.append(line["event"]))
    assert without_time(read(path)[0]) == without_time(read(whole)[0])
    assert path.read_text().startswith("".join(pieces[:kept]))


def test_a_damaged_last_line_is_cut_off(whole, tmp_path):
    pieces = whole.read_text().splitlines(keepends=True)
    path = tmp_path / "run.jsonl"
    path.write_text("".join(pieces[:9]) + pieces[9][: len(pieces[9]) // 2])
    words: list[str] = []
    resume_agent(path, remark=words.append)
    assert words == [f"The last line of {path} was not written whole; it is left out."]
    assert without_time(read(path)[0]) == without_time(read(whole)[0])


def test_a_finished_run_is_left_alone(whole):
    before, words = whole.read_bytes(), []
    found = resume_agent(whole, remark=words.append)
    assert found.finished and whole.read_bytes() == before and "finished" in words[0]


@pytest.mark.parametrize("change", ["seen", "action", "asked"])
def test_a_transcript_that_does_not_fit_is_found_out(whole, change, tmp_path):
    lines = [json.loads(line) for line in whole.read_text().splitlines()][:20]
    line = next(line for line in lines if change in line)
    line[change] = {"current_day": 3} if change != "asked" else "0000"
    path = tmp_path / "run.jsonl"
    text = "".join(json.dumps(line) + "\n" for line in lines)
    path.write_text(text)
    with pytest.raises(InvalidInput, match=rf"is not what happens now \({change}\)"):
        resume_agent(path)
    assert path.read_text() == text


def test_what_is_no_transcript(tmp_path, whole):
    path = tmp_path / "run.jsonl"
    pieces = whole.read_text().splitlines(keepends=True)
    for text, why in [
        ("", "no transcript"),
        ("nothing\n", "no transcript"),
        ('{"event": "run", "event": "run"}\n', "no transcript"),
        ('{"event": "turn"}\n', "no transcript"),
        ('{"event": "run", "format": 99}\n', "of format 99"),
        (pieces[0] + "{\n" + pieces[1], "line 2 is damaged"),
    ]:
        path.write_text(text)
        with pytest.raises(InvalidInput, match=why):
            resume_agent(path)
    with pytest.raises(InvalidInput, match="no such file"):
        resume_agent(tmp_path / "none.jsonl")


def test_a_transcript_is_never_written_over(whole):
    before = whole.read_bytes()
    with pytest.raises(InvalidInput, match="there is a transcript"):
        run_agent(STORE, "stand-in:base-stock", out=whole)
    assert whole.read_bytes() == before


def test_only_one_process_writes(tmp_path):
    path = tmp_path / "run.jsonl"
    first = Transcript.begin(path)
    with pytest.raises(InvalidInput, match="another process"):
        Transcript.begin(path)
    first.close()


def test_an_endpoint_that_gives_up_leaves_what_was_played(tmp_path):
    path = tmp_path / "run.jsonl"
    transcript = Transcript.begin(path)
    with pytest.raises(EndpointError, match="answers 500"):
        played(STORE, Script("{}"), transcript=transcript, faults=["", *[500] * 3][1:])
    transcript.close()
    assert [line["event"] for line in transcript.lines] == ["run", "episode"]
    with pytest.raises(InvalidInput, match="not finished"):
        open_finished(path)


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX sends them")
def test_a_killed_run_goes_on(whole, tmp_path):
    path = tmp_path / "run.jsonl"
    code = (
        "import time\n"
        "from restock.agents import run\n"
        "from restock.agents.standins import speakers\n"
        "speak = speakers.Malformed.speak\n"
        "speakers.Malformed.speak = lambda *given: (time.sleep(0.05), speak(*given))[1]\n"
        "from restock.problems.load import load_problem\n"
        f"run.run_agent(load_problem('retail-easy', horizon=6), 'stand-in:malformed', 2, 4, out={str(path)!r})\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
    while not path.exists() or path.read_text().count("\n") < 8:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not read(path)[0][-1]["event"] == "result"
    resume_agent(path)
    assert without_time(read(path)[0]) == without_time(read(whole)[0])
