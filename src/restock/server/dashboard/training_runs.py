"""Training and tuning runs, read as data from their folders."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import pydantic

from restock.core.errors import InvalidInput
from restock.core.wording import Wording
from restock.report import curves
from restock.report.numbers import NONE, amount, apart, decimals, share
from restock.report.svg import Svg
from restock.report.tables import Table
from restock.server.dashboard.folders import Entry, line_as, mapping_in, text_in

MOST_LINES = 20_000
MOST_DRAWN = 1000  # evaluations that a curve is drawn through
MOST_TRIALS = 2000
LONGEST = 200  # characters of a value
MONEY = Wording(worth="profit")
TRAINED, BEATEN, BOUND = "trained", "the policy to beat", "hindsight"
ATTAINED = 1e-4  # of the bound: a plan that lacks less than that reaches it


class MetricsLine(pydantic.BaseModel):
    """The fields of a metrics line that a curve needs; the others are kept for the table."""

    model_config = pydantic.ConfigDict(extra="allow", allow_inf_nan=False)

    restart: int = pydantic.Field(0, ge=0, le=10_000)
    step: float = pydantic.Field(ge=0.0, le=1e15)
    profit: float | None = None
    standard_error: float | None = None
    baseline: float | None = None
    bound: float | None = None


@dataclasses.dataclass(frozen=True)
class Told:
    """A run as a page shows it.

    Attributes:
        entry: Where it is.
        status: How far it is, in words.
        facts: Names and values.
        curve: Of learning; None where nothing was evaluated yet.
        tables: What there is as rows.
        texts: Files as they are: name and text.
        data: All of it, as plain data.
        rows: What CSV tells.
    """

    entry: Entry
    status: str
    facts: list[tuple[str, str]]
    curve: Svg | None
    tables: list[Table]
    texts: list[tuple[str, str]]
    data: dict[str, Any]
    rows: list[dict[str, Any]]


def told(entry: Entry) -> Told:
    """Return what the folder of a training or tuning run says.

    Raises:
        InvalidInput: A file of it is damaged, too large, or leads elsewhere.
    """
    return _training(entry) if entry.kind == "training" else _tuning(entry)


def _training(entry: Entry) -> Told:
    config = mapping_in(entry, "config.yaml")
    lines = _lines(entry, "metrics.jsonl", MOST_LINES)
    result, summary = _mapping(entry, "result.json"), _mapping(entry, "evaluation/summary.json")
    metrics = [
        line_as(MetricsLine, line, number, "run", "metrics.jsonl", "Restore the folder.")
        for number, line in enumerate(lines, 1)
    ]
    status = "finished" if result is not None else "not finished" if lines else "begun, nothing evaluated yet"
    problem = config.get("problem")
    judged, beaten = [one for one in metrics if one.profit is not None], _beaten(summary or {})
    facts = [("status", status), ("problem", _short(_name(problem))), ("algorithm", _short(config.get("algo")))]
    facts += [("knows", _short(config.get("information"))), ("seed", _short(config.get("seed")))]
    if judged:
        best = max(judged, key=lambda one: one.profit if one.profit is not None else -math.inf)
        assert best.profit is not None
        facts += [("best profit", _money(best.profit)), ("at step", amount(best.step))]
        facts += [(beaten, _money(best.baseline))] if best.baseline is not None else []
        facts += [(BOUND, _money(best.bound))] if best.bound is not None else []
    tables = _worth(summary or {})
    texts = [(name, text) for name in ("config.yaml", "versions.json") if (text := text_in(entry, name)) is not None]
    data: dict[str, Any] = {"run": entry.name, "kind": entry.kind, "status": status, "config": config}
    data |= {"result": result, "evaluation": summary, "metrics": lines}
    return Told(entry, status, facts, _curve(judged, beaten), tables, texts, data, lines)


def _tuning(entry: Entry) -> Told:
    plan = mapping_in(entry, "tuning.yaml")
    trials = _lines(entry, "trials.jsonl", MOST_TRIALS)
    base = plan.get("base")
    base = base if isinstance(base, dict) else {}
    whole = [one for one in trials if one.get("state") == "complete" and _finite(one.get("value"))]
    best = max(whole, key=lambda one: float(one["value"]), default=None)
    counts = {state: sum(one.get("state") == state for one in trials) for state in ("complete", "pruned", "failed")}
    status = ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "no trial yet"
    facts = [
        ("trials", status),
        ("problem", _short(_name(base.get("problem")))),
        ("algorithm", _short(base.get("algo"))),
    ]
    places = apart(_number(one["value"]) for one in whole)
    if best is not None:
        facts += [("best trial", _short(best.get("number"))), ("its profit", amount(_number(best["value"]), places))]
    searched = plan.get("space")
    names = [str(name) for name in searched][:40] if isinstance(searched, dict) else []
    rows = []
    for one in sorted(trials, key=lambda one: (one.get("state") != "complete", -_number(one.get("value")))):
        values = one.get("values")
        values = values if isinstance(values, dict) else {}
        cells = [
            _short(one.get("number")),
            _short(one.get("state")),
            amount(_number(one.get("value")), places),
            amount(_number(one.get("fresh")), places),
        ]
        rows.append((*cells, *(_short(values.get(name)) for name in names)))
    table = Table("Trials, the best first.", ("trial", "state", "profit", "fresh paths", *names), tuple(rows))
    texts = [(name, text) for name in ("best.yml", "tuning.yaml") if (text := text_in(entry, name)) is not None]
    data = {"run": entry.name, "kind": entry.kind, "status": status, "plan": plan, "trials": trials, "best": best}
    flat = [{**{k: v for k, v in one.items() if k not in ("values", "evaluations")}, **_values(one)} for one in trials]
    return Told(entry, status, facts, None, [table] if rows else [], texts, data, flat)


def _values(trial: Mapping[str, Any]) -> dict[str, Any]:
    values = trial.get("values")
    return {f"value: {name}": value for name, value in values.items()} if isinstance(values, dict) else {}


def _curve(judged: list[MetricsLine], beaten: str) -> Svg | None:
    """Return the profit over the steps, if every line says how it was measured."""
    if not judged or any(one.baseline is None for one in judged):
        return None
    every = -(-len(judged) // MOST_DRAWN)
    thin = [one for k, one in enumerate(judged) if k % every == 0 or k == len(judged) - 1]
    limit = BOUND if all(one.bound is not None for one in thin) else None
    return curves.learning([one.model_dump(exclude_none=True) for one in thin], beaten, limit, MONEY)


def _judged(summary: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the problems and policies of an evaluation, as far as they are mappings."""
    problems = summary.get("problems")
    for problem in problems if isinstance(problems, list) else []:
        policies = problem.get("policies") if isinstance(problem, dict) else None
        for one in policies if isinstance(policies, list) else []:
            if isinstance(one, dict):
                yield problem, one


