"""The report of a hyper-parameter search: one self-contained HTML page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from restock.core.reading import read_text
from restock.core.writing import write_whole
from restock.evaluation.provenance import versions
from restock.learning.tuning.outcome import Tuning
from restock.learning.tuning.study import Trial
from restock.report import tuning_figures as draw
from restock.report.markup import caption_of, chip, figure, page, row_of, scroll
from restock.report.numbers import NONE, amount, decimals, interval, places_for, share

FEW = 20  # whole trials, below which importance is a hint
PATHS = "held-out paths"


def write_tuning_report(tuning: Tuning, path: str | Path | None = None, command: str = "", problem: str = "") -> Path:
    """Write the report of a search: the whole file, or none.

    Args:
        tuning: What it came to so far.
        path: The file; default: `report.html` in its folder.
        command: The command that goes on with it.
        problem: What names the problem on the command line, where its name does not.

    Raises:
        InvalidInput: The file cannot be written.
    """
    text = render(tuning, command, problem)
    target = tuning.path / "report.html" if path is None else path
    return write_whole(target, lambda file: file.write_text(text, encoding="utf-8"))


def render(tuning: Tuning, command: str = "", problem: str = "") -> str:
    """Return the page as text."""
    title = f"Tuning {tuning.plan.algo} for {tuning.plan.problem}"
    lead = (
        f"Each trial trains one policy with other numbers and is worth the mean {tuning.worth} of its best policy on "
        f"{tuning.plan.base['training']['held_out']} {PATHS}. All trials have the same paths, steps and seed."
    )
    body = [f"<h1>{escape(title)}</h1>", f'<p class="lead">{escape(lead)}</p>']
    body.append('<div class="answer">' + "".join(f"<p>{escape(text)}</p>" for text in answer(tuning)) + "</div>")
    parts = [("The trials", _trials(tuning)), ("What matters", _matters(tuning))]
    if tuning.best is not None:
        parts.append(("The best numbers", _best(tuning, problem or tuning.plan.problem)))
    parts += [("Every trial", _table(tuning)), ("What this rests on", _rests(tuning))]
    parts.append(("How to repeat this", _repeat(tuning, command)))
    return page(title, body, parts)


def answer(tuning: Tuning) -> list[str]:
    """Return the result of the search, in sentences."""
    counts = ", ".join(
        f"{tuning.count(state)} {words}"
        for state, words in (("complete", "whole"), ("pruned", "pruned"), ("failed", "failed"))
        if tuning.count(state)
    )
    ended = tuning.count("complete", "pruned", "failed")
    trials = "1 trial" if ended == 1 else f"{ended} trials"
    best = tuning.best
    if best is None:
        return [f"{trials} so far{f' ({counts})' if counts else ''}; none is whole."]
    places = decimals([best.value]) + 1
    said = [f"Of {trials} ({counts}), trial {best.number} is the best: {amount(best.value, places)} an episode"]
    if tuning.preset is None:
        said[0] += "."
    elif tuning.preset.number == best.number:
        said[0] += ". It is the preset: nothing that was tried is better."
    else:
        more = (best.value - tuning.preset.value) / max(abs(tuning.preset.value), 1e-9)
        said[0] += f", the preset {amount(tuning.preset.value, places)} ({amount(100.0 * more, 1, True)}%)."
    if tuning.fresh is not None:
        words = f"On fresh paths, by which nothing was chosen, it earns {amount(tuning.fresh.mean, places)}"
        words += f" (95% interval {interval(tuning.fresh, places)})"
        if tuning.gain is not None:
            fine = places_for(tuning.gain)
            words += f", {amount(tuning.gain.mean, fine, True)} against the preset on the same paths"
            words += f" ({interval(tuning.gain, fine, True)})"
            if tuning.gain.low <= 0.0 <= tuning.gain.high:
                words += ": too little to tell from luck"
        said.append(words + ".")
    if tuning.lines:
        named = tuning.line_names()
        told = ", ".join(f"{named[name]} {amount(value, places)}" for name, value in tuning.lines.items())
        said.append(f"On the held-out paths: {told}.")
    return said


def _trials(tuning: Tuning) -> str:
    keys = f"{chip(draw.BEST)}the best {chip(draw.FIRST)}the preset {chip(draw.WHOLE)}whole {chip(draw.ENDED)}pruned"
    text = figure(
        draw.history(tuning),
        f"<b>{tuning.worth.capitalize()} of each trial</b> on {PATHS}; line: the best so far. {keys} (open: "
        "best before it was ended). What is far below the others stands at the foot.",
    )
    if any(trial.evaluations for trial in tuning.trials):
        text += figure(
            draw.curves(tuning),
            f"<b>Learning curves.</b> Best {tuning.worth} so far of each trial; a dot where one was ended.",
        )
    return text


def _matters(tuning: Tuning) -> str:
    found = tuning.importance
    if found:
        text = figure(
            draw.importance(tuning),
            "<b>Importance</b> by PED-ANOVA: how far the values of the best quarter of whole trials differ from those "
            "of all, 100% together. Among numbers that matter little everywhere, shares mean little.",
        )
        whole = tuning.count("complete")
        if whole < FEW:
            text += f"<p>{whole} whole trials are few: take these shares as a hint.</p>"
    else:
        text = "<p>There are too few whole trials to say which numbers matter.</p>"
    names = list(found or tuning.plan.space)
    panels = "".join(figure(draw.against(tuning, name), f"<b>{escape(name)}</b>", 2.0) for name in names)
    return f'{text}<h3>{tuning.worth.capitalize()} against each number</h3><div class="cards">{panels}</div>'


def _best(tuning: Tuning, problem: str) -> str:
    best = tuning.best
    assert best is not None
    first = tuning.plan.first()
    head = "".join(
        f'<th scope="col">{cell}</th>' for cell in ("number", "searched", "first trial", "best", "importance")
    )
    rows = []
    for name, one in tuning.plan.space.items():
        weight = NONE if not tuning.importance else share(tuning.importance.get(name, 0.0))
        rows.append(row_of((name, str(one), _short(first[name]), _short(best.values.get(name)), weight)))
    table = scroll(f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>")
    use = f"restock simulate {problem} {tuning.path / 'best'}"
    text = f"{table}<p>Train with them:</p><pre>{escape(tuning.command(problem))}</pre>"
    text += f"<p>The policy of the best trial is kept; its folder is its name:</p><pre>{escape(use)}</pre>"
    file = read_text(tuning.path / "best.yml", "tuning", "YAML")
    return text + f"<details open><summary>best.yml, as RL-Zoo writes it</summary><pre>{escape(file)}</pre></details>"


def _table(tuning: Tuning) -> str:
    names = list(tuning.plan.space)
    header = ("trial", "state", tuning.worth, "fresh paths", "seconds", *names)
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    places = decimals([0.0 if tuning.best is None else tuning.best.value]) + 1
    rows = []
    for trial in sorted(tuning.trials, key=_merit):
        cells = [str(trial.number), trial.state, amount(trial.value, places), amount(trial.fresh, places)]
        cells += [amount(trial.seconds, 1), *(_short(trial.values.get(name)) for name in names)]
        is_best = tuning.best is not None and trial.number == tuning.best.number
        rows.append(row_of(cells, kind="best" if is_best else ""))
    caption = caption_of(f"Best first; of trials that are not whole, {tuning.worth} is the best before they ended.")
    text = scroll(f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>")
    broken = [f"Trial {trial.number}: {trial.problem}" for trial in tuning.trials if trial.problem]
    return text + (f"<h3>Why trials failed</h3>{_listed(broken)}" if broken else "")


def _merit(trial: Trial) -> tuple[bool, float, int]:
    return trial.state != "complete", -trial.value if trial.value == trial.value else 0.0, trial.number


def _rests(tuning: Tuning) -> str:
    said = [
        "The best trial is the luckiest of many on the same held-out paths, so what it earns there flatters it. Fresh "
        "paths are four times as many, the same for every whole trial, and nothing is chosen by them.",
        "Every trial is trained once, from one seed: another seed moves each of them a little. Train with best.yml and "
        "some other seeds before you rely on a small gain.",
        "Trials are proposed by the tree-structured Parzen estimator of Optuna, after "
        f"{tuning.plan.startup} at random, the first of them the preset (each number moved into its range).",
    ]
    if tuning.plan.pruning:
        said.append(
            "A trial ends early where its best so far is below the median of earlier whole trials at the same share of "
            f"the training; not in the first quarter, nor before {max(1, tuning.plan.startup // 2)} trials are whole."
        )
    if tuning.count("interrupted"):
        said.append("Interrupted trials were stopped from outside; each was repeated with the same values.")
    return _listed(said)


def _repeat(tuning: Tuning, command: str) -> str:
    text = f"<p>This command resumes it, or repeats it elsewhere:</p><pre>{escape(command)}</pre>" if command else ""
    made = ", ".join(f"{name} {version}" for name, version in versions().items())
    numbers = json.dumps(tuning.to_dict(), indent=1, ensure_ascii=False)
    text += f"<p>Made with {escape(made)}.</p>"
    return text + f"<details><summary>All numbers, as JSON</summary><pre>{escape(numbers)}</pre></details>"


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return NONE if value is None else json.dumps(value).replace(" ", "").strip('"')


def _listed(sentences: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in sentences)}</ul>"
