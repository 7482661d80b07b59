"""What tests of agents share: a run against a scripted model behind the real client."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from restock.agents.client import Endpoint, Request
from restock.agents.modes import Mode
from restock.agents.play import Play, Settings
from restock.agents.run import about, finish
from restock.agents.standins.server import serving
from restock.agents.transcript import Transcript
from restock.problems.load import load_problem


class Script:
    """Says what a list says, from the first to the last, then the last again."""

    name = "script"

    def __init__(self, *sayings: Any) -> None:
        self.sayings = list(sayings)

    def speak(self, messages: Sequence[Any], tools: Sequence[Any]) -> Any:
        return self.sayings.pop(0) if len(self.sayings) > 1 else self.sayings[0]


def played(
    problem: Any,
    speaker: Any,
    episodes: int = 1,
    seed: int = 7,
    transcript: Transcript | None = None,
    faults: Sequence[Any] = (),
    **settings: Any,
) -> tuple[Transcript, list[dict[str, Any]]]:
    """The transcript, and the bodies of the requests that came."""
    kept = Transcript.begin(None) if transcript is None else transcript
    with serving(speaker, faults) as server:
        endpoint = Endpoint(server.address, "key", Request("scripted", tries=3), wait=lambda seconds: None)
        with closing(endpoint) as model:
            loaded = load_problem(problem)
            said = about(loaded, "scripted", "", endpoint.request)
            finish([Play(loaded, model, Settings(**settings), kept, episodes, seed, said)], 1)
        return kept, server.requests


TOOL = Mode("tool", ("base-stock", "s-S"), calls=2)
