"""The report of a training run: one HTML page in its folder."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

import yaml

from restock.core.reading import read_text
from restock.core.writing import write_whole
from restock.learning.describe import described
from restock.learning.evaluation import TRAINED, Evaluation
from restock.learning.metrics import meaning
from restock.report import curves, snapshots
from restock.report import words as say
from restock.report.chapter import chapter
from restock.report.markup import caption_of, chip, figure, page, row_of, scroll
from restock.report.numbers import amount, decimals, share, share_interval
from restock.report.palette import FIXED

UNTOLD = ("train/n_updates",)  # counts that only grow
METHODS = {
    "pathwise": "by the exact gradient of profit over sampled futures",
    "bc": "by imitating {teacher}",
    "dagger": "by imitating {teacher}, also where its own mistakes lead",
}

Part = tuple[str, str]  # heading and content (HTML)
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
    sections = (_learning, _snapshots, _worth, *more, _meanings, _repeat)
    parts = [part for section in sections if (part := section(evaluation)) is not None]
    title = f"Training run {evaluation.run.name}"
    opening = [f"<h1>{escape(title)}</h1>", f'<p class="lead">{escape(_lead(evaluation))}</p>']
    if evaluation.run.result() is None:
        told = "This run is not finished: what is shown is the best policy so far."
        opening.append(f'<p class="warning">Warning. {told}</p>')
    if len(evaluation.comparisons) == 1:
        opening += [f'<p class="warning">Warning. {escape(w)}</p>' for w in say.warnings(evaluation.comparisons[0])]
    opening.append(f'<div class="answer"><p>{escape(" ".join(_answer(evaluation)))}</p></div>')
    return page(title, opening, parts)


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


def _worth(evaluation: Evaluation) -> Part:
    """Return the trained policy beside the policy to beat and the bound."""
    colours, baseline = _colours(evaluation), evaluation.baseline
    if len(evaluation.comparisons) == 1:
        return "What it is worth", chapter(evaluation.comparisons[0], colours, None, None)
    measure = "gap to bound" if evaluation.costs else "of bound"
    head = "".join(
        f'<th scope="col">{cell}</th>'
        for cell in (
            "problem",
            *(f"{chip(colour)}{n}" for n, colour in colours.items()),
            f"trained, {measure}",
            f"{baseline}, {measure}",
        )
    )
    rows = []
    told = evaluation.gaps if evaluation.costs else evaluation.ratios
    ratios = {name: told(name) for name in (TRAINED, baseline)}
    for k, (name, comparison) in enumerate(zip(evaluation.names, evaluation.comparisons, strict=True)):
        profits = [comparison.row(policy).profit.mean for policy in colours]
        cells = [name, *(amount(profit, decimals(profits)) for profit in profits)]
        rows.append(row_of([*cells, *(share(ratios[policy][k], 1) for policy in (TRAINED, baseline))]))
    each = evaluation.comparisons[0].episodes
    caption = caption_of(
        f"Mean profit of an episode, {each} fresh episodes of each problem, the same for all policies."
    )
    table = f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return "What it is worth", scroll(table)


def _colours(evaluation: Evaluation) -> dict[str, str]:
    """Return a colour for each policy, the same in all charts."""
    found = {TRAINED: curves.KEPT, evaluation.baseline: curves.BEATEN}
    return found | ({evaluation.bound: FIXED["hindsight"]} if evaluation.bound else {})


def _learning(evaluation: Evaluation) -> Part | None:
    """Draw profit on held-out episodes, and the algorithm's own metrics."""
    lines = evaluation.run.metrics()
    if not any({"profit", "baseline"} <= set(line) for line in lines):
        return None
    told = " Hindsight is computed on some of these episodes." if evaluation.bound else ""
    words = evaluation.comparisons[0].problem.wording
    several = any(line["restart"] for line in lines)
    curve = figure(
        curves.learning(lines, evaluation.baseline, evaluation.bound, words),
        f"<b>Learning curve.</b> Mean {words.worth} on held-out episodes at each evaluation, without exploration. "
        f"Ring: the policy that is kept. Band: 95% interval{' of its restart' if several else ''}.{told}",
    )
    own = sorted({name for line in lines for name in line if "/" in name} - set(UNTOLD))
    small = curves.panels(lines, ["training", *own, "steps_per_second"])
    shown = "".join(
        figure(chart, f"<b>{escape(_plain(name))}</b>{' ' + unit if unit else ''}") for name, unit, chart in small
    )
    still = [name for name in own if name not in {n for n, _, _ in small}]
    fixed = [f"{name} = {value:.4g}" for name in still if (value := _last(lines, name)) is not None]
    what = "Did not change" if len(lines) > 1 else "At the only evaluation"
    note = f'<p class="small">{what}: {escape(", ".join(fixed))}.</p>' if fixed else ""
    panels = f'<h3>On the way</h3><div class="panels">{shown}</div>{note}' if shown else note
    return "How it learnt", curve + panels


