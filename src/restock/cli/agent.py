"""`restock agent`: let a language model play, and compare it with policies."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restock.cli import agent_arguments as given
from restock.cli import agent_tables as tables
from restock.cli.agent_log import Log, Progress
from restock.cli.arguments import Seed, Trust
from restock.cli.console import FAILED, INTERRUPTED, AsJson, Console, Halted, Quiet, table
from restock.cli.problem_changes import UsualChanges, with_options
from restock.cli.request_arguments import Body, Headers, read_body, read_headers
from restock.core.errors import InvalidInput

if TYPE_CHECKING:
    from restock.agents.judge import Judgement
    from restock.agents.transcript import Transcript

Env = Annotated[
    list[str] | None,
    typer.Option(
        "--env",
        metavar="PROBLEM",
        help="What is played: retail-easy, restock/Serial-v0, a YAML file ...; a kind of problem (retail) for all of "
        "its instances. Repeatable.",
    ),
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
OwnSeeds = Annotated[
    str | None,
    typer.Option(
        "--seeds",
        metavar="LIST",
        help="The episodes that reset(seed=...) begins with these very seeds, in place of --episodes: 42,123 or 42-71; "
        "own: the one of a published store.",
        show_default=False,
    ),
]
Training = Annotated[
    bool, typer.Option("--training", help="Episodes apart from all that commands judge by: see restock export.")
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", help="How many episodes side by side; the transcript is the same.")]
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
Timeout = Annotated[float, typer.Option("--timeout", help="Seconds for a whole reply.")]
Tries = Annotated[int, typer.Option("--tries", help="Requests for one reply, where the endpoint is busy or fails.")]
PriceIn = Annotated[float | None, typer.Option("--price-in", help="Money for a million tokens read.")]
PriceOut = Annotated[float | None, typer.Option("--price-out", help="Money for a million tokens written.")]
PriceReasoning = Annotated[
    float | None, typer.Option("--price-reasoning", help="The same of reasoning. Default: as tokens written.")
]
PriceCached = Annotated[
    float | None,
    typer.Option("--price-cached", help="The same of tokens read that the endpoint had kept. Default: as tokens read."),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FILE",
        help="Transcript, or of several problems the folder of theirs. Default: runs/agent-PROBLEM-MODEL-SEED.jsonl.",
    ),
]
Resume = Annotated[
    list[Path] | None,
    typer.Option("--resume", metavar="FILE", help="Resume this transcript, or all in this folder; repeatable."),
]
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
    typer.Option(
        "--with",
        metavar="FILE",
        help="Finished transcript of the same episodes, or a folder of them, to compare; repeatable.",
    ),
]
LogLines = Annotated[bool, typer.Option("--log-lines", help="Print [START], [STEP] and [END] lines.")]
SECRET = ("api_key", "header")  # options whose values are printed nowhere
LONG = 24  # characters of a name that stay on one line
WHEN_RESUMED = (
    "resume", "base_url", "api_key", "header", "jobs", "beside", "others", "log_lines", "trust", "as_json", "quiet",
)  # fmt: skip


@with_options
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
    seeds: OwnSeeds = None,
    training: Training = False,
    jobs: Jobs = 1,
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
    price_reasoning: PriceReasoning = None,
    price_cached: PriceCached = None,
    body: Body = None,
    header: Headers = None,
    *,
    changes: UsualChanges,
    out: Out = None,
    resume: Resume = None,
    beside: Beside = None,
    others: With = None,
    log_lines: LogLines = False,
    trust: Trust = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Let a language model play, and compare it with policies on the same episodes.

    Whatever it answers, only a decision that validates is carried out; all else is counted. Stopped at any
    moment, `--resume` goes on.
    """
    from restock.agents import overview
    from restock.agents.client import EndpointError
    from restock.agents.judge import judge, open_finished
    from restock.agents.modes import mode_of
    from restock.agents.play import Settings
    from restock.agents.run import Assignment, resume_agents, run_agents, training_problem

    console = Console(as_json, quiet)
    named = model or os.environ.get("MODEL_NAME") or ""
    wanted: list[Assignment] = []
    if not resume:
        if not env:
            raise InvalidInput("--env", None, "no problem is named", "Write for instance --env retail-easy.")
        if not named:
            mend = "Give --model, or set MODEL_NAME. To try without one: --model stand-in:base-stock."
            raise InvalidInput("--model", model, "no model is named", mend)
        problems = given.problems(env, changes.named())
        places, whole = given.places([one.name for one in problems], named, seed, out)
        for problem, place in zip(problems, places, strict=True):
            chosen = mode_of(problem, mode, given.names(policy), every, calls)
            problem = training_problem(problem) if training else problem
            settings = Settings(
                chosen, information, history, retries, fallback, price_in, price_out, price_reasoning, price_cached
            )
            begun = given.seeds(problem, seeds, training, seed, episodes)
            wanted.append(Assignment(problem, settings, place, begun))
            given.known_policies(problem, given.beside(beside))
        played_on = [problem.name for problem in problems]
    else:
        _nothing_else(context)
        places = given.transcripts(resume)
        whole = resume[0] if len(resume) == 1 else None
        played_on = []
    folders = [path for path in others or () if path.is_dir()]
    with_others = [open_finished(path) for path in given.transcripts(others or (), "--with")]  # of a problem just named
    if played_on:
        given.grouped(with_others, played_on, folders)
    kept = [whole] if whole else places
    where = ", ".join(map(str, kept))
    go_on = _go_on(context, kept)
    log = Log(to_stderr=as_json)
    try:
        with console.progress() as bar:
            moved = Progress(bar)

            def tell(run: int, line: dict[str, Any]) -> None:
                moved.tell(run, line)
                if log_lines:
                    log.tell(run, line)

            endpoint: dict[str, Any] = {"base_url": base_url, "api_key": api_key, "headers": read_headers(header)}
            if wanted:
                request: dict[str, Any] = {"temperature": temperature, "max_tokens": max_tokens, "seed": model_seed}
                request |= {"timeout": timeout, "tries": tries, "body": read_body(body)}
                played = run_agents(
                    wanted, named, episodes, seed,
                    request=request, **endpoint, jobs=jobs, tell=tell,
                )  # fmt: skip
            else:
                played = resume_agents(places, **endpoint, jobs=jobs, tell=tell, remark=console.remark)
            beside_them = given.grouped(with_others, [str(one.run["problem"]) for one in played], folders)
            judged = [
                judge([one, *same], given.beside(beside), progress=bar)
                for one, same in zip(played, beside_them, strict=True)
            ]
    except EndpointError as error:
        left = any(path.exists() for path in places)
        after = f"Then go on: {go_on}" if left else "Nothing was played, and no transcript is kept: then start again."
        raise Halted(FAILED, str(error), f"{error.mend} {after}") from None
    except KeyboardInterrupt:
        if not any(path.exists() for path in places):
            words = "stopped; nothing was played, and no transcript is kept"
            raise Halted(INTERRUPTED, words, "The same command starts it again") from None
        words = f"stopped; what was played is kept in {where}"
        raise Halted(INTERRUPTED, words, f"Go on with it: {go_on}") from None
    finally:
        log.end()
    rows = overview.rows(judged)
    if as_json and len(judged) == 1:
        console.document({**judged[0].to_dict(), "warnings": tables.warnings_of(judged), "transcript": str(places[0])})
    elif as_json:
        documents = [
            {"problem": one.run["problem"], **verdict.to_dict(), "transcript": str(one.path)}
            for one, verdict in zip(played, judged, strict=True)
        ]
        paths = {str(one.path) for one in played}
        own = overview.total([row for row in rows if row["transcript"] in paths])
        told = {"total": own, "totals": overview.totals(rows), "warnings": tables.warnings_of(judged)}
        console.document({"table": rows, **told, "problems": documents})
    elif len(judged) == 1:
        _show(console, judged[0], played[0], places[0])
    else:
        _show_all(console, judged, rows, where)
    return FAILED if any(one.comparison.exceeded for one in judged) else 0


