"""Transcripts that a stranger sends: how much one may hold, what is kept of it, and who waits for its page."""

from __future__ import annotations

import gc
import json
import random
import threading
import time
from typing import Any

import httpx
import pytest

from restock.agents.run import kept
from restock.server.dashboard import watching
from restock.server.dashboard.look import look
from restock.server.dashboard.turns import Turn
from restock.server.limits import Limits
from tests.server.browsing import Browser, words
from tests.server.serving import PATIENCE, Running, serving

RUN = {"event": "run", "format": 1, "model": "m", "problem": "p", "seed": 1}


def transcript(seen: Any, turns: int = 1, **more: Any) -> bytes:
    """A transcript that nobody played."""
    lines: list[dict[str, Any]] = [RUN, {"event": "episode", "episode": 0, "seed": 1, "seen": {}}]
    turn = {"event": "turn", "episode": 0, "seen": seen, "action": {}, "reward": 1.0, **more}
    lines += [{**turn, "period": t} for t in range(turns)]
    return "".join(json.dumps(one) + "\n" for one in lines).encode()


def sent(server: Running, text: bytes, client: str = "127.0.0.1") -> httpx.Response:
    headers = {"x-forwarded-for": client, "accept": "text/html"}
    return server.ask("POST", "/transcripts", headers=headers, files={"file": ("mine.jsonl", text)})


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ({f"f{k}": {"x": 1} for k in range(20_000)}, "line 3 must have at most 20,000 values"),
        ({"a": [[k] for k in range(20_000)]}, "line 3 must have at most 20,000 values"),
        ({"a": "<" * (1 << 20)}, "line 3 must have at most 1,048,576 characters"),
        ({"a": [{}] * 500_000}, "it must have at most 500,000 objects and lists"),
    ],
)
def test_what_no_page_can_show_is_refused_before_it_is_kept(server: Running, seen: Any, told: str) -> None:
    """A page of 330,000 fields took 46 s, in which nobody was answered, and 2.6 million objects 190 MB."""
    kept = len(server.app.state.room.shelf)
    reply = sent(server, transcript(seen))
    assert reply.status_code == 422 and len(server.app.state.room.shelf) == kept
    assert told in words(reply) and "transcript" in words(reply) and "on the machine itself" in words(reply)


def test_what_a_page_can_show_is_shown(server: Running) -> None:
    browser = Browser(server)
    text = transcript({f"f{k}": {f"x{k}": k} for k in range(3_000)})
    reply = browser.post("/transcripts", files={"file": ("mine.jsonl", text)})
    assert reply.status_code == 200
    assert "f2999" in browser.get(f"{reply.url.path}?turn=1").text


def test_what_is_explained_is_asked_for_once() -> None:
    """The tuples of all columns were added up, which takes the square of their number."""
    assert not look({f"f{k}": {f"x{k}": k} for k in range(20)}, {}).explained
    assert look({"a": 1}, {"a": "what it is (units)"}).explained
    assert look({"a": {"x": 1, "y": 2}}, {"a": "what it is (units)"}).explained


def test_the_page_of_a_transcript_is_made_beside_the_loop(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    began, go_on, made = threading.Event(), threading.Event(), watching._seen

    def slow(*given: Any) -> Any:
        began.set()
        assert go_on.wait(PATIENCE)
        return made(*given)

    browser = Browser(server)
    where = browser.post("/transcripts", files={"file": ("mine.jsonl", transcript({"a": 1}))}).url.path
    monkeypatch.setattr(watching, "_seen", slow)
    replies: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: replies.append(browser.get(f"{where}?turn=1")))
    asking.start()
    assert began.wait(PATIENCE)
    assert server.ask("GET", "/health").status_code == 200 and not replies
    go_on.set()
    asking.join(PATIENCE)
    assert replies[0].status_code == 200


def test_what_is_kept_of_a_transcript_is_smaller_than_its_file() -> None:
    """One of 8 MB took 190 MB for as long as it was kept."""
    text = transcript({"on_hand": {f"shop {k}": [[k, 3], [2, 5]] for k in range(100)}}, turns=200)
    with serving(problem="serial") as server:
        gc.collect()
        before = sum(type(one) is Turn for one in gc.get_objects())
        assert sent(server, text).status_code == 303
        gc.collect()
        assert sum(type(one) is Turn for one in gc.get_objects()) == before
        (item,) = server.app.state.room.shelf.every()
        assert 0 < item.size < len(text)


def test_bytes_of_transcripts_are_counted_for_each_client_and_for_all() -> None:
    noise = random.Random(1)
    text = transcript({"a": 1}, reply="".join(chr(noise.randrange(33, 127)) for _ in range(100_000)))
    with serving(problem="serial", limits=Limits(uploads=300_000, uploads_of_one=200_000)) as server:
        assert [sent(server, text).status_code for _ in range(2)] == [303, 303]
        refused = sent(server, text)
        assert refused.status_code == 503 and "may have 200000" in words(refused)
        assert sent(server, text, "10.0.0.1").status_code == 303
        refused = sent(server, text, "10.0.0.2")
        assert refused.status_code == 503 and "at most 300000 bytes of transcripts" in words(refused)
        assert len(server.app.state.room.shelf) == 3


@pytest.mark.parametrize("most", [{"mode": {"kind": "tool", "policies": ["base-stock"] * 5_000}}, {"history": 9}])
def test_long_lists_in_the_first_line_hold_nobody_up(most: dict[str, Any]) -> None:
    """For each policy all known ones were listed, 3 ms each, on the loop."""
    with serving(problem="serial") as server:
        problem = server.app.state.hub.catalogue.loaded("serial")
        run = {**RUN, "problem": "serial", "described": kept(problem), "settings": most, "seeds": [1]}
        lines = transcript({"a": 1}).split(b"\n", 1)[1]
        begin = time.monotonic()
        assert sent(server, json.dumps(run).encode() + b"\n" + lines).status_code == 303
        assert time.monotonic() - begin < PATIENCE / 4.0
        (show,) = server.app.state.room.shelf.every()
        assert (show.command == "") is ("mode" in most)


def test_the_first_line_has_a_size(server: Running) -> None:
    run = {**RUN, "seeds": [1] * 200_001}
    reply = sent(server, json.dumps(run).encode() + b"\n" + transcript({"a": 1}).split(b"\n", 1)[1])
    assert reply.status_code == 422 and "line 1 must have at most 200,000 values" in words(reply)
