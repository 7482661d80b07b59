"""`restock agent`: let a language model play, and say what it is worth."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restock.cli.arguments import Backlog, Demand, Discount, Horizon, Seed, Seeds, Trust, changes_of, read_seeds
from restock.cli.console import FAILED, INTERRUPTED, AsJson, Console, Halted, Quiet, table, write
from restock.core.errors import InvalidInput

if TYPE_CHECKING:
    from restock.agents.judge import Judgement
    from restock.agents.transcript import Transcript

Env = Annotated[
    str | None,
    typer.Option("--env", metavar="PROBLEM", help="What is played: retail-easy, restock/Serial-v0, a YAML file ..."),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Its name at the endpoint (or MODEL_NAME). Without any: stand-in:base-stock, a script on this machine.",
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option("--base-url", metavar="URL", help="OpenAI-compatible endpoint, up to /v1 (or API_BASE_URL)."),
]
ApiKey = Annotated[
    str | None, typer.Option("--api-key", help="Better set API_KEY or HF_TOKEN: others can read a command line.")
]
ModeName = Annotated[
    str,
    typer.Option("--mode", help="alone; parameters (of a policy, which then decides); tool (it may ask policies)."),
]
Policies = Annotated[
    list[str] | None,
    typer.Option("--policy", metavar="NAME", help="Of the modes parameters (one) and tool (repeatable)."),
]
Every = Annotated[int, typer.Option("--every", help="Periods between two choices of parameters; 0: one choice.")]
Calls = Annotated[int, typer.Option("--calls", help="How often it may ask policies in a period.")]
Episodes = Annotated[int, typer.Option("--episodes", "-n", help="How many episodes.")]
History = Annotated[int, typer.Option("--history", help="Earlier turns that it is sent again.")]
Retries = Annotated[int, typer.Option("--retries", help="How often it is asked again for a usable answer.")]
Fallback = Annotated[
    str | None,
    typer.Option("--fallback", metavar="POLICY", help="Decides where no answer is usable. Default: do nothing."),
]
Information = Annotated[
    str, typer.Option("--information", help="blind, or informed: it is told the mean demand of every period.")
]
Temperature = Annotated[float, typer.Option("--temperature", help="Of sampling.")]
MaxTokens = Annotated[int, typer.Option("--max-tokens", help="Most tokens of a reply.")]
ModelSeed = Annotated[int | None, typer.Option("--model-seed", help="Of sampling, where the endpoint takes one.")]
Timeout = Annotated[float, typer.Option("--timeout", help="Seconds to wait for a reply.")]
Tries = Annotated[int, typer.Option("--tries", help="Requests for one reply, where the endpoint is busy or fails.")]
PriceIn = Annotated[float | None, typer.Option("--price-in", help="Money for a million tokens read.")]
PriceOut = Annotated[float | None, typer.Option("--price-out", help="Money for a million tokens written.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FILE", help="Transcript. Default: runs/agent-PROBLEM-MODEL-SEED.jsonl."),
]
Resume = Annotated[Path | None, typer.Option("--resume", metavar="FILE", help="Go on where this transcript stops.")]
Beside = Annotated[
    str | None,
    typer.Option(
        "--beside",
        metavar="POLICIES",
        help="Policies on the same episodes: base-stock,hindsight; none for none. Default: the usual rule, hindsight.",
    ),
]
With = Annotated[
    list[Path] | None,
    typer.Option("--with", metavar="FILE", help="Finished transcript of the same episodes, to compare; repeatable."),
]
LogLines = Annotated[bool, typer.Option("--log-lines", help="Print [START], [STEP] and [END] lines.")]
LONG = 24  # characters of a name that stay on one line
WHEN_RESUMED = ("resume", "base_url", "api_key", "beside", "others", "log_lines", "trust", "as_json", "quiet")


def agent(
    context: typer.Context,
    env: Env = None,
    model: Model = None,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
    mode: ModeName = "alone",
    policy: Policies = None,
    every: Every = 0,
    calls: Calls = 3,
    episodes: Episodes = 1,
    seed: Seed = 0,
    seeds: Seeds = None,
    history: History = 7,
    retries: Retries = 2,
    fallback: Fallback = None,
    information: Information = "blind",
    temperature: Temperature = 0.0,
    max_tokens: MaxTokens = 4096,
    model_seed: ModelSeed = None,
    timeout: Timeout = 120.0,
    tries: Tries = 5,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    demand: Demand = None,
    horizon: Horizon = None,
    backlog: Backlog = None,
    discount: Discount = None,
    out: Out = None,
    resume: Resume = None,
    beside: Beside = None,
    others: With = None,
    log_lines: LogLines = False,
    trust: Trust = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Let a language model play, and say what it is worth beside policies on the same episodes.

    Whatever it answers, only a decision that validates is carried out; all else is counted. Stopped at any
    moment, `--resume` goes on.
    """
    from restock.agents.client import EndpointError
    from restock.agents.judge import judge, open_finished
    from restock.agents.modes import mode_of
    from restock.agents.play import Settings
    from restock.agents.run import free_path, resume_agent, run_agent
    from restock.policies.registry import make_policy
    from restock.problems.load import load_problem

    console = Console(as_json, quiet)
    named = model or os.environ.get("MODEL_NAME") or ""
    if resume is None:
        if env is None:
            raise InvalidInput("--env", None, "no problem is named", "Write for instance --env retail-easy.")
        if not named:
            mend = "Give --model, or set MODEL_NAME. To try without one: --model stand-in:base-stock."
            raise InvalidInput("--model", model, "no model is named", mend)
        changes = changes_of(demand, horizon, backlog, discount)
        problem = load_problem(env, **changes)
        chosen = mode_of(problem, mode, _names(policy), every, calls)
        settings = Settings(chosen, information, history, retries, fallback, price_in, price_out)
        for one in _beside(beside) or ():
            make_policy(one, problem)
        path = out or free_path(problem.name, named, seed)
    else:
        _nothing_else(context)
        path = resume
    with_others = [open_finished(path) for path in others or ()]  # they may name the problem that was just named
    try:
        with console.progress() as bar:
            tell = _teller(bar, _log(to_stderr=as_json) if log_lines else lambda line: None)
            if resume is None:
                request = {"temperature": temperature, "max_tokens": max_tokens, "seed": model_seed}
                request |= {"timeout": timeout, "tries": tries}
                played = run_agent(
                    env, named, episodes, seed,
                    seeds=read_seeds(seeds), changes=changes, settings=settings, request=request,
                    base_url=base_url, api_key=api_key, out=path, tell=tell,
                )  # fmt: skip
            else:
                played = resume_agent(resume, base_url=base_url, api_key=api_key, tell=tell, remark=console.remark)
            judged = judge([played, *with_others], _beside(beside), progress=bar)
    except EndpointError as error:
        raise Halted(FAILED, str(error), f"{error.mend} Then go on: restock agent --resume {path}") from None
    except KeyboardInterrupt:
        words = f"stopped; what was played is kept in {path}"
        raise Halted(INTERRUPTED, words, f"Go on with it: restock agent --resume {path}") from None
    if as_json:
        console.document({**judged.to_dict(), "transcript": str(path)})
    else:
        _show(console, judged, played, path)
    return FAILED if judged.comparison.exceeded else 0