def _go_on(context: typer.Context, kept: Sequence[Path]) -> str:
    """Return the command that resumes the transcripts, with every option of this one that it takes; no secret."""
    from urllib.parse import urlsplit

    words, secret = ["restock", "agent", *(word for place in kept for word in ("--resume", str(place)))], []
    for option in context.command.params:
        source, value = context.get_parameter_source(option.name or ""), context.params.get(option.name or "")
        if option.name not in WHEN_RESUMED or option.name == "resume" or source is None or source.name != "COMMANDLINE":
            continue
        name, address = option.opts[0], urlsplit(str(value) if option.name == "base_url" else "")
        if option.name in SECRET or "@" in address.netloc or address.query:
            secret.append(name)
        elif isinstance(value, bool):
            words += [name] * value
        else:
            words += [word for one in (value if isinstance(value, list) else [value]) for word in (name, str(one))]
    again = f" (with the {' and '.join(secret)} of this command, which may be secret)" if secret else ""
    return shlex.join(words) + again


def _nothing_else(context: typer.Context) -> None:
    """Reject options that a resumed run has already settled.

    Raises:
        InvalidInput: One is given.
    """
    for name, value in context.params.items():
        source = context.get_parameter_source(name)
        if name not in WHEN_RESUMED and source is not None and source.name == "COMMANDLINE":
            option = "--" + name.replace("_", "-")
            raise InvalidInput(option, value, "must not change in a resumed run", "Leave it out.")


def _show(console: Console, judged: Judgement, played: Transcript, path: Path) -> None:
    """Print the table and the counts."""
    from restock.agents.judge import cut_off, episodes_of
    from restock.report.numbers import NONE, amount, decimals, p_in_words, share

    run, result = played.run, played.lines[-1]
    name = next(name for name, transcript in judged.agents.items() if transcript is played)
    comparison, apart = judged.comparison, judged.differences(name)
    console.text(
        f"{name} on {run['problem']}: {comparison.episodes} episode{'s' * (comparison.episodes > 1)} of "
        f"{comparison.problem.horizon} periods, {given.drawn(run)}; all meet the same."
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
            cells += [tables.between(apart[row.name], places), _p(apart[row.name]["p"], p_in_words)]
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
    for sentence in tables.counted(result["counts"]):
        console.text(sentence)
    tables.cut(console, cut_off(played), run["request"].get("max_tokens"))
    console.text(tables.spending(result["counts"], result["cost"], result["seconds"], run["episodes"]))
    if result["cost"] is not None:
        tables.episodes(console, episodes_of(played))
    tables.warn(console, [judged])
    console.text(f"Transcript: {path}")


def _show_all(console: Console, judged: Sequence[Judgement], rows: Sequence[dict[str, Any]], where: str) -> None:
    """Print one table over all problems, and the totals of each agent."""
    from restock.agents.overview import totals

    sums = totals(rows)
    tables.overview(console, rows, sums)
    for name, total in sums.items():
        if len(sums) > 1:
            console.text(f"{name}, over all its problems:")
        for sentence in tables.counted(total["counts"]):
            console.text(sentence)
        tables.cut(console, total, total["limit"])
        console.text(tables.spending(total["counts"], total["cost"], total["seconds"], total["episodes"]))
    tables.warn(console, judged)
    console.text(f"Transcripts: {where}")


def _p(value: float | None, words: Callable[[float], str]) -> str:
    from restock.report.numbers import NONE

    return NONE if value is None else words(value)
