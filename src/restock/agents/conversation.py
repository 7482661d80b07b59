"""One answer of a model: asked for, parsed, repaired and retried; every reply goes through the transcript."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from restock.agents.calls import Call
from restock.agents.client import Model
from restock.agents.completion import Reply
from restock.agents.counts import Counts
from restock.agents.modes import Mode
from restock.agents.prompt import again, suggestion
from restock.agents.protocol import parse
from restock.agents.transcript import Tape
from restock.core.errors import InvalidInput

Used = TypeVar("Used")
Message = Mapping[str, Any]
NOTHING = "(nothing)"  # sent again for an empty reply: endpoints refuse empty messages
STOPPED = {
    "length": ("it was cut off at the limit of tokens", "Write less around it."),
    "content_filter": ("the endpoint's filter stopped it", "Say it in other words."),
}


@dataclasses.dataclass(frozen=True)
class Answer:
    """The result of asking a model.

    Attributes:
        data: The object that was used; None where no reply could be used.
        reply: The last reply.
        error: Why the last reply could not be used; None where it could.
        repairs: What was repaired in it.
    """

    data: dict[str, Any] | None
    reply: str
    error: str | None
    repairs: tuple[str, ...]


class Conversation:
    """The conversation with a model in one episode.

    Args:
        model: Who is asked.
        tape: Where replies are written, and taken from when a run is resumed.
        system: The system prompt.
        history: How many earlier turns it is sent again.
        retries: How often it is asked again for one answer.
        tools: Offered to it.
        mode: Says which policies it may ask, and how often.
        suggest: What a policy would do now, by its name and parameters.
    """

    def __init__(
        self,
        model: Model,
        tape: Tape,
        system: str,
        history: int,
        retries: int,
        tools: Sequence[Mapping[str, Any]],
        mode: Mode,
        suggest: Callable[[str, dict[str, Any]], dict[str, Any]],
    ) -> None:
        self._model, self._tape, self._retries = model, tape, retries
        self._system: Message = {"role": "system", "content": system}
        self._past: deque[tuple[Message, Message]] = deque(maxlen=history)
        self._tools, self._mode, self._suggest = tools, mode, suggest

    def answer(self, text: str, use: Callable[[dict[str, Any]], Used], counts: Counts) -> tuple[Answer, Used | None]:
        """Ask until an answer can be used or the tries are used up.

        Args:
            text: What the model is told.
            use: Takes the object of a reply; raises `InvalidInput` where it cannot be used.
            counts: Where it is counted.

        Returns:
            What came of it, and what `use` returned; None where nothing could be used.
        """
        said: list[Message] = [{"role": "user", "content": text}]
        reply = ""
        error: InvalidInput | None = None
        for attempt in range(1 + self._retries):
            counts.retries += attempt > 0
            reply, finish = self._reply(said, counts)
            try:
                data, repairs = parse(reply)
                counts.repairs.update(repairs)
            except InvalidInput as wrong:
                counts.unreadable += 1
                error = _stopped(wrong, finish)
            else:
                try:
                    return Answer(data, reply, None, repairs), use(data)
                except InvalidInput as wrong:
                    counts.rejected += 1
                    error = wrong
            said += [{"role": "assistant", "content": reply or NOTHING}, {"role": "user", "content": again(error)}]
        return Answer(None, reply, str(error), ()), None

    def remember(self, text: str, answer: str) -> None:
        """Keep a turn, to be sent again with the following ones."""
        self._past.append(({"role": "user", "content": text}, {"role": "assistant", "content": answer}))

    def _reply(self, said: list[Message], counts: Counts) -> tuple[str, str]:
        """Return the next reply in words and why it ended; tool calls are answered on the way."""
        calls = 0
        while True:
            messages = [self._system, *(message for pair in self._past for message in pair), *said]
            use = "auto" if calls < self._mode.calls else "none"
            found = self._asked(messages, use, counts)
            if not found.calls or use == "none" or not self._tools:
                return found.text, found.finish
            said.append(_said(found))
            for call in found.calls:
                calls += 1
                told = self._told(call, calls, counts)
                said.append({"role": "tool", "tool_call_id": call.id, "content": json.dumps(told)})

    def _asked(self, messages: Sequence[Message], use: str, counts: Counts) -> Reply:
        """Return a reply of the model, or the one recorded in the transcript."""
        words = json.dumps([messages, self._tools, use]).encode()
        asked = hashlib.sha256(words).hexdigest()[:16]
        there = self._tape.recorded("reply")
        found = _reply_of(there) if there is not None else self._model.ask(messages, self._tools, use)
        self._tape.tell("reply", asked=asked, **dataclasses.asdict(found))
        counts.replies += 1
        counts.requests += found.tries
        counts.tokens_in += found.tokens_in
        counts.tokens_out += found.tokens_out
        counts.tokens_reasoning += found.tokens_reasoning
        counts.tokens_cached += found.tokens_cached
        counts.uncounted += not found.counted
        counts.charged += found.charged
        counts.seconds += found.seconds
        return found

    def _told(self, call: Call, number: int, counts: Counts) -> dict[str, Any]:
        """Return the result of a tool call."""
        try:
            if call.name != "suggest":
                raise InvalidInput("tool", call.name, "there is no such tool", "There is suggest.")
            if number > self._mode.calls:
                raise InvalidInput("tool", call.name, "there are no more calls in this period", "Answer now.")
            name, parameters = suggestion(call.arguments, self._mode.policies)
            told: dict[str, Any] = {"action": self._suggest(name, parameters)}
            counts.suggestions += 1
        except InvalidInput as error:
            told = {"error": str(error)}
        self._tape.tell("tool", name=call.name, arguments=call.arguments, told=told)
        return told


def _reply_of(line: Mapping[str, Any]) -> Reply:
    """Return the reply recorded in a line."""
    kept = {field.name: line[field.name] for field in dataclasses.fields(Reply)}
    return Reply(**kept | {"calls": tuple(Call(**call) for call in line["calls"])})


def _said(reply: Reply) -> Message:
    """Return a reply that uses tools, in the form in which it is sent again.

    Its reasoning goes with it where it came in a field of its own: some endpoints refuse what a tool told without it.
    """
    return {
        "role": "assistant",
        "content": reply.text or None,
        **({reply.reasoning_field: reply.reasoning} if reply.reasoning_field else {}),
        "tool_calls": [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": _sendable(call)}}
            for call in reply.calls
        ],
    }


def _sendable(call: Call) -> str:
    """Return the arguments of a call in the form to be sent again: endpoints reject what is not a JSON object."""
    try:
        found = json.loads(call.arguments)
    except (ValueError, RecursionError):
        return "{}"
    return call.arguments if isinstance(found, dict) else "{}"


def _stopped(wrong: InvalidInput, finish: str) -> InvalidInput:
    """Return the problem with a reply that was cut off, if it was."""
    problem, mend = STOPPED.get(finish, (wrong.problem, wrong.mend))
    return InvalidInput(wrong.field, wrong.value, problem, mend)
