"""A run of an agent from start to finish, new or resumed, with a remote model or a local stand-in."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from restock.agents.client import Endpoint, EndpointError, Model, Request
from restock.agents.play import Play, Settings
from restock.agents.side_by_side import settled
from restock.agents.standins import PREFIX
from restock.agents.transcript import Transcript
from restock.core.checks import whole_number
from restock.core.errors import InvalidInput
from restock.core.problem import Problem
from restock.core.streams import check_seed
from restock.core.trust import may_trust
from restock.learning.describe import described, description
from restock.problems.load import load_problem

Tell = Callable[[dict[str, Any]], None]
TRAINING = "training"  # the stream of episodes that nothing is judged by


@dataclasses.dataclass(frozen=True)
class Assignment:
    """A problem that a model is to play.

    Attributes:
        problem: The problem.
        settings: How it is played.
        out: File of the transcript; None keeps it in memory.
        seeds: The episodes that these very seeds begin; None for those that follow from the seed of the run.
    """

    problem: Problem
    settings: Settings = dataclasses.field(default_factory=Settings)
    out: Path | None = None
    seeds: Sequence[int] | None = None


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
    jobs: int = 1,
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
        jobs: How many episodes side by side; the transcript is the same.
        tell: Called with every line of the transcript, as it arrives.

    Returns:
        The transcript.

    Raises:
        InvalidInput: Something given does not hold, or there is a transcript in the file.
        EndpointError: The model does not answer; the transcript can be resumed, unless it never did: then none is
            kept.

    Example:
        >>> played = run_agent("serial", "stand-in:base-stock", seed=42)
        >>> played.lines[-1]["counts"]["replies"]
        30
    """
    found = load_problem(problem, **(changes or {}))
    wanted = Assignment(found, settings or Settings(), None if out is None else Path(out), seeds)
    (played,) = run_agents(
        [wanted], model, episodes, seed,
        request=request, base_url=base_url, api_key=api_key, headers=headers, jobs=jobs,
        tell=lambda _, line: tell(line),
    )  # fmt: skip
    return played


def run_agents(
    wanted: Sequence[Assignment],
    model: str,
    episodes: int = 1,
    seed: int = 0,
    *,
    request: Mapping[str, Any] | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    headers: Mapping[str, str] | None = None,
    jobs: int = 1,
    tell: Callable[[int, dict[str, Any]], None] = lambda number, line: None,
) -> list[Transcript]:
    """Let a language model play several problems; all transcripts are opened before the first period is played.

    Args:
        wanted: The problems.
        model: As for `run_agent`, like all that follows.
        episodes: Of each problem.
        seed: Of the episodes.
        request: How it is asked.
        base_url: Address of the endpoint.
        api_key: Its key.
        headers: Sent with every request.
        jobs: How many episodes side by side, of all problems together.
        tell: Called with every line, and the number of the problem that it is of.

    Returns:
        The transcripts, in order of the problems.

    Raises:
        InvalidInput: Something given does not hold, or there is a transcript in a file.
        EndpointError: The model does not answer everywhere; the transcripts can be resumed, unless it never did:
            then none is kept.
    """
    asked = request_of(model, request or {})
    jobs = whole_number("jobs", jobs, 1, example=4)
    whole_number("episodes", episodes, example=3)
    seed = check_seed(seed)
    own = [None if one.seeds is None else _checked(one.seeds) for one in wanted]
    for one in wanted:
        one.settings.check(one.problem)
    with ExitStack() as stack:
        models = [
            stack.enter_context(asking(one.problem, one.settings, asked, base_url, api_key, headers)) for one in wanted
        ]
        transcripts: list[Transcript] = []
        plays = []
        try:
            for one in wanted:
                transcripts.append(stack.enter_context(closing(Transcript.begin(one.out))))
            for k, (one, (answers, address), transcript) in enumerate(zip(wanted, models, transcripts, strict=True)):
                said = about(one.problem, model, address, asked)
                count, heard = episodes if own[k] is None else len(own[k] or ()), functools.partial(tell, k)
                plays.append(Play(one.problem, answers, one.settings, transcript, count, seed, said, heard, own[k]))
            finish(plays, jobs)
        except BaseException:  # a wrong name or address, or Ctrl-C: without a reply there is nothing to resume
            if not any(transcript.of("reply") for transcript in transcripts):
                for transcript in transcripts:
                    transcript.discard()
            raise
    return transcripts


