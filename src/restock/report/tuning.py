"""The report of a hyper-parameter search: one self-contained HTML page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from restock.core.reading import read_text
from restock.core.writing import write_whole
from restock.evaluation.provenance import in_words, versions
from restock.learning.tuning.outcome import Tuning
from restock.learning.tuning.study import Trial
from restock.report import tuning_figures as draw
from restock.report.documents import as_json
from restock.report.markup import page, parts
from restock.report.numbers import NONE, amount, decimals, interval, places_for, share
from restock.report.tables import Table

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
    lead = (
        f"Each trial trains one policy with other numbers and is worth the mean {tuning.worth} of its best policy on "
        f"{tuning.plan.base['training']['held_out']} {PATHS}. All trials have the same paths, steps and seed."
    )
    shown = parts(
        "tuning",
        worth=tuning.worth,
        paths=PATHS,
        history=draw.history(tuning),
        keys=((draw.BEST, "the best"), (draw.FIRST, "the preset"), (draw.WHOLE, "whole"), (draw.ENDED, "pruned")),
        curves=draw.curves(tuning) if any(trial.evaluations for trial in tuning.trials) else None,
        importance=draw.importance(tuning) if tuning.importance else None,
        whole=tuning.count("complete"),
        few=FEW,
        against=[(name, draw.against(tuning, name)) for name in tuning.importance or tuning.plan.space],
        best=_best(tuning, problem or tuning.plan.problem),
        trials=_trials(tuning),
        kinds={} if tuning.best is None else {str(tuning.best.number): "best"},
        broken=[f"Trial {trial.number}: {trial.problem}" for trial in tuning.trials if trial.problem],
        plan=tuning.plan,
        interrupted=tuning.count("interrupted"),
        command=command,
        made_with=f"Made with {in_words(versions())}.",
        numbers=as_json(tuning.to_dict()),
    )
    title = f"Tuning {tuning.plan.algo} for {tuning.plan.problem}"
    return page(title, shown, [("", text) for text in answer(tuning)], lead)


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


def _best(tuning: Tuning, problem: str) -> dict[str, Any] | None:
    """Return the numbers of the best trial beside those of the first, and how to use them; None before the first."""
    if tuning.best is None:
        return None
    first, best, weights = tuning.plan.first(), tuning.best.values, tuning.importance
    rows = []
    for name, one in tuning.plan.space.items():
        weight = NONE if not weights else share(weights.get(name, 0.0))
        rows.append((name, str(one), _short(first[name]), _short(best.get(name)), weight))
    return {
        "table": Table("", ("number", "searched", "first trial", "best", "importance"), tuple(rows)),
        "train": tuning.command(problem),
        "use": f"restock simulate {problem} {tuning.path / 'best'}",
        "file": read_text(tuning.path / "best.yml", "tuning", "YAML"),
    }


def _trials(tuning: Tuning) -> Table:
    """Return every trial, best first."""
    names = list(tuning.plan.space)
    places = decimals([0.0 if tuning.best is None else tuning.best.value]) + 1
    rows = []
    for trial in sorted(tuning.trials, key=_merit):
        cells = [str(trial.number), trial.state, amount(trial.value, places), amount(trial.fresh, places)]
        rows.append((*cells, amount(trial.seconds, 1), *(_short(trial.values.get(name)) for name in names)))
    caption = f"Best first; of trials that are not whole, {tuning.worth} is the best before they ended."
    return Table(caption, ("trial", "state", tuning.worth, "fresh paths", "seconds", *names), tuple(rows))


def _merit(trial: Trial) -> tuple[bool, float, int]:
    return trial.state != "complete", -trial.value if trial.value == trial.value else 0.0, trial.number


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return NONE if value is None else json.dumps(value).replace(" ", "").strip('"')
