"""Transcripts as training data: JSONL of chats, as TRL and similar libraries read them.

- `supervised`: `{"messages": [...]}`, with `tools` where there are any; a line for each reply that was used, or for
  each episode.
- `pairs_by_return`: `{"prompt": [...], "chosen": [...], "rejected": [...]}` of two runs of the same episodes: where
  both were in the same state and decided otherwise, the reply after which more was earned is chosen. What was earned
  after it is also the work of all later decisions, so one pair says little and many say something.
- `pairs_of_replies`: the same of one run: a reply that could be used, chosen over the one before it that could not;
  and where a reply had to be repaired, what it says in strict JSON (which restock wrote) over the reply.

A reply is shown in the conversation that the model was in, without its own failed tries in that turn.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from restock.agents import prompt
from restock.agents.protocol import REASONING, parse
from restock.agents.run import problem_of
from restock.agents.transcript import Transcript
from restock.core.errors import InvalidInput, nearest

PIECES = ("turn", "episode")
ROUNDING = 1e-9  # relative: what two ends that are the same may differ by
Message = dict[str, Any]
Tell = Callable[[int], None]


@dataclasses.dataclass(frozen=True)
class Said:
    """A turn in which the model was asked.

    Attributes:
        line: Of the transcript.
        user: What the model was told.
        past: Earlier turns that it was sent with it.
        exchange: Tools that it used before its answer, and what they told.
        reply: Its answer, or what stands for it where none could be used.
        used: Whether the answer is its own.
        failed: Answers before it that could not be used.
        rest: What was earned from this period on.
    """

    line: dict[str, Any]
    user: Message
    past: tuple[Message, ...]
    exchange: tuple[Message, ...]
    reply: str
    used: bool
    failed: tuple[str, ...]
    rest: float

    @property
    def clean(self) -> bool:
        """Whether the first answer was usable as it was, and nothing went wrong in the period."""
        return self.used and not self.failed and self.strict and not self.line["faults"]

    @property
    def strict(self) -> bool:
        """Whether the answer was strict JSON, apart from reasoning."""
        return set(self.line["repairs"]) <= {REASONING}


def said(transcript: Transcript, number: int) -> list[Said]:
    """Return the turns of an episode in which the model was asked."""
    settings = transcript.run["settings"]
    lines = [line for line in transcript.lines if line.get("episode") == number]
    left = sum(line["reward"] for line in lines if line["event"] == "turn")
    past: deque[tuple[Message, Message]] = deque(maxlen=settings["history"])
    found: list[Said] = []
    replies: list[dict[str, Any]] = []  # and tools, since the last turn
    for line in lines:
        if line["event"] in ("reply", "tool"):
            replies.append(line)
        if line["event"] != "turn":
            continue
        if replies:
            user = {"role": "user", "content": prompt.turn(line["seen"], line["note"])}
            *failed, (exchange, reply) = _attempts(replies, settings["mode"]["calls"])
            used = _used(line, settings["mode"]["kind"])
            if not used:
                failed, reply = [*failed, ((), reply)], _instead(line, settings["mode"]["kind"])
            before = tuple(message for pair in past for message in pair)
            tries = tuple(text for _, text in failed)
            found.append(Said(line, user, before, exchange, reply, used, tries, left))
            past.append((user, {"role": "assistant", "content": reply}))
        left -= line["reward"]
        replies = []
    return found


def supervised(
    transcript: Transcript,
    per: str = "turn",
    least_score: float | None = None,
    least_return: float | None = None,
    clean: bool = False,
    tell: Tell = lambda seed: None,
) -> Iterator[dict[str, Any]]:
    """Return what the model was sent and what it said.

    Args:
        transcript: Its finished episodes are taken.
        per: A line for each `turn` that the model decided, or for each `episode` of which it decided all.
        least_score: Only episodes with a published score of at least so much.
        least_return: Only episodes that earned at least so much.
        clean: Only replies that could be used as they were, at once, and led to no fault.
        tell: Called with the seed of the episode that a line is of.

    Raises:
        InvalidInput: There is no such piece, or the problem has no published score.
    """
    if per not in PIECES:
        raise InvalidInput("per", per, "there is no such piece of a transcript", nearest(per, PIECES))
    system = {"role": "system", "content": transcript.run["system"]}
    tools = _tools(transcript)
    for end in transcript.of("end"):
        if least_score is not None and end["grade"] is None:
            name = transcript.run["problem"]
            raise InvalidInput("min_score", least_score, f"{name} has no published score", "Give --min-return.")
        if least_score is not None and end["grade"]["score"] < least_score:
            continue
        if least_return is not None and end["total"] < least_return:
            continue
        turns = said(transcript, end["episode"])
        wanted = [turn.clean if clean else turn.used for turn in turns]
        if per == "episode":
            asked = [message for turn in turns for message in (turn.user, *_answer(turn))]
            if turns and all(wanted):
                tell(end["seed"])
                yield {"messages": [system, *asked], **tools}
            continue
        for turn in itertools.compress(turns, wanted):
            tell(end["seed"])
            yield {"messages": [system, *turn.past, turn.user, *_answer(turn)], **tools}


def pairs_by_return(
    transcripts: Sequence[Transcript], margin: float = 0.0, tell: Tell = lambda seed: None
) -> Iterator[dict[str, Any]]:
    """Pair the replies of two runs in the same state of the same episode; the run with the higher return is chosen.

    The state is the same where all that is seen, and what the model is told of the last period, is. Earlier turns
    stand in the prompt where they are the same too. Both replies need the same repairs, so that a pair is about the
    decision and not about its form. Turns with tools are left out: what they told is a part of neither the prompt nor
    the reply.

    Args:
        transcripts: Two or more, of one problem, and asked for in the same way.
        margin: What must be earned more, from that period on.
        tell: As for `supervised`.

    Raises:
        InvalidInput: There are fewer than two, or they are of different problems or ways.
    """
    if len(transcripts) < 2:
        given = [str(one.path) for one in transcripts]
        raise InvalidInput("transcripts", given, "must be two transcripts or more", "Name another one.")
    for other in transcripts[1:]:
        if other.run["system"] != transcripts[0].run["system"]:
            problem = "its model was told something else than that of the first one (another problem or mode)"
            raise InvalidInput("transcript", str(other.path), problem, "Export them by themselves.")
    system = {"role": "system", "content": transcripts[0].run["system"]}
    ended = [{end["seed"]: end["episode"] for end in one.of("end")} for one in transcripts]
    for (one, first), (other, second) in itertools.combinations(zip(transcripts, ended, strict=True), 2):
        for seed in (seed for seed in first if seed in second):
            theirs = {turn.line["period"]: turn for turn in said(other, second[seed])}
            for mine in said(one, first[seed]):
                yours = theirs.get(mine.line["period"])
                if yours is None or not _comparable(mine, yours):
                    continue
                apart = abs(mine.rest - yours.rest)
                if apart <= max(margin, ROUNDING * abs(mine.rest)):
                    continue
                past = mine.past if mine.past == yours.past else ()
                better, worse = (mine, yours) if mine.rest > yours.rest else (yours, mine)
                tell(seed)
                yield _pair([system, *past, mine.user], better.reply, worse.reply)


def pairs_of_replies(transcript: Transcript, tell: Tell = lambda seed: None) -> Iterator[dict[str, Any]]:
    """Pair usable replies with those of the same turn that were unusable or had to be repaired; not with empty ones.

    Args:
        transcript: Its finished episodes are taken.
        tell: As for `supervised`.
    """
    system = {"role": "system", "content": transcript.run["system"]}
    for end in transcript.of("end"):
        for turn in said(transcript, end["episode"]):
            if not turn.used or turn.exchange or REASONING in turn.line["repairs"]:
                continue
            said_badly = [text for text in (*turn.failed, *(() if turn.strict else (turn.reply,))) if text.strip()]
            if said_badly:
                chosen, rejected = turn.reply if turn.strict else json.dumps(parse(turn.reply)[0]), said_badly[0]
                tell(end["seed"])
                yield _pair([system, *turn.past, turn.user], chosen, rejected)


@functools.cache
def judged_seeds() -> frozenset[int]:
    """Return the seeds of all shipped suites, and of the published stores."""
    from restock.benchmark.suite import list_suites, load_suite

    found = {seed for name in list_suites() for seed in load_suite(name).seeds}
    return frozenset(found | _published())


def check_for_training(transcript: Transcript) -> None:
    """Reject episodes that models are judged by.

    Raises:
        InvalidInput: An episode is of a suite or a published store, by its seed or its demand.
    """
    mend = "Play others: restock agent --training. Or give --allow-judged-seeds."
    where = str(transcript.path)
    for line in transcript.of("episode"):
        if line["seed"] in judged_seeds():
            told = f"seed {line['seed']} is one that models are judged by"
            raise InvalidInput("transcript", where, told, mend)
    described = transcript.run["described"]
    about = described if isinstance(described, dict) else {}
    if about.get("demand_stream") == "task" and about.get("seed") in _published():
        raise InvalidInput("transcript", where, "every episode of it has the published demand", mend)


def common_seed(transcript: Transcript) -> int | None:
    """Return the seed with which `simulate`, `compare` and `agent` play the same episodes; None if there is none."""
    return None if "seeds" in transcript.run else int(transcript.run["seed"])


def _published() -> set[int]:
    """Return the seeds of the published stores."""
    from restock.problems.load import load_problem, shelf_of

    specs = [getattr(load_problem(name), "spec", None) for name in shelf_of("retail").names()]
    return {spec.seed for spec in specs if spec is not None}


def _attempts(lines: Sequence[dict[str, Any]], most: int) -> list[tuple[tuple[Message, ...], str]]:
    """Return the replies of a turn, cut into answers, each with the tools used on its way."""
    found: list[tuple[tuple[Message, ...], str]] = []
    exchange: list[Message] = []
    calls = 0
    for line in lines:
        if line["event"] == "tool":
            calls += 1
            exchange.append({"role": "tool", "name": line["name"], "content": json.dumps(line["told"])})
        elif line["calls"] and calls < most:
            made = [{"name": call["name"], "arguments": _arguments(call["arguments"])} for call in line["calls"]]
            asked = [{"type": "function", "function": call} for call in made]
            exchange.append({"role": "assistant", "content": line["text"] or None, "tool_calls": asked})
        else:
            found.append((tuple(exchange), line["text"]))
            exchange, calls = [], 0
    return found


def _arguments(text: str) -> Any:
    """Return the arguments of a call as trainers expect them: a mapping."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return {}