def _beaten(summary: Mapping[str, Any]) -> str:
    """Return the name of the policy to beat in the evaluation."""
    names = [one.get("name") for _, one in _judged(summary) if one.get("information") != "clairvoyant"]
    return next((name[:LONGEST] for name in names if isinstance(name, str) and name != TRAINED), BEATEN)


def _worth(summary: Mapping[str, Any]) -> list[Table]:
    """Return the table of the evaluation on fresh episodes; a bound that its plan does not reach has no row."""
    rows = []
    for problem, one in _judged(summary):
        gap = _number(one.get("gap"))
        if one.get("information") == "clairvoyant" and not abs(gap) <= ATTAINED:
            continue
        profit = one.get("profit")
        ends = profit if isinstance(profit, dict) else {}
        low, high = _number(ends.get("low")), _number(ends.get("high"))
        interval = f"{_money(low)} to {_money(high)}" if math.isfinite(low) and math.isfinite(high) else NONE
        cells = (_short(one.get("name")), _short(problem.get("what")), _money(ends.get("mean")), interval)
        rows.append((*cells, share(gap, 1)))
    header = ("policy", "problem", "profit", "95% interval", "gap to bound")
    caption = f"Worth on {_short(summary.get('episodes'))} fresh episodes, which no choice was made by."
    return [Table(caption, header, tuple(rows))] if rows else []


def _lines(entry: Entry, name: str, most: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number, line in enumerate((text_in(entry, name) or "").splitlines(), 1):
        if number > most:
            raise InvalidInput("run", name, f"it has more than {most} lines", "Look at it on the machine itself.")
        data = _json(line, f"{name}, line {number}")
        if data is not None:
            found.append(data)
    return found


def _mapping(entry: Entry, name: str) -> dict[str, Any] | None:
    text = text_in(entry, name)
    return None if text is None else _json(text, name)


def _json(text: str, name: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise InvalidInput("run", name, "this is damaged: it is no mapping in JSON", "Restore the folder.")
    return data


def _name(problem: Any) -> Any:
    return problem.get("name", problem.get("place")) if isinstance(problem, dict) else problem


def _finite(value: Any) -> bool:
    return math.isfinite(_number(value))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and abs(value) < 1e300 else math.nan


def _money(value: Any) -> str:
    number = _number(value)
    return amount(number, decimals([number]))


def _short(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, float):
        return f"{value:.4g}"
    return (value if isinstance(value, str) else json.dumps(value, default=str))[:LONGEST]
