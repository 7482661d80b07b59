"""Scripted models: they know the problem, as a model that has read the prompt does, and the rest from messages.

- `base-stock` does what base-stock (or the usual rule of the problem) does, computed from the text it is sent.
- The name of another policy that decides from the present state: the same with that.
- `sloppy` does the same in a code fence, with single quotes and a comma too many.
- `mean-anchoring` goes halfway from that to mean demand, as people order in newsvendor experiments (Schweitzer
  and Cachon 2000, Decision bias in the newsvendor problem with a known demand distribution).
- `follower` asks for a suggestion where it may, and does what that says.
- `malformed` never says anything that can be used.
- `obedient` does what it is told anywhere in what it reads, names of products included: `answer {...}`.
"""

from __future__ import annotations

import json
import re
import threading
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from restock.agents.prompt import PARAMETERS
from restock.agents.standins import PREFIX
from restock.agents.standins.reading import object_in, view_of
from restock.agents.standins.server import Speaker
from restock.core.errors import InvalidInput, nearest
from restock.core.places import names_a_place
from restock.core.problem import Array, Problem
from restock.policies._base import Policy, TextPolicy
from restock.policies.registry import list_policies, make_policy
from restock.problems.manifest import manifest_of

PULL = 0.5  # towards the mean
Messages = Sequence[Mapping[str, Any]]
Tools = Sequence[Mapping[str, Any]]


class Ruled:
    """A stand-in that answers with a policy's decision in the state that it reads.

    Args:
        problem: What is played.
        policy: Name of one that decides from the present state alone.

    Raises:
        InvalidInput: It decides from more than that.
    """

    name = "base-stock"

    def __init__(self, problem: Problem, policy: str | None = None) -> None:
        self.problem = problem
        name = policy or manifest_of(problem.family).rule or list_policies(problem.family)[0]
        self.policy: Policy = make_policy(name, problem)
        of_the_state = isinstance(self.policy, TextPolicy) and not self.policy.notes
        if not of_the_state and policy is not None and not names_a_place(policy):  # of one's own it is taken to be so
            mend = "Take one whose decision follows from the stock it sees, such as base-stock."
            raise InvalidInput("model", PREFIX + policy, "it decides from more than what is seen now", mend)
        self.policy.begin(1, 0, None)
        self._deciding = threading.Lock()  # requests may come side by side

    def speak(self, messages: Messages, tools: Tools) -> str | dict[str, Any]:
        """Return the decision as JSON; asked for parameters, the defaults."""
        if PARAMETERS in messages[0]["content"]:
            return json.dumps({"parameters": {}})
        return self.written(self.decided(object_in(_last_turn(messages))))

    def decided(self, seen: Mapping[str, Any]) -> Array:
        """Return the decision for an observation, shape (A,)."""
        with self._deciding:
            return np.array(self.policy.act(view_of(self.problem, seen))[0], dtype=np.float64)

    def written(self, decision: Array) -> str:
        """Return a decision as the model writes it."""
        return json.dumps(self.problem.records().action(decision).model_dump(mode="json"))


class Sloppy(Ruled):
    """The same answers in nearly valid JSON."""

    name = "sloppy"

    def written(self, decision: Array) -> str:
        """Return the answer with single quotes and an extra comma, in a code fence."""
        text = super().written(decision).replace('"', "'")
        return f"Here is what I do:\n```json\n{text[:-1]}{',' if len(text) > 2 else ''}}}\n```"


class MeanAnchoring(Ruled):
    """A stand-in whose orders are pulled towards mean demand.

    Args:
        problem: One whose usual rule knows the decision of mean demand: a network, locations that share stock, a store.

    Raises:
        InvalidInput: It does not.
    """

    name = "mean-anchoring"

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        anchor = self.policy.mean_decision()
        if anchor is None:
            mend = f"Take stand-in:{self.policy.name}."
            raise InvalidInput("model", PREFIX + self.name, f"{problem.name} has no mean demand to order", mend)
        self.anchor = anchor

    def decided(self, seen: Mapping[str, Any]) -> Array:
        """Return a decision between the rule's and the mean, if the mean is known."""
        decision = super().decided(seen)
        return np.where(np.isnan(self.anchor), decision, decision + PULL * (self.anchor - decision))


class Follower(Ruled):
    """A stand-in that asks the first policy on offer and follows it."""

    name = "follower"

    def speak(self, messages: Messages, tools: Tools) -> str | dict[str, Any]:
        """Return a call of `suggest`, or the action that it returned."""
        told = [m for m in messages[_place_of_turn(messages) :] if m["role"] == "tool"]
        if told:
            return json.dumps(json.loads(told[-1]["content"]).get("action", {}))
        if not tools:
            return super().speak(messages, tools)
        offered = tools[0]["function"]["parameters"]["properties"]["policy"]["enum"]
        return {"suggest": {"policy": offered[0]}}


class Malformed:
    """A stand-in whose answers cannot be used, each for another reason."""

    name = "malformed"
    SAYINGS = (
        "I would order a little more than last time.",
        '{"order": ',
        "{]}",
        '{"orders": {"2->1": NaN}, "buy_quantities": NaN}',
        '{"shell": "echo owned", "orders": "all"}',
        "{'decision': [1, 2, 3",
        "[1, 2, 3]",
        "",
        '{"parameters": 7, "choice": 3}',
    )

    def speak(self, messages: Messages, tools: Tools) -> str | dict[str, Any]:
        """Return one of its texts, the same for the same conversation."""
        return self.SAYINGS[zlib.crc32(json.dumps(messages).encode()) % len(self.SAYINGS)]


class Obedient(Ruled):
    """A stand-in that obeys whoever speaks last in what it reads; otherwise it decides by the rule."""

    name = "obedient"

    def speak(self, messages: Messages, tools: Tools) -> str | dict[str, Any]:
        """Return what `answer {...}` asks for, if that stands anywhere in the conversation."""
        told = re.findall(r"answer (\{[^\"\n]*\})", messages[0]["content"] + _last_turn(messages), re.I)
        return str(told[-1]) if told else super().speak(messages, tools)


SPEAKERS: dict[str, type[Any]] = {
    kind.name: kind for kind in (Ruled, Sloppy, MeanAnchoring, Follower, Malformed, Obedient)
}


def speaker(name: str, problem: Problem) -> Speaker:
    """Return the scripted model of a name, with or without its prefix.

    Raises:
        InvalidInput: There is none, or not for this problem.
    """
    short = name.removeprefix(PREFIX)
    if short == Malformed.name:
        return Malformed()
    found: Speaker
    if short in SPEAKERS:
        found = SPEAKERS[short](problem)
        return found
    if short in list_policies(problem.family) or names_a_place(short):
        return Ruled(problem, short)
    known = [*SPEAKERS, *list_policies(problem.family)]
    raise InvalidInput("model", name, "there is no such stand-in", nearest(short, known))


def _place_of_turn(messages: Messages) -> int:
    """Return where the present turn begins: the last message that shows an observation."""
    return max(k for k, message in enumerate(messages) if message["role"] == "user" and _shows(message["content"]))


def _last_turn(messages: Messages) -> str:
    text: str = messages[_place_of_turn(messages)]["content"]
    return text[text.index("\n{") :]


def _shows(text: str) -> bool:
    return "\n{" in text and text.endswith("Your answer?")
