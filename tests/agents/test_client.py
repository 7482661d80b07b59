from __future__ import annotations

import socket
from contextlib import closing

import pytest

from restock.agents.client import Endpoint, EndpointError, Request
from restock.agents.standins.server import serving
from restock.core.errors import InvalidInput
from tests.agents.endpoint import answer, completion, standing
from tests.agents.helping import Script

ASKED = [{"role": "system", "content": "s" * 40}, {"role": "user", "content": "u" * 40}]


def ask(faults, request=None, **replies):
    waited: list[float] = []
    with serving(Script('{"a": 1}'), faults) as server:
        asked = request or Request("m", tries=3, seed=5)
        with closing(Endpoint(server.address, "key", asked, wait=waited.append)) as model:
            return model.ask(ASKED, **replies), server.requests, waited


def test_a_reply_brings_its_text_and_tokens():
    reply, requests, waited = ask([])
    assert (reply.text, reply.tokens_in, reply.tokens_out, reply.tries, waited) == ('{"a": 1}', 20, 2, 1, [])
    (sent,) = requests
    assert sent["model"] == "m" and sent["messages"] == ASKED
    assert (sent["temperature"], sent["max_tokens"], sent["seed"]) == (0.0, 4096, 5)
    assert "tools" not in sent


def test_a_busy_endpoint_is_asked_again():
    reply, requests, waited = ask([429, 503])
    assert (reply.text, reply.tries, len(requests)) == ('{"a": 1}', 3, 3)
    assert waited == [0.0, 0.0]  # as its header asks


@pytest.mark.parametrize(
    ("faults", "what"),
    [
        ([500, 502, 503, 200], "answers 503"),
        ([401], "refuses .401"),
        ([404], "refuses .404"),
        (["<html>"] * 3, "no chat completion"),
        (['{"choices": []}'] * 3, "no chat completion"),
    ],
)
def test_what_does_not_pass_is_told(faults, what):
    with pytest.raises(EndpointError, match=what):
        ask(faults)


@pytest.mark.parametrize(
    ("fault", "told", "never"),
    [(429, "--jobs", "--base-url"), (503, "later", "--base-url"), ("<html>", "--base-url", "--jobs")],
)
def test_the_mend_fits_the_trouble(fault, told, never):
    with pytest.raises(EndpointError) as raised:
        ask([fault] * 3)
    assert told in raised.value.mend and never not in raised.value.mend


def test_nobody_there():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        waited: list[float] = []
        with pytest.raises(EndpointError, match=r"cannot be reached \(.*refused"):
            with closing(Endpoint(address, "key", Request("m", tries=3), wait=waited.append)) as model:
                model.ask(ASKED)
        assert waited == [1.0, 2.0]


def test_no_answer_in_time():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        with pytest.raises(EndpointError, match=r"no whole answer within 0\.2 seconds, 2 times"):
            request = Request("m", tries=2, timeout=0.2)
            with closing(Endpoint(address, "key", request, wait=lambda s: None)) as model:
                model.ask(ASKED)


def test_a_model_is_asked_without_what_it_does_not_take():
    class Picky:
        name = "picky"

        def speak(self, messages, tools):
            return "{}"

    with serving(Picky()) as server:
        completed = server.answer

        def answer(asked):
            for name in ("temperature", "max_tokens"):
                if name in asked:
                    instead = "Use 'max_completion_tokens' instead." if name == "max_tokens" else ""
                    return 400, {"error": {"message": f"Unsupported parameter: '{name}'. {instead}"}}
            return completed(asked)

        server.answer = answer
        with closing(Endpoint(server.address, "key", Request("m", seed=3), wait=lambda s: None)) as model:
            first, second = model.ask(ASKED), model.ask(ASKED)
        assert (first.text, first.tries, second.tries, len(server.requests)) == ("{}", 1, 1, 4)
        last = server.requests[-1]
        assert last["max_completion_tokens"] == 4096 and last["seed"] == 3 and "temperature" not in last


def test_the_environment_says_where_and_by_which_key(monkeypatch):
    for name in ("API_BASE_URL", "OPENAI_BASE_URL", "API_KEY", "HF_TOKEN", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InvalidInput, match="no endpoint is given"):
        Endpoint(None, None, Request("m"))
    with pytest.raises(InvalidInput, match="must be an http"):
        Endpoint("localhost", None, Request("m"))
    monkeypatch.setenv("API_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("HF_TOKEN", "from the environment")
    with closing(Endpoint(None, None, Request("m"))) as made:
        assert made.base_url == "http://127.0.0.1:9/v1"
    with (
        standing(answer(completion({"content": "{}"}))) as server,
        closing(Endpoint(server.address, None, Request("m"))) as m,
    ):
        m.ask(ASKED)
        assert server.headers[0]["authorization"] == "Bearer from the environment"
