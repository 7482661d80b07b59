"""The report of a training run: one HTML page in its folder."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from restock.core.reading import read_text
from restock.core.writing import write_whole
from restock.evaluation.provenance import in_words
from restock.learning.describe import described
from restock.learning.evaluation import TRAINED, Evaluation
from restock.learning.metrics import meaning
from restock.report import curves, snapshots
from restock.report import words as say
from restock.report.chapter import chapter
from restock.report.markup import Part, page, parts
from restock.report.numbers import amount, decimals, share, share_interval
from restock.report.palette import FIXED
from restock.report.tables import Table

UNTOLD = ("train/n_updates",)  # counts that only grow
METHODS = {
    "pathwise": "by the exact gradient of profit over sampled futures",
    "bc": "by imitating {teacher}",
    "dagger": "by imitating {teacher}, also where its own mistakes lead",
}

Section = Callable[[Evaluation], Part | None]  # None where there is nothing to say


def write_training_report(evaluation: Evaluation, path: str | Path | None = None, more: Sequence[Section] = ()) -> Path:
    """Write the report of a training run: the whole file, or none.

    Args:
        evaluation: Of the run, see `restock.learning.evaluation.evaluate`.
        path: The file; default: `report.html` in the folder of the run.
        more: Parts to add after those about learning.

    Raises:
        InvalidInput: The run is damaged, or the file cannot be written.
    """
    text = render(evaluation, more)
    target = evaluation.run.path / "report.html" if path is None else path
    return write_whole(target, lambda file: file.write_text(text, encoding="utf-8"))


def render(evaluation: Evaluation, more: Sequence[Section] = ()) -> str:
    """Return the page as text."""
    problem = evaluation.comparisons[0].problem
    single = len(evaluation.comparisons) == 1
    colours = _colours(evaluation)
    shown = parts(
        "training",
        words=problem.wording,
        missed=problem.missed[1],
        bound=evaluation.bound,
        learning=_learning(evaluation),
        shots=_snapshots(evaluation),
        chapters=[chapter(evaluation.comparisons[0], colours, None, None)] if single else [],
        several=None if single else _several(evaluation, colours),
        colours=colours,
        more=[part for section in more if (part := section(evaluation)) is not None],
        meanings=_meanings(evaluation),
        commands=_commands(evaluation),
        seed=evaluation.config["seed"],
        versions=in_words(json.loads(read_text(evaluation.run.path / "versions.json", "run", "JSON"))),
        files=_files(evaluation),
        config=yaml.safe_dump(dict(evaluation.config), sort_keys=False, width=100),
    )
    unfinished = "This run is not finished: what is shown is the best policy so far."
    warnings = [unfinished] if evaluation.run.result() is None else []
    warnings += say.warnings(evaluation.comparisons[0]) if single else []
    answer = [("", " ".join(_answer(evaluation)))]
    return page(f"Training run {evaluation.run.name}", shown, answer, _lead(evaluation), warnings)


# words ----------------------------------------------------------------------------------------------


def _lead(evaluation: Evaluation) -> str:
    """Return what was trained, and how."""
    config, result = evaluation.config, evaluation.run.result() or {}
    problem = described(config["problem"])
    algo = str(config["algo"])
    how = METHODS.get(algo, f"with {algo.upper()} of stable-baselines3").format(**_texts(config["training"]))
    which = "A policy" if config.get("regimes") is None else f"One policy for {len(evaluation.comparisons)} demands"
    spent = f" It took {_duration(float(result['cpu_seconds']))} of one processor." if "cpu_seconds" in result else ""
    words = problem.wording
    mean = f", and the mean of demand in every {words.period} to come" if config["information"] != "blind" else " alone"
    return f"{which} on {problem.name}, trained {how}, seed {config['seed']}. It knows {words.sees}{mean}.{spent}"


def _texts(training: object) -> dict[str, str]:
    return {str(k): str(v) for k, v in training.items()} if isinstance(training, dict) else {}


def _duration(seconds: float) -> str:
    if seconds < 0.5:
        return "less than a second"
    if round(seconds) == 1:
        return "1 second"
    return f"{amount(seconds)} seconds" if seconds < 180.0 else f"{amount(seconds / 60.0)} minutes"


def _answer(evaluation: Evaluation) -> list[str]:
    fresh = f"All of this on {evaluation.episodes} fresh episodes, which no choice was made by."
    if warm_up := evaluation.config["training"].get("warm_up"):
        fresh += f" They count from the first period; training left out the first {warm_up}."
    if len(evaluation.comparisons) == 1:
        return [*say.answer(evaluation.comparisons[0]), fresh]
    measure = evaluation.gap if evaluation.costs else evaluation.ratio
    mine, theirs = measure(TRAINED), measure(evaluation.baseline)
    assert mine is not None and theirs is not None  # several problems are networks, which have a bound
    ends = [f"95% interval {share_interval(value, 1)}" for value in (mine, theirs)]
    each = evaluation.gaps(TRAINED)
    worst = max(range(len(each)), key=lambda k: each[k])
    count, where = len(evaluation.comparisons), evaluation.names[worst]
    if evaluation.costs:
        said = f"It lacks {share(mine.mean, 1)} to what hindsight reaches, a mean over {count} problems"
        last = f"Most with {where}: {share(each[worst], 1)}."
    else:
        said = f"It earned {share(mine.mean, 1)} of what hindsight earns, a mean over {count} problems"
        last = f"Least with {where}: {share(1.0 - each[worst], 1)}."
    return [f"{said} ({ends[0]}); {evaluation.baseline} {share(theirs.mean, 1)} ({ends[1]}).", last, fresh]


# parts ----------------------------------------------------------------------------------------------


def _several(evaluation: Evaluation, colours: Mapping[str, str]) -> Table:
    """Return the trained policy beside the policy to beat and the bound, a row per problem."""
    pair = (TRAINED, evaluation.baseline)
    measure = "gap to bound" if evaluation.costs else "of bound"
    told = evaluation.gaps if evaluation.costs else evaluation.ratios
    ratios = {name: told(name) for name in pair}
    rows = []
    for k, (name, comparison) in enumerate(zip(evaluation.names, evaluation.comparisons, strict=True)):
        profits = [comparison.row(policy).profit.mean for policy in colours]
        cells = [name, *(amount(profit, decimals(profits)) for profit in profits)]
        rows.append((*cells, *(share(ratios[policy][k], 1) for policy in pair)))
    each = evaluation.comparisons[0].episodes
    return Table(
        f"Mean profit of an episode, {each} fresh episodes of each problem, the same for all policies.",
        ("problem", *colours, *(f"{policy}, {measure}" for policy in pair)),
        tuple(rows),
    )


def _colours(evaluation: Evaluation) -> dict[str, str]:
    """Return a colour for each policy, the same in all charts."""
    found = {TRAINED: curves.KEPT, evaluation.baseline: curves.BEATEN}
    return found | ({evaluation.bound: FIXED["hindsight"]} if evaluation.bound else {})


def _learning(evaluation: Evaluation) -> dict[str, Any] | None:
    """Return charts of profit on held-out episodes, and of the algorithm's own metrics."""
    lines = evaluation.run.metrics()
    if not any({"profit", "baseline"} <= set(line) for line in lines):
        return None
    words = evaluation.comparisons[0].problem.wording
    own = sorted({name for line in lines for name in line if "/" in name} - set(UNTOLD))
    small = curves.panels(lines, ["training", *own, "steps_per_second"])
    still = [name for name in own if name not in {n for n, _, _ in small}]
    return {
        "curve": curves.learning(lines, evaluation.baseline, evaluation.bound, words),
        "several": any(line["restart"] for line in lines),
        "panels": [(_plain(name), unit, chart) for name, unit, chart in small],
        "fixed": [f"{name} = {value:.4g}" for name in still if (value := _last(lines, name)) is not None],
        "still": "Did not change" if len(lines) > 1 else "At the only evaluation",
    }