def _nothing_else(context: typer.Context) -> None:
    """Refuse options that a run which goes on has settled.

    Raises:
        InvalidInput: One is given.
    """
    for name, value in context.params.items():
        source = context.get_parameter_source(name)
        if name not in WHEN_RESUMED and source is not None and source.name == "COMMANDLINE":
            option = "--" + name.replace("_", "-")
            raise InvalidInput(option, value, "a run that goes on does so as it began", "Leave it out.")


def _names(policies: list[str] | None) -> tuple[str, ...]:
    """Names that are given one by one, or with commas."""
    return tuple(name.strip() for given in policies or () for name in given.split(",") if name.strip())


def _beside(given: str | None) -> list[str] | None:
    """Names of policies to compare with; None for the usual ones."""
    return None if given is None else [] if given == "none" else list(_names([given]))


def _teller(
    bar: Callable[[str, int, int], None], log: Callable[[dict[str, Any]], None]
) -> Callable[[dict[str, Any]], None]:
    """What moves the bar with every period, and logs."""
    about: dict[str, Any] = {}

    def tell(line: dict[str, Any]) -> None:
        if line["event"] == "run":
            about.update(line)
        elif line["event"] == "turn":
            done = line["episode"] + (line["period"] + 1) / about["horizon"]
            words = f"episode {line['episode'] + 1} of {about['episodes']}, period {line['period'] + 1}"
            bar(words, int(1000 * done), 1000 * about["episodes"])
        log(line)

    return tell


