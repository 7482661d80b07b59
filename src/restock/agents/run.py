"""A run of an agent from end to end: begun or gone on with, with a model anywhere or a stand-in on this machine."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from restock.agents.client import Endpoint, Model, Request
from restock.agents.play import Settings, play
from restock.agents.standins import PREFIX
from restock.agents.transcript import Transcript
from restock.core.checks import whole_number
from restock.core.errors import InvalidInput, require_extra
from restock.core.problem import Problem
from restock.core.streams import check_seed
from restock.learning.describe import described, description
from restock.problems.load import load_problem

Tell = Callable[[dict[str, Any]], None]


def run_agent(
    problem: Any,
    model: str,
    episodes: int = 1,
    seed: int = 0,
    *,
    seeds: Sequence[int] | None = None,
    changes: Mapping[str, Any] | None = None,
    settings: Settings | None = None,
    request: Mapping[str, Any] | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    headers: Mapping[str, str] | None = None,
    out: str | Path | None = None,
    tell: Tell = lambda line: None,
) -> Transcript:
    """Let a language model play.

    Args:
        problem: A problem, or anything `load_problem` takes.
        model: Its name at the endpoint; `stand-in:base-stock` and the like are scripted, on this machine.
        episodes: How many.
        seed: Of the episodes: the same as those of `simulate` and `compare`; the transcript has that of each.
        seeds: The episodes that these very seeds begin instead, as `reset(seed=...)` does; of a published task
            its own seed.
        changes: What to change in the problem, as for `load_problem`.
        settings: How it plays.
        request: How it is asked: `temperature`, `max_tokens`, `seed`, `timeout`, `tries`, `body` (see
            `client.Request`).
        base_url: Address of the endpoint; default: of the environment.
        api_key: Default: of the environment.
        headers: Sent with every request; like a key, never written anywhere.
        out: File of the transcript; None keeps it in memory.
        tell: Called with every line of the transcript.

    Returns:
        The transcript.

    Raises:
        InvalidInput: Something given does not hold, or there is a transcript in the file.
        EndpointError: The model does not answer; the transcript can be gone on with.

    Example:
        >>> played = run_agent("serial", "stand-in:base-stock", seed=42)
        >>> played.lines[-1]["counts"]["replies"]
        30
    """
    from restock import __version__

    found = load_problem(problem, **(changes or {}))
    asked = _request(model, dict(request or {}))
    about = {
        "version": __version__,
        "problem": found.name,
        "described": kept(found),
        "model": model,
        "endpoint": None,
        "request": dataclasses.asdict(asked),
    }
    chosen = settings or Settings()
    chosen.check(found)
    whole_number("episodes", episodes, example=3)
    seed = check_seed(seed)
    own = None if seeds is None else [check_seed(one, f"seeds[{k}]") for k, one in enumerate(seeds)]
    if own is not None:
        episodes = whole_number("seeds", len(own), example=3)
    with _asking(found, chosen, asked, base_url, api_key, headers) as (one, address):
        transcript = Transcript.begin(None if out is None else Path(out))
        try:
            play(found, one, chosen, transcript, episodes, seed, about | {"endpoint": address}, tell, own)
        finally:
            transcript.close()
    return transcript


def resume_agent(
    path: str | Path,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    headers: Mapping[str, str] | None = None,
    tell: Tell = lambda line: None,
    remark: Callable[[str], None] = lambda words: None,
) -> Transcript:
    """Go on with a run where it was stopped; a finished one is left as it is.

    Args:
        path: Its transcript.
        base_url: As for `run_agent`; never taken from the transcript, whose author might want the key.
        api_key: As for `run_agent`.
        headers: As for `run_agent`.
        tell: Called with every line, those included that are there.
        remark: Called with a word on what was found.

    Raises:
        InvalidInput: It is no transcript, or does not fit the problem as it is now.
        EndpointError: The model does not answer; the transcript can be gone on with.
    """
    transcript, word = Transcript.resume(Path(path))
    try:
        if word is not None:
            remark(word)
        run = transcript.run
        if transcript.finished:
            remark(f"{path} is finished; it is left as it is.")
            for line in transcript.lines:
                tell(line)
            return transcript
        problem, settings = problem_of(run), Settings.of(run["settings"])
        asked = Request(**run["request"])
        about = {name: run[name] for name in ("version", "problem", "described", "model", "request")}
        with _asking(problem, settings, asked, base_url, api_key, headers) as (model, _):
            about["endpoint"] = run["endpoint"]
            play(problem, model, settings, transcript, run["episodes"], run["seed"], about, tell, run.get("seeds"))
        return transcript
    except KeyError as missing:
        problem_words = f"its first line does not say {missing}"
        raise InvalidInput("transcript", str(path), problem_words, "Begin a new one.") from None
    finally:
        transcript.close()


def kept(problem: Problem) -> Any:
    """The problem as a transcript keeps it; None where it cannot say what would make it again."""
    try:
        return description(problem)
    except InvalidInput:
        return None


def problem_of(run: Mapping[str, Any]) -> Problem:
    """The problem that a transcript is of.

    Raises:
        InvalidInput: It cannot be found any more.
    """
    if run["described"] is None:
        mend = "Name it by its place when the run is begun: its folder, or file.py:Class."
        raise InvalidInput("transcript", run["problem"], "it is known only to the Python it was made in", mend)
    return described(run["described"])


def free_path(problem: str, model: str, seed: int) -> Path:
    """Where a transcript goes unless it is told."""
    return Path("runs") / (re.sub(r"[^\w.-]+", "-", f"agent-{problem}-{model}-{seed}") + ".jsonl")


def _request(model: str, given: dict[str, Any]) -> Request:
    """How a model is asked.

    Raises:
        InvalidInput: A number is out of its range.
    """
    asked = Request(model=model, **given)
    limits = {"temperature": (0.0, 2.0), "max_tokens": (1, 1_000_000), "timeout": (0.1, 86400.0), "tries": (1, 100)}
    for name, (least, most) in limits.items():
        value = getattr(asked, name)
        if value is not None and not least <= value <= most:
            raise InvalidInput(name, value, f"this is {least:g} to {most:g}", f"Write for instance {least:g}.")
    asked.check_body()
    if not model:
        raise InvalidInput("model", model, "no model is named", "Give --model, or set MODEL_NAME.")
    return asked


@contextmanager
def _asking(
    problem: Problem,
    settings: Settings,
    asked: Request,
    base_url: str | None,
    api_key: str | None,
    headers: Mapping[str, str] | None,
) -> Iterator[tuple[Model, str]]:
    """The model, and the address it is at, as a transcript may say it."""
    if not asked.model.startswith(PREFIX):
        with closing(Endpoint(base_url, api_key, asked, headers=headers)) as endpoint:
            yield endpoint, endpoint.base_url
        return
    require_extra("httpx", "llm", "Asking a model")
    from restock.agents.standins.server import serving
    from restock.agents.standins.speakers import speaker

    known = problem.prior() if settings.information == "blind" else problem
    with serving(speaker(asked.model, known)) as server, closing(Endpoint(server.address, "none", asked)) as endpoint:
        yield endpoint, PREFIX
