"""The leaderboard in words and rows: one source for the terminal, Markdown and the page."""

from __future__ import annotations

from restock.benchmark.standing import Leaderboard, Standing
from restock.evaluation.bootstrap import FEWEST
from restock.evaluation.stats import LEVEL
from restock.report.certainty import OPEN
from restock.report.numbers import NONE, amount, at_least, p_in_words, price, share, share_interval
from restock.report.tables import Table
from restock.report.words import demand_doubt, upper

MEANINGS = {
    "of bound": "mean over scenarios of sum(profit) / sum(bound), both summed over the seeds; the bound is the "
    "hindsight optimum of each episode",
    "middle half": "interquartile mean: mean of profit / bound over the middle half of all episodes of all scenarios",
    "95% interval": "bootstrap over seeds: a resample draws seeds and takes what they gave in every scenario, as "
    "scenarios share seeds and luck; quantiles are taken as far out as t intervals with so few seeds are",
    "ahead of the next": "share of episodes in which the policy earned more than the next one below it of which "
    "episodes are known, ties counted half",
    "p (Holm)": "how likely a lead at least so large over that next one would be by chance, were there none (paired t "
    "test, one number a seed); corrected by Holm's method for all leads of the board",
    "more seeds": "how many more seeds would find a lead of the size seen clear, in four of five such studies",
    "time per decision": "mean processor time inside the policy for one decision of one episode, all episodes of a "
    "task decided together; of published rows, an episode's time over its periods there",
    "knows": "blind: stock, goods under way, past demand, the configured prior; informed: also the mean of demand in "
    "every period to come; clairvoyant: demand itself",
}


def seconds_in_words(seconds: float) -> str:
    """Return a time with two digits and its unit."""
    if seconds != seconds:
        return NONE
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size or unit == "µs":
            value = seconds / size
            return f"{value:,.0f} {unit}" if value >= 9.95 else f"{value:.1f} {unit}"
    return NONE


def standings(board: Leaderboard) -> Table:
    """Return the leaderboard itself."""
    more = any(row.lead is not None and row.lead.more_seeds is not None for row in board.rows)
    header = ("policy", "rank", "of bound", "95% interval", "knows", "time per decision", "middle half", "95% interval")
    header += ("ahead of the next", "95% interval", "p (Holm)", *(("more seeds",) if more else ()))
    rows = []
    for row in board.rows:
        cells = [row.shown, NONE if row.rank is None else str(row.rank)]
        knowing = [row.information, seconds_in_words(row.decision_seconds)]
        if row.ratio is None:
            cells += [f"{row.scenarios} of {len(board.suite.scenarios)}", NONE, *knowing, NONE, NONE]
        elif row.information == "clairvoyant":
            cells += [share(row.ratio.mean, 1), NONE, *knowing, NONE, NONE]
        else:
            cells += [share(row.ratio.mean, 1), share_interval(row.ratio, 1), *knowing]
            cells += [NONE, NONE] if row.middle is None else [share(row.middle.mean, 1), share_interval(row.middle, 1)]
        if row.lead is None:
            cells += [NONE, NONE, NONE, *([NONE] if more else [])]
        else:
            cells += [share(row.lead.improvement.mean), share_interval(row.lead.improvement), p_in_words(row.lead.p)]
            if more:
                cells.append(NONE if row.lead.more_seeds is None else amount(row.lead.more_seeds))
        rows.append(tuple(cells))
    scenarios, seeds = len(board.suite.scenarios), len(board.suite.seeds)
    counted = f"{scenarios} scenario{'s' * (scenarios > 1)}, {seeds} seed{'s' * (seeds > 1)} each"
    caption = f"Suite {board.suite.name} ({board.suite_mark}): {counted}."
    return Table(caption, header, tuple(rows))


def by_group(board: Leaderboard) -> Table | None:
    """Return the mean ratio of each policy in each group of scenarios; None if there are no groups."""
    groups = board.suite.groups
    if not groups:
        return None
    rows = [
        (row.shown, *(share(row.by_group[group], 1) if group in row.by_group else NONE for group in groups))
        for row in board.rows
    ]
    sizes = {group: sum(group in scenario.groups for scenario in board.suite.scenarios) for group in groups}
    listed = ", ".join(f"{group} {count}" for group, count in sizes.items())
    return Table(f"Of the bound, mean over the scenarios of each group ({listed}).", ("policy", *groups), tuple(rows))


def by_scenario(board: Leaderboard) -> Table:
    """Return the ratio of each policy in each scenario, scenarios by number."""
    names = [scenario.name for scenario in board.suite.scenarios]
    rows = [
        (row.shown, *(share(row.by_scenario[name]) if name in row.by_scenario else NONE for name in names))
        for row in board.rows
    ]
    listed = "; ".join(f"{k + 1} {name}" for k, name in enumerate(names))
    header = ("policy", *(str(k + 1) for k in range(len(names))))
    return Table(f"Of the bound, sum(profit) / sum(bound) over the seeds. Scenarios: {listed}.", header, tuple(rows))