def finish(plays: Sequence[Play], jobs: int) -> None:
    """Play the unfinished episodes.

    Raises:
        EndpointError: Some cannot be; the others are.
    """
    failed = [(play, missing) for play, missing in settled(plays, jobs) if missing]
    failed.sort(key=lambda one: plays.index(one[0]))  # whichever came to its end first
    if not failed:
        return
    told = [error for _, missing in failed for error in missing.values() if error is not None]
    count = sum(play.episodes for play in plays)
    if count == 1:
        raise told[0]
    missed = sum(len(missing) for _, missing in failed)
    where = "; ".join(
        (f"{play.problem.name}: " if len(plays) > 1 else "") + _numbers(sorted(missing)) for play, missing in failed
    )
    verb = "is" if missed == 1 else "are"
    raise EndpointError(f"{missed} of {count} episodes {verb} not finished ({where}): {told[0]}", told[0].mend)


def _numbers(episodes: Sequence[int]) -> str:
    """Return the episodes in words, counted from 1, consecutive ones as a range."""
    ranges: list[list[int]] = []
    for number in episodes:
        if ranges and ranges[-1][-1] == number - 1:
            ranges[-1][1:] = [number]
        else:
            ranges.append([number])
    said = [" to ".join(str(number + 1) for number in one) for one in ranges]
    return f"episode{'s' * (len(episodes) > 1)} {', '.join(said)}"


def _checked(seeds: Sequence[int]) -> list[int]:
    whole_number("seeds", len(seeds), example=3)
    return [check_seed(one, f"seeds[{k}]") for k, one in enumerate(seeds)]


@may_trust
def resume_agent(
    path: str | Path,
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    headers: Mapping[str, str] | None = None,
    jobs: int = 1,
    tell: Tell = lambda line: None,
    remark: Callable[[str], None] = lambda words: None,
    trust: bool = False,
) -> Transcript:
    """Resume a stopped run; a finished one is left as it is.

    Args:
        path: Its transcript.
        base_url: As for `run_agent`; never taken from the transcript, whose author might want the key.
        api_key: As for `run_agent`.
        headers: As for `run_agent`.
        jobs: As for `run_agent`.
        tell: Called with every line, those included that are there.
        remark: Called with a word on what was found.
        trust: Whether code that the transcript names may be run, see `restock.core.trust`.

    Raises:
        InvalidInput: It is no transcript, does not fit the problem as it is now, or names code and is not trusted.
        EndpointError: The model does not answer; the transcript can be resumed.
    """
    (played,) = resume_agents(
        [path], base_url=base_url, api_key=api_key, headers=headers, jobs=jobs,
        tell=lambda _, line: tell(line), remark=remark,
    )  # fmt: skip
    return played


def resume_agents(
    paths: Sequence[str | Path],
    *,
    base_url: str | None = None,
    api_key: str | None = None,
    headers: Mapping[str, str] | None = None,
    jobs: int = 1,
    tell: Callable[[int, dict[str, Any]], None] = lambda number, line: None,
    remark: Callable[[str], None] = lambda words: None,
) -> list[Transcript]:
    """Resume several runs; finished ones are left as they are.

    Args:
        paths: Their transcripts.
        base_url: As for `resume_agent`, like all that follows.
        api_key: The key.
        headers: Sent with every request.
        jobs: How many episodes side by side, of all runs together.
        tell: Called with every line, and the number of the run that it is of.
        remark: Called with a word on what was found.

    Raises:
        InvalidInput: One is no transcript, or does not fit its problem as it is now.
        EndpointError: The model does not answer everywhere; the transcripts can be resumed.
    """
    jobs = whole_number("jobs", jobs, 1, example=4)
    transcripts, plays = [], []
    with ExitStack() as stack:
        for k, path in enumerate(paths):
            transcript, word = Transcript.resume(Path(path))
            transcripts.append(stack.enter_context(closing(transcript)))
            if word is not None:
                remark(word)
            if not transcript.finished:
                model = functools.partial(asking, base_url=base_url, api_key=api_key, headers=headers)
                plays.append(_resumed(transcript, model, stack, functools.partial(tell, k)))
                continue
            remark(f"{path} is finished; it is left as it is.")
            for line in transcript.lines:
                tell(k, line)
        finish(plays, jobs)
    return transcripts


