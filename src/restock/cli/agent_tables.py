"""What `restock agent` prints: one row per problem, one row per episode, counts in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from restock.cli.console import Console, table

if TYPE_CHECKING:
    from restock.agents.judge import Judgement

MOST_EPISODES = 40  # that are listed one by one


def overview(console: Console, rows: Sequence[Mapping[str, Any]], totals: Mapping[str, Mapping[str, Any]]) -> None:
    """Print one row for each agent on each problem; several agents stand below the problem's name."""
    from restock.report.numbers import NONE, amount, decimals, price, share

    problems = list(dict.fromkeys(row["problem"] for row in rows))
    played = f"{len(problems)} problems, {max(total['episodes'] for total in totals.values())} episodes"
    several = len(totals) > 1
    console.text(f"{', '.join(totals)}: {played}{' each' * several}.")
    console.text()
    scored, priced = any(row["score"] is not None for row in rows), any(row["cost"] is not None for row in rows)
    columns = ["problem, agent" if several else "problem", "mean\nreturn", "more than\nthe usual rule", "gap to\nbound"]
    columns += ["score"] * scored + ["without\nit"] + ["cost"] * priced
    shown = table(*columns, numbers=range(1, len(columns)), words=[0])
    above = None
    for row in sorted(rows, key=lambda row: problems.index(row["problem"])):
        if several and row["problem"] != above:
            above = row["problem"]
            shown.add_row(above)
        places, apart = decimals([row["mean"]]), row["difference"]
        cells = [f"  {row['agent']}" if several else row["problem"], amount(row["mean"], places)]
        cells.append(NONE if apart is None else between(apart, places))
        cells.append(NONE if row["gap"] is None else share(row["gap"], 1))
        cells += [NONE if row["score"] is None else f"{row['score']:.3f}"] * scored
        cells += [str(row["counts"]["fallbacks"])] + [price(row["cost"], row["counts"]["uncounted"])] * priced
        shown.add_row(*cells)
    console.table(shown)


def episodes(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print one row per episode, with its price."""
    from restock.report.numbers import NONE, amount, at_least, decimals, price

    if not 1 < len(rows) <= MOST_EPISODES:
        return
    scored = any(row["score"] is not None for row in rows)
    columns = ["episode", "seed", "return", *["score"] * scored, "tokens\nread", "tokens\nwritten", "cost"]
    shown = table(*columns, numbers=range(len(columns)))
    places = decimals([row["return"] for row in rows])
    for row in rows:
        cells = [str(row["episode"] + 1), str(row["seed"]), amount(row["return"], places)]
        cells += [NONE if row["score"] is None else f"{row['score']:.3f}"] * scored
        shown.add_row(
            *cells,
            *(at_least(str(row[name]), row["uncounted"]) for name in ("tokens_in", "tokens_out")),
            price(row["cost"], row["uncounted"]),
        )
    console.table(shown)


def between(told: Mapping[str, Any], places: int) -> str:
    """Return a mean difference with its interval, if it has one."""
    from restock.report.numbers import amount

    mean = amount(told["mean"], places, True)
    if told["low"] is None:
        return mean
    return f"{mean}\n{amount(told['low'], places, True)} to {amount(told['high'], places, True)}"


def spending(counts: Mapping[str, Any], cost: float | None, seconds: float, count: int) -> str:
    """Return tokens, money and time in a sentence or two."""
    kept = f" ({counts['tokens_cached']} of them kept)" if counts["tokens_cached"] else ""
    thought = f" ({counts['tokens_reasoning']} of reasoning)" if counts["tokens_reasoning"] else ""
    said = f"{counts['tokens_in']} tokens read{kept}, {counts['tokens_out']} written{thought}; waited {seconds:.1f} s."
    if cost is not None:
        each = f", {cost / count:.4g} an episode" if count > 1 else ""
        said += f" Cost {cost:.4g} in all{each}."
    if failed := counts["requests"] - counts["replies"]:
        times = "1 request that" if failed == 1 else f"{failed} requests that"
        said += f" What {times} failed took is in this only where the endpoint told it."
    if counts["uncounted"]:
        more = "tokens and cost are" if cost is not None else "tokens are"
        said += (
            f" The endpoint did not count the tokens of {counts['uncounted']} of {counts['replies']} replies: {more} "
            "more than that."
        )
    return said


def counted(counts: Mapping[str, Any]) -> list[str]:
    """Return the counts in sentences."""
    ways = ("unreadable", "rejected")
    wrong = [f"{sum(counts['repairs'].values())} repairs", *(f"{counts[way]} {way}" for way in ways)]
    wrong += [f"{counts['retries']} asked again", f"{counts['fallbacks']} decided without it"]
    replies, requests = counts["replies"], counts["requests"]
    asked = f" to {requests} requests" if requests > replies else ""  # some were repeated
    said = [f"{replies} replies{asked}: {', '.join(wrong)}."]
    if counts["suggestions"]:
        said.append(f"Policies were asked {counts['suggestions']} times.")
    if counts["faults"]:
        said.append("Went wrong in play: " + ", ".join(f"{name} {n}" for name, n in counts["faults"].items()) + ".")
    return said


def cut(console: Console, replies: Mapping[str, int], limit: int | None) -> None:
    """Report replies that were cut off, which retrying does not mend."""
    early, uncounted = replies["cut_early"], replies["cut_uncounted"]
    before = "" if limit is None else f" before the {limit} tokens asked for at most"
    for count, what in (
        (replies["cut"] - early - uncounted, f" at {limit} tokens: raise --max-tokens."),
        (early, f"{before}, by a limit of the endpoint: raise it there, or lower --history."),
        (uncounted, ", and not counted: raise --max-tokens, or a limit of the endpoint."),
    ):
        if count:
            said = "1 reply was" if count == 1 else f"{count} replies were"
            console.text(f"{said} cut off{what}", style="yellow")


def warn(console: Console, judged: Sequence[Judgement]) -> None:
    """Print what must not be overlooked."""
    exceeded = any(one.comparison.exceeded for one in judged)
    for warning in warnings_of(judged):
        console.text(f"Warning: {warning}", style="bold red" if exceeded else "yellow")


def warnings_of(judged: Sequence[Judgement]) -> list[str]:
    """Return what must not be overlooked in any of the comparisons."""
    from restock.report.words import warnings

    return [warning for one in judged for warning in warnings(one.comparison)]