def _used(line: dict[str, Any], kind: str) -> bool:
    """Return whether the last reply of a turn was used."""
    if kind != "parameters":
        return bool(line["by"] == "model")
    try:
        return bool(parse(line["reply"])[0].get("parameters") == (line["parameters"] or {}))
    except InvalidInput:
        return False


def _instead(line: dict[str, Any], kind: str) -> str:
    """Return the answer that the model is later told it gave."""
    return json.dumps(line["action"] if kind != "parameters" else {"parameters": line["parameters"] or {}})


def _answer(turn: Said) -> tuple[Message, ...]:
    return (*turn.exchange, {"role": "assistant", "content": turn.reply})


def _comparable(one: Said, other: Said) -> bool:
    """Return whether two replies answer the same prompt in the same form with different decisions."""
    same = one.user == other.user and not one.exchange and not other.exchange
    alike = {*one.line["repairs"], REASONING} == {*other.line["repairs"], REASONING}
    differ = (one.line["action"], one.line["parameters"]) != (other.line["action"], other.line["parameters"])
    return same and alike and differ and one.used and other.used


def _pair(messages: list[Message], chosen: str, rejected: str) -> dict[str, Any]:
    replies = {"chosen": chosen, "rejected": rejected}
    return {"prompt": messages, **{name: [{"role": "assistant", "content": text}] for name, text in replies.items()}}


def _tools(transcript: Transcript) -> dict[str, Any]:
    """Return the tools that the model was offered, if any."""
    from restock.agents.play import Settings

    settings = Settings.of(transcript.run["settings"])
    if settings.mode.kind != "tool":
        return {}
    problem = problem_of(transcript.run)
    return {"tools": prompt.tools(problem.prior() if settings.information == "blind" else problem, settings.mode)}