def _log(to_stderr: bool) -> Callable[[dict[str, Any]], None]:
    """Lines as the published store logs them."""
    about: dict[str, Any] = {}
    rewards: list[float] = []

    def say(text: str) -> None:
        if to_stderr:
            typer.echo(text, err=True)
        else:
            write(text + "\n")

    def log(line: dict[str, Any]) -> None:
        if line["event"] == "run":
            about.update(line)
        elif line["event"] == "episode":
            rewards.clear()
            say(f"[START] task={about['problem']} env=restock model={about['model']}")
        elif line["event"] == "turn":
            rewards.append(line["reward"])
            done = "true" if line["done"] else "false"
            say(
                f"[STEP] step={line['period'] + 1} action={json.dumps(line['action'], separators=(',', ':'))} "
                f"reward={line['reward']:.2f} done={done} error={' '.join((line['error'] or 'null').split())}"
            )
        elif line["event"] == "end":
            score = line["total"] if line["grade"] is None else line["grade"]["score"]
            success = "false" if line["counts"]["fallbacks"] else "true"
            each = ",".join(f"{reward:.2f}" for reward in rewards)
            say(f"[END] success={success} steps={line['periods']} score={score:.3f} rewards={each}")

    return log


def _show(console: Console, judged: Judgement, played: Transcript, path: Path) -> None:
    """The table, and what was counted."""
    from restock.report.numbers import NONE, amount, decimals, p_in_words, share
    from restock.report.words import warnings

    run, result = played.run, played.lines[-1]
    name = next(name for name, transcript in judged.agents.items() if transcript is played)
    comparison, apart = judged.comparison, judged.differences(name)
    drawn = "seeds of your own" if comparison.seed is None else f"seed {comparison.seed}"
    console.text(
        f"{name} on {run['problem']}: {comparison.episodes} episode{'s' * (comparison.episodes > 1)} of "
        f"{comparison.problem.horizon} periods, {drawn}; all meet the same."
    )
    console.text()
    bounded = comparison.bound is not None
    columns = ["who decides", "knows", "mean\nreturn", "the agent\nearns more by", "adjusted\np"]
    folded = [0] if any(len(row.name) > LONG for row in comparison.rows) else []
    shown = table(*columns, *(["gap to\nbound"] if bounded else []), numbers=(2, 3, 4, 5), words=folded)
    places = decimals([row.profit.mean for row in comparison.rows])
    for row in comparison.rows:
        cells = [row.name, row.information, amount(row.profit.mean, places)]
        if row.name == name:
            cells += [NONE, NONE]
        else:
            cells += [_difference(apart[row.name], places), _p(apart[row.name]["p"], p_in_words)]
        cells += [NONE if row.gap is None else share(row.gap, 1)] if bounded else []
        shown.add_row(*cells)
    console.table(shown)
    grades = judged.grades.get(name, ())
    if grades:
        mean = {
            field: sum(getattr(one, field) for one in grades) / len(grades) for field in ("score", "unclamped", "gap")
        }
        console.text(
            f"Published score {mean['score']:.3f}; not held to its limits {mean['unclamped']:.3f}; "
            f"gap to the bound {share(mean['gap'], 1)}."
        )
    for sentence in _counts(result):
        console.text(sentence)
    for warning in warnings(comparison):
        console.text(f"Warning: {warning}", style="bold red" if comparison.exceeded else "yellow")
    console.text(f"Transcript: {path}")


def _difference(told: Mapping[str, Any], places: int) -> str:
    """A mean difference, with its interval where there is one."""
    from restock.report.numbers import amount

    mean = amount(told["mean"], places, True)
    if told["low"] is None:
        return mean
    return f"{mean}\n{amount(told['low'], places, True)} to {amount(told['high'], places, True)}"


def _p(value: float | None, words: Callable[[float], str]) -> str:
    from restock.report.numbers import NONE

    return NONE if value is None else words(value)


def _counts(result: Mapping[str, Any]) -> list[str]:
    """What was counted, in sentences."""
    counts = result["counts"]
    ways = ("unreadable", "rejected")
    wrong = [f"{sum(counts['repairs'].values())} repairs", *(f"{counts[way]} {way}" for way in ways)]
    wrong += [f"{counts['retries']} asked again", f"{counts['fallbacks']} decided without it"]
    said = [f"{counts['replies']} replies: {', '.join(wrong)}."]
    if counts["suggestions"]:
        said.append(f"Policies were asked {counts['suggestions']} times.")
    if counts["faults"]:
        said.append("Went wrong in play: " + ", ".join(f"{name} {n}" for name, n in counts["faults"].items()) + ".")
    spent = "" if result["cost"] is None else f", cost {result['cost']:.4g}"
    said.append(
        f"{counts['tokens_in']} tokens read, {counts['tokens_out']} written{spent}; waited {result['seconds']:.1f} s."
    )
    return said
