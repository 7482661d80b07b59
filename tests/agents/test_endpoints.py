"""What endpoints really send: none of it ends a run that a second try would save, and none leaves a traceback."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import json
import threading
import time
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restock.agents import completion as completions
from restock.agents.client import Endpoint, EndpointError, Request
from restock.agents.counts import Counts, Prices
from restock.agents.play import Play, Settings
from restock.agents.run import resume_agent, run_agent
from restock.agents.transcript import ADDED, Transcript
from restock.agents.wire import LARGEST, Answered, Trouble
from restock.core.errors import InvalidInput
from restock.problems.load import load_problem
from tests.agents.endpoint import (
    ANSWER,
    ASKING,
    BEHAVIOURS,
    LONG,
    READ,
    SAVED,
    TOLD,
    answer,
    completion,
    delta,
    events,
    standing,
)
from tests.agents.helping import TOOL
from tests.cli.running import run

ASKED = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
TOOLS = [{"type": "function", "function": {"name": "suggest", "parameters": {}}}]
FIELDS = (
    "content", "reasoning", "reasoning_content", "thinking", "refusal", "tool_calls", "function_call", "function",
    "name", "arguments", "id", "index", "type", "text", "error", "message", "code", "metadata", "raw",
    "prompt_tokens", "completion_tokens", "total_tokens", "completion_tokens_details", "reasoning_tokens",
    "prompt_tokens_details", "cached_tokens", "cost",
)  # fmt: skip
EACH = pytest.mark.parametrize("name", BEHAVIOURS)


def endpoint(address: str, waited: list[float], slow: bool = False, **more):
    request = Request("m", timeout=1.0 if slow else 30.0, **{"tries": 4} | more)
    return closing(Endpoint(address, "key", request, wait=waited.append))


@EACH
def test_what_comes_first_is_read_or_asked_again_or_told(name):
    behaviour, waited = BEHAVIOURS[name], []
    offered = TOOLS if "calls" in behaviour.reply else []
    with standing(behaviour.sent) as server, endpoint(server.address, waited, behaviour.slow) as model:
        if behaviour.outcome == TOLD:
            with pytest.raises(EndpointError) as error:
                model.ask(ASKED, offered)
            assert behaviour.words in str(error.value) and "refuses" in str(error.value)
            assert len(server.requests) == 1 and not waited
            return
        reply = model.ask(ASKED, offered)
    if behaviour.outcome == SAVED:
        assert reply.text == ANSWER and reply.tries == len(server.requests) == 1 + len(waited)
        assert reply.tries == 2 or behaviour.slow
        return
    assert reply.tries == 1
    for field, value in behaviour.reply.items():
        if field == "calls":
            (call,) = reply.calls
            assert {key: getattr(call, key) for key in value} == value
        else:
            assert getattr(reply, field) == value


@EACH
def test_what_never_ends_is_told_in_the_words_of_the_endpoint(name):
    behaviour = BEHAVIOURS[name]
    if behaviour.outcome == READ:
        return
    with standing(behaviour.sent, always=True) as server:
        with endpoint(server.address, [], behaviour.slow, tries=2) as model, pytest.raises(EndpointError) as error:
            model.ask(ASKED, TOOLS)
        assert behaviour.words in str(error.value) and len(str(error.value).splitlines()) == 1
        assert behaviour.outcome == TOLD or "2 times" in str(error.value)
        assert server.sent < LONG / 2


def test_a_small_answer_does_not_fill_the_memory():
    packed = gzip.compress(b" " * LONG)
    assert len(packed) < LARGEST / 50
    with standing(answer(packed, Content_Encoding="gzip"), always=True) as server:
        tracemalloc.start()
        try:
            with endpoint(server.address, [], tries=1) as model, pytest.raises(EndpointError, match="larger than 8 MB"):
                model.ask(ASKED)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 4 * LARGEST


@EACH
def test_a_run_goes_on_and_its_transcript_is_played_again(name, tmp_path):
    behaviour, path = BEHAVIOURS[name], tmp_path / "run.jsonl"
    problem = (
        load_problem("minimal", horizon=2) if "calls" not in behaviour.reply else load_problem("serial", horizon=1)
    )
    settings = Settings(TOOL) if "calls" in behaviour.reply else Settings()
    about = {"problem": "x", "model": "m"}

    def play(transcript, address):
        with closing(transcript), endpoint(address, [], behaviour.slow) as model:
            run = Play(problem, model, settings, transcript, 1, 7, about)
            run.play(0, model)
            return run.finish()

    with standing(behaviour.sent) as server:
        if behaviour.outcome == TOLD:
            with pytest.raises(EndpointError, match="refuses"):
                play(Transcript.begin(path), server.address)
            return
        result = play(Transcript.begin(path), server.address)
        asked = len(server.requests)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(lines[:-1]), encoding="utf-8")
        again = play(Transcript.resume(path)[0], server.address)
        assert again == result and len(server.requests) == asked
    assert [json.loads(line)["event"] for line in lines].count("turn") == problem.horizon


def test_the_command_tells_it_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with standing(BEHAVIOURS["an error inside a 200"].sent, always=True) as server:
        ran = run("agent", "--env", "minimal", "--model", "m", "--base-url", server.address, "--tries", "1")
    assert ran.code == 1 and "upstream is away, once" in ran.err and len(ran.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 1.0),
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "9", "Retry_After_Ms": "250"}, 0.25),
        ({"Retry_After": "Fri, 31 Dec 1999 23:59:59 GMT"}, 0.0),
        ({"Retry_After": "Fri, 31 Dec 2100 23:59:59 GMT"}, 60.0),
        ({"Retry_After": "-5"}, 0.0),
        ({"Retry_After": "1e999"}, 1.0),
        ({"Retry_After": "in a while"}, 1.0),
    ],
)
def test_it_waits_as_long_as_the_endpoint_asks(headers, seconds):
    waited: list[float] = []
    with standing(answer({}, 429, **headers)) as server, endpoint(server.address, waited) as model:
        model.ask(ASKED)
    assert waited == [seconds]


def test_several_threads_ask_at_once():
    with (
        standing(answer(completion({"content": ANSWER})), always=True) as server,
        endpoint(server.address, []) as model,
    ):
        replies: list[str] = []
        threads = [threading.Thread(target=lambda: replies.append(model.ask(ASKED).text)) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert replies == [ANSWER] * 12


def test_it_can_be_asked_where_an_event_loop_runs():
    import asyncio

    async def notebook(address):
        with endpoint(address, []) as model:
            return model.ask(ASKED).text

    with standing(answer(completion({"content": ANSWER}))) as server:
        assert asyncio.run(notebook(server.address)) == ANSWER


def test_further_fields_and_headers_are_sent():
    with standing(answer(completion({"content": ANSWER}))) as server:
        request = Request("m", body={"reasoning_effort": "low", "response_format": {"type": "json_object"}})
        with closing(Endpoint(server.address, "key", request, headers={"X-Title": "restock"})) as model:
            model.ask(ASKED)
    (body,), (sent,) = server.requests, server.headers
    assert body["reasoning_effort"] == "low" and body["response_format"] == {"type": "json_object"}
    assert sent["x-title"] == "restock" and sent["authorization"] == "Bearer key"


def test_it_does_not_run_in_a_circle():
    with standing(answer("", 308, Location="/v1/chat/completions"), always=True) as server:
        with endpoint(server.address, [], tries=1) as model, pytest.raises(EndpointError, match="in a circle"):
            model.ask(ASKED)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"temperature": 1.0}, "--temperature sets it"),
        ({"stream": True}, "replies are read whole"),
        ({"messages": []}, "they are what is played"),
        ({"top_p": float("nan")}, "must be JSON"),
        ({"stop": {1, 2}}, "must be JSON"),
        (3, "must be a mapping"),
    ],
)
def test_fields_that_cannot_be_given(body, words):
    with pytest.raises(InvalidInput, match=words):
        Request("m", body=body).check_body()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"base_url": "http://"}, "must be an http or https address"),
        ({"base_url": "http://host:port/v1"}, "must be an http or https address"),
        ({"base_url": "ftp://host/v1"}, "must be an http or https address"),
        ({"api_key": "schl\u00fcssel"}, "must be printable ASCII"),
        ({"headers": {"X Title": "a"}}, "this cannot be sent"),
        ({"headers": {"X-Title": 7}}, "this cannot be sent"),
        ({"headers": {"X-Title": "a\nAuthorization: b"}}, "this cannot be sent"),
    ],
)
def test_what_cannot_be_sent(given, words):
    arguments = {"base_url": "http://127.0.0.1:9/v1", "api_key": "key"} | given
    with pytest.raises(InvalidInput, match=words) as error:
        Endpoint(request=Request("m"), **arguments)
    assert "schl" not in str(error.value) and "Authorization" not in str(error.value)


def test_a_proxy_that_cannot_be_used(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://here")
    with pytest.raises(InvalidInput, match="no connection can be made"):
        Endpoint("https://example.org/v1", "key", Request("m"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with standing(answer(completion({"content": ANSWER}))) as server, endpoint(server.address, []) as model:
        assert model.ask(ASKED).text == ANSWER  # nobody sends what is on this machine through a proxy


def test_no_secret_of_an_address_is_told():
    with closing(Endpoint("http://name:secret@127.0.0.1:9/v1?key=secret", "k", Request("m", tries=1))) as model:
        assert model.base_url == "http://127.0.0.1:9/v1"
        with pytest.raises(EndpointError, match="cannot be reached") as error:
            model.ask(ASKED)
    assert "secret" not in str(error.value)


def test_closing_ends_what_is_under_way():
    ended: list[BaseException] = []

    def ask(model):
        try:
            model.ask(ASKED)
        except RuntimeError as error:
            ended.append(error)

    with standing(BEHAVIOURS["silence"].sent, always=True) as server:
        with endpoint(server.address, []) as model:
            thread = threading.Thread(target=ask, args=(model,))
            thread.start()
            while not server.requests:
                time.sleep(0.01)
        thread.join()
        ask(model)
    assert [str(error) for error in ended] == ["the connection to the endpoint is closed"] * 2


def test_reasoning_goes_back_with_what_a_tool_told_and_an_empty_reply_is_not_empty():
    thinking = {"content": None, "reasoning_content": "hm", "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "suggest", "arguments": ASKING}}]}  # fmt: skip
    problem = load_problem("serial", horizon=1)
    with standing(answer(completion(thinking))) as server, endpoint(server.address, []) as model:
        run = Play(problem, model, Settings(TOOL), Transcript.begin(None), 1, 7, {"model": "m"})
        run.play(0, model)
    said = server.requests[1]["messages"][2]
    assert said["reasoning_content"] == "hm" and said["tool_calls"][0]["function"]["arguments"] == json.dumps(ASKING)
    with standing(answer(completion({"content": None}))) as server, endpoint(server.address, []) as model:
        run = Play(problem, model, Settings(), Transcript.begin(None), 1, 7, {"model": "m"})
        run.play(0, model)
    assert server.requests[1]["messages"][2] == {"role": "assistant", "content": "(nothing)"}


@pytest.mark.parametrize(
    ("finish", "words"), [("length", "cut off at the limit of tokens"), ("content_filter", "the endpoint's filter")]
)
def test_a_reply_that_was_stopped_is_told_so(finish, words):
    with standing(answer(completion({"content": "I think"}, finish))) as server, endpoint(server.address, []) as model:
        run = Play(load_problem("serial", horizon=1), model, Settings(), Transcript.begin(None), 1, 7, {"model": "m"})
        run.play(0, model)
    assert words in server.requests[1]["messages"][-1]["content"]


def test_calls_of_tools_that_were_not_offered_are_no_answer():
    with standing(BEHAVIOURS["a call"].sent) as server, endpoint(server.address, []) as model:
        run = Play(load_problem("serial", horizon=1), model, Settings(), Transcript.begin(None), 1, 7, {"model": "m"})
        run.play(0, model)
    assert [message["role"] for message in server.requests[1]["messages"]] == ["system", "user", "assistant", "user"]
    assert "no JSON object" in server.requests[1]["messages"][-1]["content"]


def test_reasoning_and_kept_tokens_have_prices_of_their_own():
    counts = Counts(tokens_in=1000, tokens_cached=600, tokens_out=300, tokens_reasoning=200, charged=0.5)
    assert Prices().cost(Counts()) is None and Prices().cost(counts) == 0.5
    assert Prices(2.0, 10.0).cost(counts) == pytest.approx((1000 * 2 + 300 * 10) / 1e6)
    assert Prices(2.0, 10.0, 4.0, 0.5).cost(counts) == pytest.approx((400 * 2 + 600 * 0.5 + 100 * 10 + 200 * 4) / 1e6)


def test_a_transcript_that_knows_nothing_of_reasoning_is_resumed(tmp_path):
    """One of an earlier version: its lines lack what was added since."""
    path, problem = tmp_path / "run.jsonl", load_problem("minimal", horizon=3)
    whole = run_agent(problem, "stand-in:base-stock", seed=3, out=path)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        for name, added in ADDED.items():
            where = line if line["event"] == name else line.get(name)
            for field in added if isinstance(where, dict) else ():
                del where[field]
        line.get("request", {}).pop("body", None)
    assert not any("reasoning" in json.dumps(line) for line in lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines[:-4]), encoding="utf-8")
    assert resume_agent(path).lines[-1]["returns"] == whole.lines[-1]["returns"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("{}[]<think>/\ud800", max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@given(data=st.fixed_dictionaries({}, optional=dict.fromkeys(("error", "usage", "object", "detail"), ANYTHING)),
       message=st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=4), finish=ANYTHING,
       status=st.sampled_from([200, 201, 302, 400, 500]), streamed=st.booleans())  # fmt: skip
def test_whatever_is_sent_is_a_reply_or_trouble(data, message, finish, status, streamed):
    body = data | {"choices": [{"delta" if streamed else "message": message, "finish_reason": finish}]}
    text = f"data: {json.dumps(body)}\n\ndata: [DONE]" if streamed else json.dumps(body)
    try:
        reply = completions.read(Answered(status, text.encode()), True, 2)
    except Trouble as trouble:
        assert len(trouble.words.splitlines()) == 1
        return
    json.dumps(dataclasses.asdict(reply), allow_nan=False).encode("utf-8")
    assert all(isinstance(one, str) for call in reply.calls for one in (call.id, call.name, call.arguments))
    assert 0 <= reply.tokens_cached <= reply.tokens_in and 0 <= reply.tokens_reasoning <= reply.tokens_out


@given(body=st.binary(max_size=60) | st.text('data: {}[]",:0\n', max_size=60).map(str.encode))
def test_whatever_bytes_are_sent_are_a_reply_or_trouble(body):
    with contextlib.suppress(Trouble):
        completions.read(Answered(200, body))


SPENT = {"prompt_tokens": 90, "completion_tokens": 7, "cost": 0.25}


@pytest.mark.parametrize(
    "failed",
    [
        answer(completion({"content": ""}, "error", usage=SPENT)),
        answer({"error": {"code": 502, "message": "upstream is away"}, "usage": SPENT}),
        answer({"choices": [{"error": {"code": 429}, "message": {}}], "usage": SPENT}),
        answer({"choices": [], "usage": SPENT}),
        answer({"error": {"message": "overloaded"}, "usage": SPENT}, 503),
    ],
)
def test_what_a_failed_answer_took_is_counted(failed):
    """What the saved try says of its own tokens stays: here that they were not counted."""
    with standing(failed) as server, endpoint(server.address, []) as model:
        reply = model.ask(ASKED)
    assert (reply.tries, reply.tokens_in, reply.tokens_out, reply.charged) == (2, 90, 7, 0.25)
    assert not reply.counted


KEY, OWN = "sk-live/0123456789", "Basic b3duOnNlY3JldA=="
NAMED = json.dumps(f"bad key {KEY}").replace("/", "\\/")  # as some endpoints write a slash
ECHOES = {
    "an error": answer({"error": {"message": f"Incorrect API key provided: {KEY}. You sent {OWN}."}}, 401),
    "an error that is long": answer({"error": {"message": "x" * 380 + f" no such key: {KEY}"}}, 401),
    "an error with a slash": answer(f'{{"error": {{"message": {NAMED}}}}}', 401),
    "words": answer(f"Forbidden for Bearer {KEY}", 403),
    "an address": answer("", 301, Location=f"https://example.org/?key={KEY}"),
    "busy": answer({"error": {"message": f"quota of {KEY} is used up"}}, 429, Retry_After="0"),
    "a reply": answer(completion({"content": f"{ANSWER} {KEY}", "reasoning": f"my key is {KEY}, and {OWN[6:]}"})),
    "a call": answer(completion({"content": None, "tool_calls": [
        {"id": KEY, "function": {"name": KEY, "arguments": {"policy": KEY}}}]})),
    "a stream": answer(events(delta(content=ANSWER + KEY[:9]), delta("stop", content=KEY[9:])),
                       Content_Type="text/event-stream"),
    "why it ended": answer(completion({"content": ANSWER}, KEY)),
}  # fmt: skip


@pytest.mark.parametrize("name", ECHOES)
def test_a_key_that_an_endpoint_sends_back_is_neither_kept_nor_printed(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with standing(ECHOES[name], always=True) as server:
        given = ("--model", "m", "--base-url", server.address, "--api-key", KEY, "--header", f"X-Own: {OWN}")
        ran = run("agent", "--env", "minimal", "--horizon", "1", *given, "--tries", "2", "--json", "-o", "a.jsonl")
        said = [str(value) for headers in server.headers for value in headers.values()]
    assert f"Bearer {KEY}" in said and OWN in said  # it was sent
    told = ran.out + ran.err + (Path("a.jsonl").read_text() if Path("a.jsonl").exists() else "")
    for secret in (KEY, KEY[:12], OWN, OWN[6:]):
        assert secret not in told and secret.replace("/", "\\/") not in told
    assert "[hidden]" in told or name == "an error that is long"


def test_short_values_of_headers_are_words_of_answers_too():
    with standing(answer(completion({"content": ANSWER}))) as server:
        title = {"X-Title": "{}"}
        with closing(Endpoint(server.address, "orders", Request("m"), headers=title)) as model:
            assert model.ask(ASKED).text == ANSWER


def test_a_password_and_a_key_in_an_address_are_not_told_either():
    with standing(answer({"error": {"message": "who is b3duZXI6d29yZC1vZi1taW5l with querykey1?"}}, 403)) as server:
        address = server.address.replace("http://", "http://owner:word-of-mine@") + "?key=querykey1"
        with closing(Endpoint(address, "key", Request("m"))) as model, pytest.raises(EndpointError) as error:
            model.ask(ASKED)
    assert "who is [hidden] with [hidden]?" in str(error.value)