def _plain(name: str) -> str:
    """Return a field as the heading of a chart, which may be wrapped."""
    return name.removeprefix("train/").replace("_", " ")


def _last(lines: Sequence[curves.Line], name: str) -> float | None:
    found = [float(line[name]) for line in lines if name in line]
    return found[-1] if found else None


def _snapshots(evaluation: Evaluation) -> Part | None:
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
        panels.append(figure(chart, f"<b>{escape(title)}</b><br>{escape(told)}"))
    chips = " ".join(f"{chip(colour)}{escape(name)}&ensp;" for name, colour in key)
    coloured = "" if any(colour == snapshots.MISSED for _, colour in key) else f", in the colour of the {words.place}"
    about = (
        f"<p>One held-out episode, always the same {words.chance}, under the policy as it was then. Lines: stock on "
        f"hand at the start of each {words.period}. Bars at the foot: what was missed ({problem.missed[1]}){coloured}, "
        "all on one scale.</p>"
    )
    return (
        "The same episode, while it learnt",
        f'{about}<p class="small">{chips}</p><div class="panels">{"".join(panels)}</div>',
    )


def _meanings(evaluation: Evaluation) -> Part:
    """Return the meaning of the curves and figures."""
    names = dict.fromkeys(name for line in evaluation.run.metrics() for name in line)
    worth = evaluation.comparisons[0].problem.wording.worth
    algo = str(evaluation.config["algo"])
    known = {name: text.replace("mean profit", f"mean {worth}") for name in names if (text := meaning(name, algo))}
    if "baseline" in known:
        known["baseline"] = f"mean {worth} of {evaluation.baseline}, the policy to beat, on the same episodes"
    terms = "".join(f"<dt>{escape(name)}</dt><dd>{_marked(text)}</dd>" for name, text in known.items())
    return "What the figures mean", f"<dl>{terms}</dl>"


def _marked(text: str) -> str:
    """Return text with names between backquotes marked as code."""
    return "".join(f"<code>{escape(part)}</code>" if k % 2 else escape(part) for k, part in enumerate(text.split("`")))


def _repeat(evaluation: Evaluation) -> Part:
    """Return commands, versions and the whole configuration."""
    run = evaluation.run
    count = ["--episodes", str(evaluation.episodes), "--seed", str(evaluation.seed)]
    commands = "\n".join(
        [
            "mkdir ../again && cp config.yaml ../again/",
            "restock train --resume ../again",
            shlex.join(["restock", "evaluate", "../again", *count]),
        ]
    )
    versions = json.loads(read_text(run.path / "versions.json", "run", "JSON"))
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    beside = "".join(f"<li><code>{name}</code>: {escape(what)}</li>" for name, what in _files(evaluation))
    config = yaml.safe_dump(dict(evaluation.config), sort_keys=False, width=100)
    text = (
        "<p>The configuration is all that a run is: a folder with nothing else in it trains anew, to the same weights "
        f"where versions and processor are the same. In this one:</p><pre>{escape(commands)}</pre>"
        f"<p>Seed {evaluation.config['seed']}. Trained with {escape(listed)}.</p>"
        f"<p>Beside this page:</p><ul>{beside}</ul>"
        f"<details><summary>config.yaml</summary><pre>{escape(config)}</pre></details>"
    )
    return "How to repeat this", text


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