def _resumed(transcript: Transcript, model: Callable[..., Any], stack: ExitStack, tell: Tell) -> Play:
    """Return the run that a transcript is of."""
    run = transcript.run
    try:
        problem, settings = problem_of(run), Settings.of(run["settings"])
        said = {name: run[name] for name in ("version", "problem", "described", "model", "endpoint", "request")}
        answers, _ = stack.enter_context(model(problem, settings, Request(**run["request"])))
        return Play(problem, answers, settings, transcript, run["episodes"], run["seed"], said, tell, run.get("seeds"))
    except KeyError as missing:
        problem_words = f"its first line does not say {missing}"
        raise InvalidInput("transcript", str(transcript.path), problem_words, "Begin a new one.") from None


def kept(problem: Problem) -> Any:
    """Return the problem as a transcript keeps it; None if it cannot describe itself."""
    try:
        return description(problem)
    except InvalidInput:
        return None


def problem_of(run: Mapping[str, Any]) -> Problem:
    """Return the problem that a transcript is of.

    Raises:
        InvalidInput: It cannot be found any more.
    """
    if run["described"] is None:
        mend = "Name it by its place when the run is begun: its folder, or file.py:Class."
        raise InvalidInput("transcript", run["problem"], "it exists only in the Python process that made it", mend)
    return described(run["described"])


def training_problem(problem: Problem) -> Problem:
    """Return the problem, with new demand in every episode if it never changes, because fixed demand is for judging."""
    if getattr(getattr(problem, "spec", None), "demand_stream", None) != "task":
        return problem
    return load_problem(problem, demand_stream="seed")


def free_path(problem: str, model: str, seed: int) -> Path:
    """Return the default path of a transcript."""
    return Path("runs") / f"{file_name(f'agent-{problem}-{model}-{seed}')}.jsonl"


def file_name(text: str) -> str:
    """Return a text as the name of a file."""
    return re.sub(r"[^\w.-]+", "-", text)


def request_of(model: str, given: Mapping[str, Any]) -> Request:
    """Return how a model is asked.

    Raises:
        InvalidInput: A number is out of its range.
    """
    asked = Request(model=model, **given)
    limits = {"temperature": (0.0, 2.0), "max_tokens": (1, 1_000_000), "timeout": (0.1, 86400.0), "tries": (1, 100)}
    for name, (least, most) in limits.items():
        value = getattr(asked, name)
        if value is not None and (isinstance(value, (bool, str)) or not least <= value <= most):
            raise InvalidInput(name, value, f"must be from {least:g} to {most:.7g}", f"Write for instance {least:g}.")
    asked.check_body()
    if not model:
        raise InvalidInput("model", model, "no model is named", "Give --model, or set MODEL_NAME.")
    return asked


@contextmanager
def asking(
    problem: Problem,
    settings: Settings,
    asked: Request,
    base_url: str | None,
    api_key: str | None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[tuple[Model, str]]:
    """Return the model and its address, as a transcript may record it."""
    if not asked.model.startswith(PREFIX):
        with closing(Endpoint(base_url, api_key, asked, headers=headers)) as endpoint:
            yield endpoint, endpoint.base_url
        return
    from restock.agents.standins.endpoint import StandIn

    with closing(StandIn(problem, settings.information, asked)) as script:
        yield script, PREFIX


def about(problem: Problem, model: str, address: str, asked: Request) -> dict[str, Any]:
    """Return what the first line of a transcript says about problem and model."""
    from restock import __version__

    return {
        "version": __version__,
        "problem": problem.name,
        "described": kept(problem),
        "model": model,
        "endpoint": address,
        "request": dataclasses.asdict(asked),
    }
