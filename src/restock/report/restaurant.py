"""The report of the restaurant study: what it says besides the comparisons."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from restock.evaluation.restaurant import FORMULA, PAST_WEEKS, TUNED, Study
from restock.report import figures
from restock.report.html import Section, write_report
from restock.report.numbers import amount, share
from restock.report.words import Words, called

WORDS = Words(episode="window", episodes="windows", period="day", periods="days")
TITLE = "Which ordering policy earns most on a restaurant's real demand?"
NAMES = {"koefte": "k\N{LATIN SMALL LETTER O WITH DIAERESIS}fte"}


def lead(study: Study) -> str:
    """Return what was done, in a few sentences."""
    windows = study.windows
    names = [comparison.problem.name for comparison in study.comparisons]
    return (
        f"{len(windows.starts)} windows of {windows.length} days were cut from the daily use of "
        f"{NAMES.get(study.ingredient, study.ingredient)} in a restaurant in Stuttgart and sent through "
        f"{'two' if len(names) == 2 else len(names)} supply networks ({' and '.join(names)}). Every policy meets "
        "exactly the same demand: random orders, the same order every day, and base-stock (order up to a level), with "
        "levels from the newsvendor formula or tuned by simulation. The hindsight optimum knows the demand in advance "
        "and shows what could have been earned." + "".join(f" {one}" for one in run_down(study))
    )


def run_down(study: Study) -> list[str]:
    """Return the networks that begin with more stock than a window asks for, so that they hardly order."""
    found = []
    for comparison in study.comparisons:
        problem = comparison.problem
        stock = float(problem.fixed.state.on_hand.sum())
        asked = float(study.windows.episodes.sum(axis=1).mean())
        if stock > asked:
            found.append(
                f"Mind what {problem.name} can show: it begins with {amount(stock)} units of free stock, and a window "
                f"asks for {amount(asked)} on average, so hardly anything has to be bought. What is compared there is "
                "how a policy runs down stock that is there already, not how it orders."
            )
    return found


def write_restaurant_report(study: Study, path: str | Path, command: str) -> Path:
    """Write the report of the study.

    Raises:
        InvalidInput: The file cannot be written.
    """
    windows = study.windows
    return write_report(
        study.comparisons,
        path,
        title=TITLE,
        lead=lead(study),
        words=WORDS,
        labels=[f"{study.dates[start].day} {study.dates[start]:%b %Y}" for start in windows.starts],
        policies={
            FORMULA: "every day each node orders what lifts its stock and goods on order to its level; levels come "
            "from the newsvendor formula, with mean and standard deviation of the planning weeks",
            TUNED: "the same rule; the levels are those that earned most in simulations of the planning weeks",
            "constant-order": "the same order every day, as much as the planning weeks used on average",
            "random": "a random order every day, up to the largest that makes sense on the link: the floor of the "
            "comparison",
            "hindsight": "the exact optimum for demand as it turned out, by linear programming: the bound",
        },
        assumptions=assumptions(study),
        sections=[data(study)],
        command=command,
    )


def assumptions(study: Study) -> tuple[str, ...]:
    """Return what a reader should know before believing the numbers."""
    windows = study.windows
    horizon = windows.length
    return (
        "A day runs in this order: orders are filled from the stock of the morning, as far as it and the capacities "
        "go; what was sent a lead time ago arrives and can be sold at once; customers ask, and get what is on hand; "
        "then stock, goods under way and demand left waiting are counted and paid for.",
        "Demand that cannot be met waits until goods come (backlog) and costs a little every day it waits. What still "
        "waits when the window ends is not sold.",
        f"Prices, costs, lead times and starting stocks are those of the networks, not of the restaurant. Only the "
        f"demand is real. Profit is in the currency of the prices, per window of {horizon} days.",
        "Every window starts from the same stock, which is free, with nothing on its way. Stock left at the end is "
        "worth nothing. Constant-order and both base-stock policies know this and stop placing orders that would come "
        "too late to be sold.",
        f"The policies were planned with the first {PAST_WEEKS} weeks only: mean {amount(study.mean, 1)}, standard "
        f"deviation {amount(study.sd, 1)} units a day. No window contains any of those days. Weekdays and holidays are "
        "in the data, but no policy uses them.",
        "The newsvendor formula weighs a day of shortage against a day of holding; what is owed or left at the end of "
        "a window counts once in it. It plans each node as if it stood alone; levels tuned on past windows do not.",
        "Random orders are drawn from seed 0. Nothing else is random: demand is replayed as it was recorded.",
        "A node with several suppliers splits its orders among them in favour of the cheaper ones.",
        "On most links goods cost less a day while they are under way than at the node they left. The hindsight "
        "optimum uses that: it sends goods off early just to have them on the road. No planner would, so part of the "
        "gap to it is bookkeeping.",
        f"A window starts every {windows.every} days"
        + (", so on every day of the week" if windows.every % 7 else ", so always on the same day of the week")
        + f"; {len(windows.starts)} windows use {windows.used} days.",
        f"The restaurant was closed on {study.closed_days} of {len(windows.series)} days; these count as days without "
        "demand. Recorded use is taken for demand: what guests asked for in vain is not in the data.",
    )


def data(study: Study) -> Section:
    """Return where the demand comes from."""
    windows, dates = study.windows, study.dates
    values = windows.series
    weekend = values[[k for k, day in enumerate(dates) if day.weekday() in (4, 5)]].mean()
    rest = values[[k for k, day in enumerate(dates) if day.weekday() not in (4, 5)]].mean()
    low, high = windows.episodes.mean(axis=1).min(), windows.episodes.mean(axis=1).max()
    suits = study.ingredient == "koefte"
    why = ", of all columns the nearest to the 20 units a day that the networks are made for" if suits else ""
    return Section(
        "The data",
        (
            f"Daily use of main ingredients of the restaurant YAZ in Stuttgart, {dates[0].day} {dates[0]:%B %Y} to "
            f"{dates[-1].day} {dates[-1]:%B %Y}, {len(values)} days. Shown and used here: "
            f"{NAMES.get(study.ingredient, study.ingredient)}, {amount(float(values.mean()), 1)} units a day on "
            f"average{why}.",
            f"What makes it hard: Fridays and Saturdays take {amount(float(weekend), 1)} units, other days "
            f"{amount(float(rest), 1)}; the mean of a window lies anywhere between {amount(float(low), 1)} and "
            f"{amount(float(high), 1)} units a day, from {share(1.0 - float(low) / study.mean)} below to "
            f"{share(float(high) / study.mean - 1.0)} above the mean that the policies plan with.",
            "The data come from the Python package ddop 0.7.6, copyright 2007-2020 the ddop developers, BSD 3-Clause "
            "licence, and are shipped with restock together with it.",
        ),
        figures.series(windows, dates, called(study.comparisons[0].problem, WORDS)),
        f"The first {PAST_WEEKS} weeks (shaded) were used to plan, the rest to compare.",
        resources.files("restock.data").joinpath("LICENSE.ddop").read_text(encoding="utf-8"),
    )
