"""The blocks for an evaluation loop of one's own, and the loop of the example: it earns what `restock agent` earns."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

import restock
from restock import agents
from restock.agents.run import run_agent
from restock.agents.standins.speakers import speaker

EXAMPLE = Path(__file__).parents[2] / "examples" / "07_own_evaluation_loop.py"


@pytest.fixture(scope="module")
def loop() -> Any:
    """The function of the example, without what it goes on to print."""
    text, _, _ = EXAMPLE.read_text(encoding="utf-8").partition("\nTASK, SEEDS = ")
    names: dict[str, Any] = {}
    exec(compile(text, str(EXAMPLE), "exec"), names)
    return names["play"]


def test_every_block_is_public_and_documented() -> None:
    for name in agents.__all__:
        block = getattr(agents, name)
        text = inspect.getdoc(block) or ""
        assert text[0].isupper(), name
        if inspect.isfunction(block):
            parameters = inspect.signature(block).parameters
            assert "Args:" not in text or all(f"{parameter}:" in text for parameter in parameters), name
    with pytest.raises(AttributeError):
        agents.nothing_of_that_name  # noqa: B018


def test_the_loop_fits_on_a_page() -> None:
    text, _, _ = EXAMPLE.read_text(encoding="utf-8").partition("\n# Models of three lines")
    code = text[text.index("import json") :].splitlines()
    assert len([line for line in code if line.strip()]) <= 40


@pytest.mark.parametrize("task", ["serial", "retail-easy"])
@pytest.mark.parametrize("model", ["base-stock", "sloppy"])
def test_the_loop_earns_what_a_run_earns(loop: Any, task: str, model: str) -> None:
    spoken = speaker(model, restock.load_problem(task).prior())
    earned, unused = loop(lambda messages: spoken.speak(messages, ()), task, 7)
    assert (earned, unused) == (run_agent(task, f"stand-in:{model}", seeds=[7]).lines[-1]["returns"][0], 0)


def test_the_loop_asks_again_and_then_does_nothing(loop: Any) -> None:
    asked: list[Any] = []

    def model(messages: Any) -> str:
        asked.append(messages)
        return "{}" if len(asked) == 3 else json.dumps({"orders": {"9->9": 1}})

    earned, unused = loop(model, "serial", 7)
    assert unused == 29 and len(asked) == 90
    assert "no such link" in asked[1][-1]["content"] and len(asked[-1]) <= 1 + 2 * 7 + 5
    seat = agents.Seat("serial")
    seat.reset(seed=7)
    while not seat.done:
        seat.step(seat.nothing())
    assert earned == seat.earned == seat.trajectory.rewards.sum()
