"""From a column of recorded demand to a report that says which policy earns most, and how sure that is.

    python examples/03_report_on_own_demand.py [demand.csv column [report.html]]

Without arguments it takes the chicken that the shipped restaurant used. The first 200 days are
for planning; windows of 30 days, one starting every 9 days, are what the policies are judged on.
"""

from __future__ import annotations

import sys

import restock
from restock.demand.series import SeriesSource
from restock.evaluation.windows import cut
from restock.report.html import write_report
from restock.report.words import Words, answer

PAST, LENGTH, EVERY = 200, 30, 9
WORDS = Words(episode="window", episodes="windows", period="day", periods="days")


def main(arguments: list[str]) -> None:
    """Cut, plan, compare, report."""
    if arguments:
        source = SeriesSource(file=arguments[0], column=arguments[1])
    else:
        source = SeriesSource(dataset="restaurant", column="chicken")
    out = arguments[2] if len(arguments) > 2 else "own-report.html"

    windows = cut(source.read(), LENGTH, EVERY, past=PAST)
    mean, sd = float(windows.history.mean()), float(windows.history.std(ddof=1))
    problem = restock.load_problem("diamond", demand={"mean": mean}, horizon=LENGTH)

    # Two ways to set base-stock levels, both from the past alone.
    formula = restock.make_policy("base-stock", problem, mean=mean, sd=sd)
    past = cut(windows.history, LENGTH, 1).episodes[:, :, None]
    start = {"levels": formula.levels.tolist()}
    tuned = restock.fit(problem, "base-stock", exogenous={"demand": past}, tune=["levels"], budget=400, **start)
    policies = {
        "constant-order": restock.make_policy("constant-order", problem),
        "base-stock (formula)": formula,
        "base-stock (tuned)": tuned.policy,
    }
    table = restock.compare(problem, policies, exogenous={"demand": windows.episodes[:, :, None]}, block=windows.block)
    for sentence in answer(table, WORDS):
        print(sentence)
    path = write_report(
        table,
        out,
        title=f"Which policy suits {source.column}?",
        lead=f"{len(windows.starts)} windows of {LENGTH} days of recorded demand, planned with the {PAST} days before.",
        words=WORDS,
        labels=[f"day {start}" for start in windows.starts],
        assumptions=["Every window starts with the network's initial stock and nothing on its way."],
        command=" ".join(["python examples/03_report_on_own_demand.py", *arguments]),
    )
    print(f"Report: {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
