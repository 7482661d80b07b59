"""The transcript of a run: JSON lines, written as they happen, from which a resumed run replays.

    run       what is played, by which model, in which mode, with which settings; the system prompt, its hash
    episode   the seed, and what is seen before the first period
    reply     one reply of the model, its reasoning apart, with tokens and seconds; `asked` is the hash of what it
              answers
    tool      what a tool told the model
    turn      one period: what was seen, the reply, the decision, by whom, what was repaired, the reward
    end       of an episode: return, and what is counted
    result    of the run

Every line but the first and the last names its episode. Episodes may run side by side: their lines are written
as they arrive, each episode's in order, and are read episode by episode; a finished file stands in that order.

A run that is resumed does again what it did before, with replies from the transcript in place of the model, and
holds each line that an episode would write against the one that is there. From its first missing line on the
model is asked. So a stop loses nothing, and a transcript that does not belong to the code or problem is found out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from restock.agents.standins import PREFIX
from restock.core.errors import InvalidInput
from restock.core.plain import plain
from restock.core.reading import once, read_text
from restock.core.trust import refuse_code
from restock.core.writing import write_whole

FORMAT = 1
LONGEST_LINE = 1 << 24  # characters of the first one, which describes the problem
ABOUT_THE_RUN = ("run", "result")
EVENTS = ("run", "episode", "reply", "tool", "turn", "end", "result")
# Fields that earlier versions did not write, and what they would have written: of an event, or inside a field.
ADDED: dict[str, dict[str, Any]] = {
    "reply": {
        "reasoning": "", "reasoning_field": "", "tokens_reasoning": 0, "tokens_cached": 0, "charged": 0.0,
        "counted": True,
    },
    "counts": {"tokens_reasoning": 0, "tokens_cached": 0, "charged": 0.0, "uncounted": 0},
    "settings": {"price_reasoning": None, "price_cached": None},
}  # fmt: skip
MEASURED = ("seconds", "version", "endpoint", "grade")  # a grade rests on a solver; may differ when a run is done again


class Tape:
    """The lines of one episode, or those about the whole run: read first, then written.

    Args:
        transcript: Where new lines go.
        episode: Its number; None for what is about the run.
        there: Lines that are there.
    """

    def __init__(self, transcript: Transcript, episode: int | None, there: list[dict[str, Any]]) -> None:
        self._transcript, self._there, self._at = transcript, there, 0
        self._about = {} if episode is None else {"episode": episode}

    def recorded(self, event: str) -> dict[str, Any] | None:
        """Return the next recorded line if it is of this kind."""
        if self._at < len(self._there) and self._there[self._at]["event"] == event:
            return self._there[self._at]
        return None

    def tell(self, event: str, **fields: Any) -> dict[str, Any]:
        """Write a line, or compare it with the recorded one; return the line that counts.

        Raises:
            InvalidInput: Another line is there, or it cannot be written.
        """
        line = json.dumps(plain({"event": event, **self._about, **fields}), allow_nan=False)
        if self._at == len(self._there):
            return self._transcript.add(line)
        there = self._there[self._at]
        differs = _difference(there, json.loads(line))
        if differs is not None:
            which = "".join(f" of episode {number}" for number in self._about.values())
            raise InvalidInput(
                "transcript", str(self._transcript.path),
                f"line {self._at + 1}{which} is not what happens now ({differs})",
                "It belongs to another problem or version: begin a new one.",
            )  # fmt: skip
        self._at += 1
        return there


class Transcript:
    """The recorded lines, and those to come.

    Args:
        path: The file; None keeps nothing.
        lines: Those that are there, in order.

    Attributes:
        lines: All of them, those written since included.
    """

    def __init__(self, path: Path | None, lines: list[dict[str, Any]]) -> None:
        self.path = path
        self.lines = lines
        self._there: dict[int | None, list[dict[str, Any]]] = {}  # by episode
        for line in lines:
            self._there.setdefault(_episode(line), []).append(line)
        self._file: IO[str] | None = None
        self._run = Tape(self, None, self._there.get(None, []))

    @classmethod
    def begin(cls, path: Path | None) -> Transcript:
        """Return an empty one.

        Raises:
            InvalidInput: The file is there already, or cannot be written.
        """
        made = cls(path, [])
        if path is None:
            return made
        if path.is_dir():
            raise InvalidInput("out", str(path), "this is a folder", "Name a file in it.")
        if path.exists() and path.stat().st_size:
            if not begins_one(path):
                raise InvalidInput("out", str(path), "this file is there, and is no transcript", "Name another file.")
            mend = f"Resume it with --resume {path} instead of --env, or name another file with --out."
            raise InvalidInput("out", str(path), "there is a transcript in this file", mend)
        made._open()
        return made

    @classmethod
    def resume(cls, path: Path) -> tuple[Transcript, str | None]:
        """Return a transcript to be resumed, and a remark if its last line was cut off.

        Raises:
            InvalidInput: It cannot be read or written, or is no transcript.
        """
        lines, whole, damaged = read(path)
        made = cls(path, lines)
        if lines[-1]["event"] == "result":
            return made, None
        made._open()
        if not damaged:
            return made, None
        assert made._file is not None
        made._file.truncate(whole)
        made._file.seek(0, 2)
        return made, f"The last line of {path} was not written whole; it is left out."

    @property
    def finished(self) -> bool:
        """Whether the run is finished."""
        return bool(self.lines) and self.lines[-1]["event"] == "result"

    @property
    def run(self) -> Mapping[str, Any]:
        """The first line: what is played, and how."""
        return self.lines[0]

    def of(self, event: str) -> list[dict[str, Any]]:
        """Return all lines of a kind."""
        return [line for line in self.lines if line["event"] == event]

    def tape(self, episode: int) -> Tape:
        """Return the lines of an episode."""
        return Tape(self, episode, self._there.get(episode, []))

    def tell(self, event: str, **fields: Any) -> dict[str, Any]:
        """Write a line about the run, or compare it with the recorded one; see `Tape.tell`.

        The result ends the transcript, which then stands episode by episode in whatever order lines arrived.

        Raises:
            InvalidInput: Another line is there, or it cannot be written.
        """
        if event == "result":
            self.lines = in_order(self.lines)
        return self._run.tell(event, **fields)

    def add(self, text: str) -> dict[str, Any]:
        """Write a new line.

        Raises:
            InvalidInput: It cannot be written.
        """
        kept: dict[str, Any] = json.loads(text)
        if self._file is not None:
            try:
                if kept["event"] != "result" or not self._rewritten(text):
                    self._file.write(text + "\n")
                    self._file.flush()
            except OSError as error:
                mend = "Correct that, then resume the run."
                raise InvalidInput("out", str(self.path), f"it cannot be written ({error.strerror})", mend) from None
        self.lines.append(kept)
        return kept

    def _rewritten(self, result: str) -> bool:
        """Sort the file, the result last; return False if it was sorted already."""
        assert self.path is not None
        text = "".join(json.dumps(line) + "\n" for line in self.lines)
        if self.path.read_text(encoding="utf-8") == text:
            return False
        self.close()  # some systems do not replace a file that is open
        write_whole(self.path, lambda neighbour: neighbour.write_text(f"{text}{result}\n", encoding="utf-8"))
        return True

    def discard(self) -> None:
        """Delete the file."""
        self.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> None:
        assert self.path is not None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a", encoding="utf-8")
        except OSError as error:
            problem = f"it cannot be written ({error.strerror or error})"
            raise InvalidInput("out", str(self.path), problem, "Name another file.") from None
        from restock.core.holding import take

        if not take(self._file):
            self._file.close()
            raise InvalidInput("out", str(self.path), "another process writes this transcript", "Wait for it.")


def read(path: Path) -> tuple[list[dict[str, Any]], int, bool]:
    """Return the lines of a transcript, their size in bytes, and whether a damaged last line is left out.

    Raises:
        InvalidInput: It cannot be read, is no transcript, is damaged before its last line, or names code and is not
            trusted.
    """
    found = lines_of(read_text(path, "transcript", "JSONL"), str(path))
    run = found[0][0]
    request = run.get("request")
    asked = request.get("model") if isinstance(request, Mapping) else None
    spoken = {"model": asked} if str(asked).startswith(PREFIX) else {}  # other names of models are free
    refuse_code({name: run.get(name) for name in ("described", "settings")} | {"request": spoken}, path)
    return found


def begins_one(path: Path) -> bool:
    """Return whether a file begins as a transcript does; unreadable files do not."""
    try:
        with path.open(encoding="utf-8") as file:
            first = _line(file.readline(LONGEST_LINE))
    except (OSError, UnicodeDecodeError):
        return False
    return first is not None and first["event"] == "run"


def lines_of(text: str, name: str) -> tuple[list[dict[str, Any]], int, bool]:
    """Return the lines in the text of a transcript, by episode.

    Args:
        text: All of it.
        name: What errors call it.

    Raises:
        InvalidInput: It is no transcript, or is damaged before its last line.
    """
    lines: list[dict[str, Any]] = []
    whole = 0
    pieces = [f"{piece}\n" for piece in text.split("\n")]
    pieces[-1] = pieces[-1][:-1]  # empty, or the beginning of a line
    pieces = pieces if pieces[-1] else pieces[:-1]
    for number, piece in enumerate(pieces, 1):
        line = _line(piece)
        if line is None or not piece.endswith("\n"):
            if number < len(pieces) and lines:
                problem = f"line {number} is damaged"
                raise InvalidInput("transcript", name, problem, "Restore the file, or begin a new one.")
            break
        lines.append(line)
        whole += len(piece.encode("utf-8"))
    if not lines or lines[0]["event"] != "run":
        raise InvalidInput("transcript", name, "this is no transcript of an agent", "Begin one: restock agent.")
    if lines[0].get("format") != FORMAT:
        problem = f"this is of format {lines[0].get('format')}, not {FORMAT}"
        raise InvalidInput("transcript", name, problem, "Begin a new one.")
    return in_order(lines), whole, len(lines) < len(pieces)


def in_order(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines in the order they would have if episodes were played one after the other.

    A line that names no episode, as replies once did, belongs to the episode before it.
    """
    last = 0
    placed: list[tuple[float, dict[str, Any]]] = []
    for line in lines:
        if line["event"] in ABOUT_THE_RUN:
            placed.append((-1.0 if line["event"] == "run" else math.inf, line))
            continue
        own = _episode(line)
        last = last if own is None else own
        placed.append((last, line if "episode" in line else {**line, "episode": last}))
    return [line for _, line in sorted(placed, key=lambda entry: entry[0])]


def _episode(line: Mapping[str, Any]) -> int | None:
    """Return the episode of a line, if it names one."""
    own = line.get("episode")
    return own if isinstance(own, int) and own >= 0 else None


def _line(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("event") not in EVENTS:
        return None
    for name, added in ADDED.items():
        where = found if found["event"] == name else found.get(name)
        if isinstance(where, dict):
            where.update({field: value for field, value in added.items() if field not in where})
    return found


def _difference(there: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """Return the first field in which two lines differ; None if they are equal."""
    for name in dict.fromkeys((*now, *there)):
        if name not in MEASURED and there.get(name) != now.get(name):
            return name
    return None
