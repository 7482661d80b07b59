"""`restock export`: transcripts of agents as data for training."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Annotated

import typer

from restock.cli.console import AsJson, Console, Quiet
from restock.core.errors import InvalidInput, nearest

KINDS = ("sft", "preferences", "repairs")

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
    """Write transcripts as data for training a model, one chat a line.

    Episodes that models are judged by are refused; those of restock agent --training are apart from all of them.
    """
    from restock.agents import export as data
    from restock.agents.transcript import Transcript, read
    from restock.cli.agent_arguments import transcripts as places
    from restock.core.writing import check_writable, write_whole

    console = Console(as_json, quiet)
    if to not in KINDS:
        raise InvalidInput("--to", to, "there is no such kind of data", nearest(to, KINDS))
    check_writable(out)
    opened = [Transcript(path, read(path)[0]) for path in places(transcripts)]
    for one in opened:
        if not allow_judged_seeds:
            data.check_for_training(one)
    if to == "sft":
        lines = itertools.chain.from_iterable(data.supervised(one, per, min_score, min_return, clean) for one in opened)
    elif to == "preferences":
        lines = itertools.chain(data.pairs_by_return(opened, margin))
    else:
        lines = itertools.chain.from_iterable(map(data.pairs_of_replies, opened))
    found = [json.dumps(line) + "\n" for line in lines]
    if not found:
        raise InvalidInput(
            "transcripts", [str(one.path) for one in opened], "nothing is left to export", "Ask for less."
        )
    write_whole(out, lambda file: file.write_text("".join(found), encoding="utf-8"))
    ended = [end for one in opened for end in one.of("end")]
    unfinished = sum(len(one.of("episode")) for one in opened) - len(ended)
    judged = sorted({seed for one in opened if (seed := data.common_seed(one)) is not None})
    if as_json:
        console.document(
            {
                "out": str(out),
                "kind": to,
                "lines": len(found),
                "transcripts": len(opened),
                "episodes": len(ended),
                "unfinished": unfinished,
                "seeds": list(dict.fromkeys(end["seed"] for end in ended)),
                "judged_by": judged or None,
            }
        )
        return
    console.text(f"{len(found)} lines of {len(ended)} episodes: {out}")
    if unfinished:
        verb = "episode is" if unfinished == 1 else "episodes are"
        console.remark(f"{unfinished} {verb} not finished; left out.")
    if judged:
        listed = ", ".join(map(str, judged))
        console.remark(
            f"simulate, compare and agent meet these episodes too: judge by another seed than {listed}, or play "
            "others with restock agent --training."
        )
