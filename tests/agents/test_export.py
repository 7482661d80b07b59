"""Transcripts as data for training: what a model was sent and said, and which of two replies was better."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from restock.agents.export import pairs_by_return, pairs_of_replies, supervised
from restock.agents.judge import open_finished
from restock.agents.modes import Mode
from restock.agents.run import run_agent, training_problem
from restock.agents.transcript import Transcript
from restock.benchmark.suite import list_suites, load_suite
from restock.core.streams import episode_seeds
from restock.problems.load import load_problem
from tests.agents.helping import TOOL, Script, played
from tests.cli.running import run

SHORT = load_problem("serial", horizon=5)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MODEL_NAME", raising=False)


def order(units):
    return json.dumps({"orders": {"2->1": units}})


def written(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def bare(messages):
    """Messages as a request has them, tool calls as trainers want them."""
    found = []
    for message in messages:
        kept = {name: value for name, value in message.items() if name != "tool_call_id"}
        if "tool_calls" in message:
            kept["tool_calls"] = [
                {
                    "type": "function",
                    "function": {
                        "name": call["function"]["name"], "arguments": json.loads(call["function"]["arguments"]),
                    },
                }
                for call in message["tool_calls"]
            ]  # fmt: skip
        if message["role"] == "tool":
            kept["name"] = "suggest"
        found.append(kept)
    return found


# supervised -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("history", [0, 2, 7])
def test_a_line_holds_what_the_model_was_sent_and_what_it_said(history):
    transcript, requests = played(SHORT, Script(*(order(n) for n in range(1, 12))), episodes=2, history=history)
    lines = list(supervised(transcript))
    assert len(lines) == len(requests) == 10
    for line, request in zip(lines, requests, strict=True):
        assert line["messages"][:-1] == request["messages"] and set(line) == {"messages"}
    assert [line["messages"][-1] for line in lines[:3]] == [
        {"role": "assistant", "content": order(n)} for n in (1, 2, 3)
    ]


def test_tools_are_there_with_their_calls():
    ask = {"suggest": {"policy": "s-S"}}
    transcript, requests = played(SHORT, Script(ask, order(2), ask, ask, order(3), order(4)), mode=TOOL)
    lines = list(supervised(transcript))
    assert len(lines) == 5 and all(line["tools"] == requests[0]["tools"] for line in lines)
    assert lines[0]["messages"][:-1] == bare(requests[1]["messages"])
    assert lines[1]["messages"][:-1] == bare(requests[4]["messages"])
    assert [message["role"] for message in lines[1]["messages"]][-5:] == ["assistant", "tool"] * 2 + ["assistant"]


def test_parameters_are_said_once_in_a_while():
    mode = Mode("parameters", ("base-stock",), every=2)
    said = ['{"parameters": {"levels": [9, 9, 9]}}', "no", "no", "no", '{"parameters": {}}']
    transcript, requests = played(SHORT, Script(*said), mode=mode)
    lines = list(supervised(transcript))
    assert [line["messages"][-1]["content"] for line in lines] == [said[0], said[4]]
    assert lines[0]["messages"][:-1] == requests[0]["messages"] and lines[1]["messages"][:-1] == requests[4]["messages"]


def test_what_was_decided_without_the_model_is_not_taught():
    transcript, requests = played(SHORT, Script("no", order(1), "no", "no", order(2)), retries=1)
    lines = list(supervised(transcript))
    assert [line["messages"][-1]["content"] for line in lines] == [order(1), order(2), order(2), order(2)]
    # An answer after a mistake stands as if the mistake had not been made; later turns are as they were sent.
    assert lines[0]["messages"][:-1] == requests[0]["messages"]
    assert lines[1]["messages"][:-1] == requests[4]["messages"]


def test_only_clean_replies_where_asked_for():
    sloppy = "```json\n{'orders': {}}\n```"
    transcript, _ = played(SHORT, Script(sloppy, "no", order(1), "<think>hm</think>" + order(2), order(3)))
    assert len(list(supervised(transcript))) == 5
    clean = [line["messages"][-1]["content"] for line in supervised(transcript, clean=True)]
    assert clean == [order(2), order(3), order(3)]


def test_a_whole_episode_in_a_line():
    transcript, _ = played(SHORT, Script(*(order(n) for n in range(1, 12))), episodes=2)
    lines = list(supervised(transcript, per="episode"))
    assert [len(line["messages"]) for line in lines] == [11, 11]
    turns = list(supervised(transcript, per="turn"))
    assert lines[0]["messages"][-2:] == turns[4]["messages"][-2:]
    cut, _ = played(SHORT, Script("no", order(1)), retries=0)
    assert list(supervised(cut, per="episode")) == []


def test_episodes_by_what_they_earned():
    transcript, _ = played("serial", Script(*(order(n) for n in range(100))), episodes=3)
    returns = transcript.lines[-1]["returns"]
    assert len(set(returns)) == 3
    assert len(list(supervised(transcript, least_return=sorted(returns)[1]))) == 60
    store, _ = played("retail-easy", Script("{}"), episodes=1)
    score = store.of("end")[0]["grade"]["score"]
    assert len(list(supervised(store, least_score=score))) == 30
    assert list(supervised(store, least_score=score + 0.01)) == []


# preferences ----------------------------------------------------------------------------------------


def test_of_two_replies_in_the_same_state_the_better_end_is_chosen():
    good = run_agent(SHORT, "stand-in:base-stock", 3, 4)
    bad = run_agent(SHORT, "stand-in:mean-anchoring", 3, 4)
    pairs = list(pairs_by_return([bad, good]))
    assert len(pairs) == 3
    for pair, end, other in zip(pairs, good.of("end"), bad.of("end"), strict=True):
        assert [message["role"] for message in pair["prompt"]] == ["system", "user"]
        texts = [pair[name][0]["content"] for name in ("chosen", "rejected")]
        firsts = [one.of("turn")[5 * end["episode"]]["reply"] for one in (good, bad)]
        assert texts == (firsts if end["total"] > other["total"] else firsts[::-1])
        assert end["seed"] == other["seed"]


def test_states_that_are_met_again_make_pairs_too():
    """The same decisions until the third period: the pair is about that one, earlier turns in its prompt."""
    one, _ = played(SHORT, Script(order(5), order(5), order(30), order(5)))
    two, _ = played(SHORT, Script(order(5), order(5), order(0), order(5)))
    (pair,) = pairs_by_return([one, two])
    assert [message["role"] for message in pair["prompt"]] == ["system", *["user", "assistant"] * 2, "user"]
    rest = [sum(line["reward"] for line in each.of("turn")[2:]) for each in (one, two)]
    assert pair["chosen"][0]["content"] == order(30 if rest[0] > rest[1] else 0)


def test_replies_of_the_same_form_make_a_pair_also_where_both_were_repaired():
    """A model that fences all it says, as most do, can be compared with itself; a pair is never about the fence."""

    def fenced(units):
        return f"```json\n{order(units)}\n```"

    one, _ = played(SHORT, Script(fenced(5), fenced(30), fenced(5)))
    two, _ = played(SHORT, Script(fenced(5), fenced(0), fenced(5)))
    (pair,) = pairs_by_return([one, two])
    assert sorted(pair[name][0]["content"] for name in ("chosen", "rejected")) == sorted([fenced(0), fenced(30)])
    bare, _ = played(SHORT, Script(fenced(5), order(0), fenced(5)))
    assert list(pairs_by_return([one, bare])) == []


def test_what_makes_no_difference_makes_no_pair():
    one, _ = played(SHORT, Script(order(5)))
    two, _ = played(SHORT, Script(order(5) + " As before."))
    assert list(pairs_by_return([one, two])) == []
    other, _ = played(SHORT, Script(order(9)), seed=8)
    assert list(pairs_by_return([one, other])) == []  # other episodes: luck would decide
    least = abs(one.lines[-1]["mean"] - played(SHORT, Script(order(9)))[0].lines[-1]["mean"])
    again = played(SHORT, Script(order(9)))[0]
    assert list(pairs_by_return([one, again], margin=least + 1.0)) == []
    assert len(list(pairs_by_return([one, again], margin=least - 1e-6))) == 1


def test_a_reply_that_could_not_be_used_is_rejected_for_the_one_that_could():
    sloppy = "```json\n{'orders': {'2->1': 3,}}\n```"
    transcript, requests = played(SHORT, Script("hm", order(1), sloppy, "<think>x</think>{}", order(2)))
    pairs = list(pairs_of_replies(transcript))
    assert [(pair["chosen"][0]["content"], pair["rejected"][0]["content"]) for pair in pairs] == [
        (order(1), "hm"),
        (order(3), sloppy),
    ]
    assert pairs[0]["prompt"] == requests[0]["messages"] and pairs[1]["prompt"] == requests[2]["messages"]


def test_an_empty_reply_is_not_rejected_for_another_one():
    """There is nothing in it to learn from; of several the first that says something is taken."""
    sloppy = "{'orders': {'2->1': 3,}}"
    transcript, _ = played(SHORT, Script("", order(1), "\n ", "hm", order(2), "", sloppy, order(4)))
    pairs = [(pair["chosen"][0]["content"], pair["rejected"][0]["content"]) for pair in pairs_of_replies(transcript)]
    assert pairs == [(order(2), "hm"), (order(3), sloppy)]


def test_where_all_that_failed_was_empty_nothing_is_written():
    transcript = Transcript.begin(Path("a.jsonl"))
    with closing(transcript):
        played("minimal", Script("", '{"order": 1}'), transcript=transcript)
    ran = run("export", "a.jsonl", "--to", "repairs", "-o", "r.jsonl", "--allow-judged-seeds")
    assert ran.code == 2 and "or was empty" in ran.err and not Path("r.jsonl").exists()


# seeds ----------------------------------------------------------------------------------------------


def test_training_has_seeds_of_its_own():
    assert (
        run("agent", "--env", "serial", "--model", "stand-in:base-stock", "-n", "2", "--training", "-o", "t.jsonl").code
        == 0
    )
    ran = run("export", "t.jsonl", "-o", "sft.jsonl", "--json")
    assert ran.code == 0 and ran.document["lines"] == 60 == len(written("sft.jsonl"))
    assert ran.document["seeds"] == list(episode_seeds(0, 2, "training"))
    assert ran.document["judged_by"] is None


def test_a_store_for_training_has_other_demand_than_the_published_one():
    plain, changed = load_problem("retail-easy"), training_problem(load_problem("retail-easy"))
    assert plain.spec.demand_stream == "task" and changed.spec.demand_stream == "seed"
    assert training_problem(SHORT) is SHORT
    run("agent", "--env", "retail-easy", "--model", "stand-in:base-stock", "--training", "-o", "t.jsonl")
    assert run("export", "t.jsonl", "-o", "sft.jsonl").code == 0


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("--env", "serial", "--seeds", "42"), "seed 42"),
        (("--env", "serial", "--seeds", "7,3"), "seed 3"),
        (("--env", "retail-easy", "--seeds", "100"), "seed 100"),
        (("--env", "retail-easy"), "the published demand"),
    ],
)
def test_what_judges_does_not_train(given, why):
    assert run("agent", *given, "--model", "stand-in:base-stock", "-o", "t.jsonl").code == 0
    ran = run("export", "t.jsonl", "-o", "sft.jsonl")
    assert ran.code == 2 and why in ran.err and "--allow-judged-seeds" in ran.err and len(ran.err.splitlines()) == 1
    assert not Path("sft.jsonl").exists()
    ran = run("export", "t.jsonl", "-o", "sft.jsonl", "--allow-judged-seeds")
    assert ran.code == 0 and written("sft.jsonl")


def test_every_seed_of_every_suite_is_known():
    from restock.agents.export import judged_seeds

    assert judged_seeds() >= {seed for name in list_suites() for seed in load_suite(name).seeds} | {100, 200, 300}


def test_episodes_of_a_seed_that_others_may_judge_by_are_told():
    run("agent", "--env", "serial", "--model", "stand-in:base-stock", "--seed", "4", "-o", "t.jsonl")
    ran = run("export", "t.jsonl", "-o", "sft.jsonl")
    assert ran.code == 0 and "judge by another seed than 4" in ran.err
    assert run("export", "t.jsonl", "-o", "again.jsonl", "--json").document["judged_by"] == [4]


# the command ----------------------------------------------------------------------------------------


def test_the_command_writes_preferences():
    for name in ("base-stock", "mean-anchoring"):
        run("agent", "--env", "serial", "--model", f"stand-in:{name}", "-n", "3", "--training", "-o", f"{name}.jsonl")
    ran = run("export", "base-stock.jsonl", "mean-anchoring.jsonl", "--to", "preferences", "-o", "p.jsonl")
    assert ran.code == 0 and "3 lines" in ran.out
    assert all(set(line) == {"prompt", "chosen", "rejected"} for line in written("p.jsonl"))
    run("agent", "--env", "serial", "--model", "stand-in:sloppy", "--training", "-o", "sloppy.jsonl")
    assert run("export", "sloppy.jsonl", "--to", "repairs", "-o", "r.jsonl").code == 0
    assert len(written("r.jsonl")) == 30


def test_a_folder_stands_for_its_transcripts():
    run("agent", "--env", "serial", "--env", "minimal", "--model", "stand-in:base-stock", "--training", "-o", "both")
    ran = run("export", "both", "-o", "sft.jsonl", "--json")
    assert ran.document["transcripts"] == 2 and ran.document["episodes"] == 2


def test_unfinished_episodes_are_left_out_and_told():
    transcript, _ = played(SHORT, Script(order(1)), episodes=2, transcript=Transcript.begin(Path("t.jsonl")))
    transcript.close()
    lines = Path("t.jsonl").read_text().splitlines(keepends=True)
    Path("cut.jsonl").write_text("".join(lines[:-4]))
    ran = run("export", "cut.jsonl", "-o", "sft.jsonl", "--json")
    assert ran.code == 0 and ran.document["lines"] == 5 and ran.document["unfinished"] == 1
    assert "1 episode is not finished" in run("export", "cut.jsonl", "-o", "x.jsonl").err
    assert open_finished("t.jsonl").finished


def test_an_export_never_takes_the_place_of_a_transcript():
    for name in ("t.jsonl", "other.jsonl"):
        run("agent", "--env", "serial", "--model", "stand-in:base-stock", "--training", "-o", name)
    whole = Path("t.jsonl").read_bytes()
    for given in ("t.jsonl", "other.jsonl"):
        ran = run("export", given, "-o", "t.jsonl")
        assert ran.code == 2 and "t.jsonl" in ran.err and "a transcript" in ran.err
    assert Path("t.jsonl").read_bytes() == whole
    assert run("export", "t.jsonl", "-o", "sft.jsonl").code == 0
    assert run("export", "t.jsonl", "-o", "sft.jsonl").code == 0  # an export may be made again


def test_only_episodes_that_gave_a_line_are_counted():
    run("agent", "--env", "serial", "--model", "stand-in:base-stock", "-n", "3", "--training", "-o", "t.jsonl")
    returns = open_finished("t.jsonl").lines[-1]["returns"]
    best = open_finished("t.jsonl").of("episode")[returns.index(max(returns))]["seed"]
    told = run("export", "t.jsonl", "--min-return", str(max(returns)), "-o", "sft.jsonl", "--json").document
    assert (told["lines"], told["episodes"], told["seeds"]) == (30, 1, [best])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--to", "preferences", "--per", "turn"), "--per"),
        (("--to", "preferences", "--clean"), "--clean"),
        (("--to", "repairs", "--min-return", "9"), "--min-return"),
        (("--margin", "4"), "--margin"),
        (("--to", "repairs", "--min-score", "0.5"), "--min-score"),
    ],
)
def test_an_option_of_another_kind_of_data_is_refused(given, words):
    for path in ("t.jsonl", "m.jsonl"):
        run("agent", "--env", "serial", "--model", "stand-in:mean-anchoring", "--training", "-o", path)
    ran = run("export", "t.jsonl", "m.jsonl", *given, "-o", "out.jsonl")
    assert ran.code == 2 and words in ran.err and "--to" in ran.err
    assert not Path("out.jsonl").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("t.jsonl", "t.jsonl", "--to", "preferences"), "decided otherwise"),
        (("t.jsonl", "t.jsonl", "--to", "preferences", "--margin", "nan"), "must be a finite number"),
        (("t.jsonl", "t.jsonl", "--to", "preferences", "--margin", "-1"), "must be a finite number"),
        (("t.jsonl", "--min-return", "1e9"), "lower --min-return"),
        (("t.jsonl", "--min-return", "nan"), "must be a finite number"),
        (("none.jsonl",), "there is no such file"),
        (("t.jsonl", "--to", "stf"), "Did you mean 'sft'?"),
        (("t.jsonl", "--per", "day"), "there is no such piece"),
        (("t.jsonl", "--to", "preferences"), "two transcripts"),
        (("t.jsonl", "m.jsonl", "--to", "preferences"), "m.jsonl"),
        (("t.jsonl", "--min-score", "0.5"), "has no published score"),
        (("t.jsonl", "--min-return", "1e9"), "nothing is left"),
        (("t.jsonl", "--to", "repairs"), "nothing is left"),
    ],
)
def test_what_is_refused(given, words):
    for env, path in (("serial", "t.jsonl"), ("minimal", "m.jsonl")):
        run("agent", "--env", env, "--model", "stand-in:base-stock", "--training", "-o", path)
    ran = run("export", *given, "-o", "out.jsonl")
    assert ran.code == 2 and words in ran.err and len(ran.err.splitlines()) == 1
    assert not Path("out.jsonl").exists()
