"""The progress of `restock agent`: a bar, and lines as the published store logs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import typer

from restock.cli.console import write

Line = dict[str, Any]


class Progress:
    """A bar over the periods of all problems.

    Args:
        bar: The bar.
    """

    def __init__(self, bar: Callable[[str, int, int], None]) -> None:
        self.bar = bar
        self._about: dict[int, Line] = {}
        self._done = 0

    def tell(self, run: int, line: Line) -> None:
        """Advance the bar by a line of a run."""
        if line["event"] == "run":
            self._about[run] = line
        elif line["event"] == "turn":
            about = self._about[run]
            self._done += 1
            where = f"{about['problem']}, " if len(self._about) > 1 else ""
            words = f"{where}episode {line['episode'] + 1} of {about['episodes']}, period {line['period'] + 1}"
            self.bar(words, self._done, sum(one["horizon"] * one["episodes"] for one in self._about.values()))


class Log:
    """Log lines in the form of the published store, episode by episode however they are played.

    Args:
        to_stderr: Where they go; else to stdout.
    """

    def __init__(self, to_stderr: bool) -> None:
        self._to_stderr = to_stderr
        self._about: dict[int, Line] = {}
        self._waiting: dict[tuple[int, int], list[Line]] = {}
        self._now = (0, 0)  # run and episode that is printed as it is played

    def tell(self, run: int, line: Line) -> None:
        """Add a line of a run."""
        if line["event"] == "run":
            self._about[run] = line
        elif line["event"] in ("episode", "turn", "end"):
            self._waiting.setdefault((run, line["episode"]), []).append(line)
            self._print()

    def end(self) -> None:
        """Print what is left: the episodes after one that was not finished."""
        for place in sorted(self._waiting):
            for line in self._waiting.pop(place):
                self._say(place[0], line)

    def _print(self) -> None:
        while waiting := self._waiting.pop(self._now, []):
            for line in waiting:
                self._say(self._now[0], line)
            if waiting[-1]["event"] != "end":
                return
            run, episode = self._now
            self._now = (run, episode + 1) if episode + 1 < self._about[run]["episodes"] else (run + 1, 0)

    def _say(self, run: int, line: Line) -> None:
        about = self._about[run]
        if line["event"] == "episode":
            self._rewards: list[float] = []
            text = f"[START] task={about['problem']} env=restock model={about['model']}"
        elif line["event"] == "turn":
            self._rewards.append(line["reward"])
            done = "true" if line["done"] else "false"
            text = (
                f"[STEP] step={line['period'] + 1} action={json.dumps(line['action'], separators=(',', ':'))} "
                f"reward={line['reward']:.2f} done={done} error={' '.join((line['error'] or 'null').split())}"
            )
        else:
            score = line["total"] if line["grade"] is None else line["grade"]["score"]
            success = "false" if line["counts"]["fallbacks"] else "true"
            each = ",".join(f"{reward:.2f}" for reward in self._rewards)
            text = f"[END] success={success} steps={line['periods']} score={score:.3f} rewards={each}"
        if self._to_stderr:
            typer.echo(text, err=True)
        else:
            write(text + "\n")