def _plain(name: str) -> str:
    """Return a field as the heading of a chart, which may be wrapped."""
    return name.removeprefix("train/").replace("_", " ")


def _last(lines: Sequence[curves.Line], name: str) -> float | None:
    found = [float(line[name]) for line in lines if name in line]
    return found[-1] if found else None


def _snapshots(evaluation: Evaluation) -> dict[str, Any] | None:
    """Return one episode at several moments of training, side by side."""
    shots = evaluation.run.snapshots()
    if not shots:
        return None
    problem = evaluation.comparisons[0].problem
    words = problem.wording
    charts, key = snapshots.charts(problem, shots)
    best = max(reversed(shots), key=lambda shot: -math.inf if math.isnan(shot.profit) else shot.profit)
    several = any(shot.restart for shot in shots)
    totals = [float(shot.fields["reward"].sum()) for shot in shots]
    missed = [float(snapshots.missed_in(problem, shot).sum()) for shot in shots]
    panels = []
    for shot, chart, earned, short in zip(shots, charts, totals, missed, strict=True):
        where = (f"restart {shot.restart + 1}, " if several else "") + f"step {amount(float(shot.step))}"
        title = "before training" if shot.evaluation == 0 else where + (" (best)" if shot is best else "")
        told = f"{words.worth} {amount(earned, decimals(totals))}, {problem.missed[1]} {amount(short)}"
        panels.append((title, told, chart))
    by_place = all(colour != snapshots.MISSED for _, colour in key)
    return {"panels": panels, "key": key, "by_place": by_place}


def _meanings(evaluation: Evaluation) -> dict[str, str]:
    """Return the meaning of the curves and figures."""
    names = dict.fromkeys(name for line in evaluation.run.metrics() for name in line)
    worth = evaluation.comparisons[0].problem.wording.worth
    algo = str(evaluation.config["algo"])
    known = {name: text.replace("mean profit", f"mean {worth}") for name in names if (text := meaning(name, algo))}
    if "baseline" in known:
        known["baseline"] = f"mean {worth} of {evaluation.baseline}, the policy to beat, on the same episodes"
    return known


def _commands(evaluation: Evaluation) -> str:
    """Return the commands that repeat the run and its evaluation."""
    count = ["--episodes", str(evaluation.episodes), "--seed", str(evaluation.seed)]
    again = shlex.join(["restock", "evaluate", "../again", *count])
    return f"mkdir ../again && cp config.yaml ../again/\nrestock train --resume ../again\n{again}"


def _files(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Return the list of files beside the page, for other programs."""
    problem = evaluation.comparisons[0].problem
    columns = f"period, location ({problem.wording.place}), on_hand, missed ({problem.missed[1]})"
    return [
        ("metrics.csv", "the learning curve, a row an evaluation; also as metrics.jsonl"),
        ("evaluation/episodes.csv", f"{problem.wording.worth} of every episode of the table, each with its seed"),
        ("evaluation/inventory.csv", f"the first of these episodes under the trained policy: {columns}"),
        ("evaluation/snapshots.csv", f"the episode above at each moment that was kept: evaluation, step, {columns}"),
    ]
