"""`restock export`: transcripts of agents as training data."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

import typer

from restock.cli.console import AsJson, Console, Quiet
from restock.core.errors import InvalidInput, nearest

KINDS = ("sft", "preferences", "repairs")
OF_KIND = {"per": "sft", "min_score": "sft", "min_return": "sft", "clean": "sft", "margin": "preferences"}
FILTERS = {"min_score": "lower --min-score", "min_return": "lower --min-return", "clean": "leave out --clean"}

Transcripts = Annotated[
    list[Path], typer.Argument(metavar="TRANSCRIPT", help="Files that restock agent wrote, or folders of them.")
]
Kind = Annotated[
    str,
    typer.Option(
        "--to",
        help="sft: what models were sent and said; preferences: of two transcripts, the reply that was followed by "
        "more; repairs: a reply that could be used over one that could not.",
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="JSONL of chats.")]
Per = Annotated[str, typer.Option("--per", help="Of sft, a line for each turn, or for each episode.")]
MinScore = Annotated[
    float | None, typer.Option("--min-score", help="Of sft, only episodes with at least this published score.")
]
MinReturn = Annotated[float | None, typer.Option("--min-return", help="Of sft, only episodes that earned so much.")]
Clean = Annotated[
    bool, typer.Option("--clean", help="Of sft, only replies used at once, as they were, and without a fault.")
]
Margin = Annotated[float, typer.Option("--margin", help="Of preferences, what must be earned more at least.")]
Allow = Annotated[
    bool, typer.Option("--allow-judged-seeds", help="Also episodes of suites and of the published stores.")
]


def export(
    context: typer.Context,
    transcripts: Transcripts,
    out: Out,
    to: Kind = "sft",
    per: Per = "turn",
    min_score: MinScore = None,
    min_return: MinReturn = None,
    clean: Clean = False,
    margin: Margin = 0.0,
    allow_judged_seeds: Allow = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write transcripts as training data for a model, one chat a line.

    Episodes that models are judged by are refused; those of restock agent --training are apart from all of them.
    """
    from restock.agents import export as data
    from restock.agents.transcript import Transcript, begins_one, read
    from restock.cli.agent_arguments import transcripts as places
    from restock.core.writing import check_writable, write_whole

    console = Console(as_json, quiet)
    if to not in KINDS:
        raise InvalidInput("--to", to, "there is no such kind of data", nearest(to, KINDS))
    given = _given(context)
    for name, kind in OF_KIND.items():
        option = "--" + name.replace("_", "-")
        if name in given and kind != to:
            mend = f"Leave it out, or add --to {kind}."
            raise InvalidInput(option, given[name], f"must not be given with --to {to}", mend)
        if isinstance(given.get(name), float):
            _check_number(option, given[name], 0.0 if name == "margin" else -math.inf)
    check_writable(out)
    if begins_one(out):
        mend = "Name another file: an export never takes the place of one."
        raise InvalidInput("--out", str(out), "there is a transcript in this file", mend)
    opened = [Transcript(path, read(path)[0]) for path in places(transcripts)]
    for one in opened:
        if not allow_judged_seeds:
            data.check_for_training(one)
    used: dict[tuple[int, int], None] = {}  # transcript and seed of episodes that gave a line, in their order
    telling = [lambda seed, k=k: used.setdefault((k, seed)) for k in range(len(opened))]
    if to == "preferences":
        lines = data.pairs_by_return(opened, margin, telling[0])
    else:
        lines = itertools.chain.from_iterable(
            data.supervised(one, per, min_score, min_return, clean, tell)
            if to == "sft"
            else data.pairs_of_replies(one, tell)
            for one, tell in zip(opened, telling, strict=True)
        )
    found = [json.dumps(line) + "\n" for line in lines]
    if not found:
        names = [str(one.path) for one in opened]
        raise InvalidInput("transcripts", names, "nothing is left to export", _nothing(to, given))
    write_whole(out, lambda file: file.write_text("".join(found), encoding="utf-8"))
    unfinished = sum(len(one.of("episode")) - len(one.of("end")) for one in opened)
    judged = sorted({seed for one in opened if (seed := data.common_seed(one)) is not None})
    if as_json:
        console.document(
            {
                "out": str(out),
                "kind": to,
                "lines": len(found),
                "transcripts": len(opened),
                "episodes": len(used),
                "unfinished": unfinished,
                "seeds": list(dict.fromkeys(seed for _, seed in used)),
                "judged_by": judged or None,
            }
        )
        return
    console.text(f"{len(found)} line{'s' * (len(found) > 1)} of {len(used)} episode{'s' * (len(used) > 1)}: {out}")
    if unfinished:
        verb = "episode is" if unfinished == 1 else "episodes are"
        console.remark(f"{unfinished} {verb} not finished; left out.")
    if judged:
        listed = ", ".join(map(str, judged))
        console.remark(
            f"simulate, compare and agent meet these episodes too: judge by another seed than {listed}, or play "
            "others with restock agent --training."
        )


def _given(context: typer.Context) -> dict[str, Any]:
    """Return the options of the command line."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {name: context.params[name] for name, source in sources.items() if source and source.name == "COMMANDLINE"}


def _check_number(option: str, value: float, least: float) -> None:
    """Reject a value that is not a number or is too small.

    Raises:
        InvalidInput: It is.
    """
    if not math.isfinite(value) or value < least:
        problem = "must be a finite number" + (f" >= {least:g}" if math.isfinite(least) else "")
        raise InvalidInput(option, value, problem, "Write for instance 10.")


def _nothing(kind: str, given: Collection[str]) -> str:
    """Return why nothing is left to export, and what to do about it."""
    if kind == "preferences":
        return (
            "A pair needs two finished runs that met the same state of the same episode, decided otherwise and needed "
            "the same repairs, and ends more than --margin apart."
        )
    if kind == "repairs":
        return "Every reply could be used as it was, or was empty: export those that were used, --to sft."
    asked = [words for name, words in FILTERS.items() if name in given]
    if asked:
        return f"Ask for less: {' or '.join(asked)}."
    return "No finished episode has a reply that was used: resume the run, or play another one."