def agents(board: Leaderboard) -> Table | None:
    """Return what entrants that are not policies used; None if there are none."""
    guests = [(row, row.counted) for row in board.rows if row.counted is not None]
    if not guests:
        return None
    header = ("agent", "replies", "repairs", "not usable", "decided without it", "tokens read", "written", "cost")
    rows = []
    uncounted: list[str] = []
    for row, counted in guests:
        number = {name: value or 0 for name, value in counted.items()}
        cells = [number["replies"], number["repaired"], number["unreadable"] + number["rejected"], number["fallbacks"]]
        missing = number.get("uncounted", 0)
        tokens = [at_least(f"{number[name]:,.0f}", missing) for name in ("tokens_in", "tokens_out")]
        rows.append((row.shown, *(f"{cell:,.0f}" for cell in cells), *tokens, price(counted["cost"], missing)))
        if missing:
            uncounted.append(f"{row.shown} {missing:,.0f}")
    caption = "Agents, over all episodes of all scenarios."
    if uncounted:
        caption += f" ≥: the endpoint did not count the tokens of some replies ({', '.join(uncounted)})."
    return Table(caption, header, tuple(rows))


def answer(board: Leaderboard) -> list[str]:
    """Return who is ahead, among the informed and among the blind."""
    said = []
    for information in ("informed", "blind"):
        ranked = [row for row in board.rows if row.rank is not None and row.information == information]
        if not ranked:
            continue
        best = ranked[0]
        words = f"Of the {information} policies, {best.shown} is first with {_ratio(best)} of the bound"
        rival = next((row for row in ranked[1:] if row.published != best.published), None)
        if rival is not None:
            kind = "published" if rival.published else "own"
            words += f"; the best {kind} one, {rival.name}, has {_ratio(rival)}"
        said.append(f"{words}.")
    return said


def close_calls(board: Leaderboard) -> list[str]:
    """Return the leads that are not clear, and what it would take to settle them."""
    said: list[str] = []
    for row in board.rows if len(board.same) < len(board.suite.scenarios) else ():
        if row.lead is None or row.lead.p < LEVEL:
            continue
        if row.lead.difference.mean == 0.0 and row.lead.p == 1.0:
            said.append(f"{upper(row.name)} and {row.lead.over} earned the same.")
            continue
        more = "" if row.lead.more_seeds is None else f"; about {amount(row.lead.more_seeds)} more seeds would tell"
        p = f"p = {p_in_words(row.lead.p)}" if row.lead.p == row.lead.p else "too few seeds"
        said.append(f"{upper(row.name)} over {row.lead.over}: {OPEN} ({p}){more}.")
    return said


def warnings(board: Leaderboard) -> list[str]:
    """Return what must not be overlooked."""
    found = demand_doubt(board.same_demand, len(board.suite.seeds))
    if board.same:
        scenarios = "every scenario" if len(board.same) == len(board.suite.scenarios) else ", ".join(board.same)
        found.append(
            f"All {len(board.suite.seeds)} episodes of {scenarios} are the same: more seeds say nothing more, and "
            "intervals and tests none of how another episode would turn out."
        )
    for row in board.rows:
        if row.exceeded:
            scenario, seed = row.exceeded[0]
            found.append(
                f"{upper(row.name)} earned more than a proven bound in {len(row.exceeded)} episodes (the first: "
                f"{scenario}, seed {seed}). That cannot be: simulation and bound disagree, so trust neither until this "
                "is explained."
            )
    for row in board.rows:
        if row.caught:
            found.append(
                f"{upper(row.name)} is not ranked, as it decides by what a policy that is {row.information} may not "
                f"know. {upper(row.caught[0])}."
            )
    for row in board.rows:
        if row.ratio is None and row.information != "clairvoyant" and not row.published:
            found.append(
                f"{upper(row.name)} is not ranked: it was finished in {row.scenarios} of {len(board.suite.scenarios)} "
                "scenarios. Start the same restock bench again."
            )
    return found


def notes(board: Leaderboard) -> list[str]:
    """Return what the figures rest on."""
    count, proven = len(board.suite.scenarios), len(board.proven)
    said = []
    own = any(not row.published for row in board.rows)
    if not own:
        said.append("There is no run of restock here: the ratios are those that were published, to their own Oracle.")
    elif proven == count:
        said.append("The bound is proven in every scenario: no policy can earn more in an episode.")
    else:
        said.append(
            f"The bound is proven in {proven} of {count} scenarios. In the others demand answers to what a policy "
            "does, and the bound is the best plan found with demand known."
        )
    if own and not any(row.caught for row in board.rows):
        said.append(
            "Every own policy was audited in each kind of scenario: it decides the same in two futures with the same "
            "past, and a blind one under another mean curve too."
        )
    if any(row.counted is not None for row in board.rows):
        said.append(
            "An agent has no code to be audited. Its decisions were played again in the simulator, and brought the "
            "rewards that its transcript says; the time of its decisions is that waited for its model."
        )
    if own and not board.exceeded:
        said.append("No policy earned more than a proven bound in any episode.")
    if own and len(board.suite.seeds) < FEWEST:
        said.append(f"No intervals are told: with fewer than {FEWEST} seeds, resampling them says nothing.")
    above = [f"{row.name} {row.above_best_known}" for row in board.rows if row.above_best_known]
    if above:
        said.append(f"Episodes in which a policy earned more than the best plan known: {', '.join(above)}.")
    if board.published is not None:
        said.append(
            f"Rows marked as published: {board.published.source}. Only means are known of them, so they have no "
            "intervals and take no part in tests; their ratios are to their own Oracle."
        )
    if board.oracle_gap is not None:
        said.append(f"Own bounds and those of the published Oracle differ by at most {board.oracle_gap:.1e}, relative.")
    return said


def _ratio(row: Standing) -> str:
    assert row.ratio is not None
    return share(row.ratio.mean, 1)
