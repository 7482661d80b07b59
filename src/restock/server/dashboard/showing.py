"""A show as facts for its page, and as a file for other programs."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Mapping
from typing import Any

from restock.agents.counts import Counts
from restock.report.numbers import amount, at_least, price
from restock.server.dashboard.contests import Game, Show
from restock.server.dashboard.exchanges import Said, spent, told_of
from restock.server.dashboard.fields import plain
from restock.server.dashboard.look import SAID_ELSEWHERE
from restock.server.dashboard.turns import Episode, Turn
from restock.server.dashboard.worst import worst

MOST_COLUMNS = 500  # of one field; a longer one is JSON in one column
Facts = list[tuple[str, str]]


def replies(show: Show, turn: Turn) -> list[Said]:
    """Return every reply of a turn and its outcome."""
    return told_of(turn.exchanges, turn.error, show.problem, show.chooses)


def facts(show: Show, counts: Counts | None) -> Facts:
    """Return the counts in words, without zeros other than those that readers always ask about."""
    if counts is None:
        return []
    told = spent(counts, show.prices)
    found = [
        ("tokens read", at_least(amount(counts.tokens_in), counts.uncounted)),
        ("tokens written", at_least(amount(counts.tokens_out), counts.uncounted)),
        ("seconds", amount(counts.seconds, 1 if counts.seconds >= 0.95 or not counts.seconds else 3)),
        ("price", "not known" if told["cost"] is None else f"{price(told['cost'], counts.uncounted)} money"),
        ("replies", amount(counts.replies)),
        ("requests", amount(counts.requests)),
    ]
    rest = {
        "tokens_reasoning": "of reasoning",
        "tokens_cached": "kept by the endpoint",
        "uncounted": "replies whose tokens the endpoint did not count",
        "retries": "asked again",
        "unreadable": "unreadable",
        "rejected": "rejected",
        "fallbacks": "decided without it",
        "suggestions": "policies asked",
    }
    found += [(words, amount(told[name])) for name, words in rest.items() if told.get(name)]
    named = ", ".join(f"{plain(name)} {amount(value)}" for name, value in sorted(counts.repairs.items()))
    return [*found, *([("repaired", named)] if named else [])]


def of_game(game: Game) -> Show:
    """Return a game so far as a show; while it is played, without what would tell what is to come."""
    over = game.table.over
    found = Show(game.task, f"game on {game.task}, seed {game.seed}")
    found.episodes, found.problem = (game.table.graded() if over else game.episode,), game.problem
    found.measures = game.measures if over else game.measures.known()
    return found


def player(show: Show, episode: Episode) -> str:
    """Return what to call who plays an episode."""
    return show.title.partition(" on ")[0] if show.recorded or not episode.turns else episode.turns[0].by


def abreast(show: Show, b: int, t: int) -> list[dict[str, Any]]:
    """Return what each decided and earned in period t of episode b: who plays, the policy to beat, and the plan.

    Nothing where there is nobody beside the one who plays.
    """
    measures, episode = show.measures, show.episodes[b]
    if show.problem is None or measures is None or not 1 <= t <= len(episode.turns):
        return []
    tracks, records, own = measures.tracks, show.problem.records(), player(show, episode)
    mine = {track.name: track.of(episode)[t - 1] for track in tracks}
    rival = {track.name: float(track.rival[b, t - 1]) for track in tracks}
    plan = {track.name: float(track.best[b, t - 1]) for track in tracks if track.best is not None}
    others = [(measures.rival, measures.rival_decisions, rival)] if measures.rival != own else []
    if plan and tracks[-1].carried_out(b):
        others.append(("hindsight", measures.plan_decisions, plan))
    found = [{"name": own, "action": episode.turns[t - 1].action, "earned": mine}]
    for name, decisions, earned in others:
        if decisions is not None and name != own:
            action = records.action(decisions[b, t - 1]).model_dump(mode="json")
            found.append({"name": name, "action": action, "earned": earned})
    return found if len(found) > 1 else []


def document(show: Show) -> dict[str, Any]:
    """Return the whole show as plain data."""
    return {
        "title": show.title,
        "task": show.task,
        "recorded": show.recorded,
        "knows": show.informed,
        "remarks": list(show.remarks),
        "rival": None if show.measures is None else show.measures.rival,
        "counts": [] if show.problem is None else [dataclasses.asdict(one) for one in show.problem.records().counted()],
        "episodes": [_episode(show, b) for b in range(len(show.episodes))],
    }


def rows(show: Show) -> list[dict[str, Any]]:
    """Return one row per turn."""
    found = []
    for b, episode in enumerate(document(show)["episodes"]):
        for turn in episode["turns"]:
            counted = turn["spent"] or {}
            row = {"episode": b + 1, "seed": episode["seed"]}
            row |= {name: turn[name] for name in ("period", "by", "action", "reward", "total", "rival", "plan")}
            row |= {f"part: {name}": value for name, value in turn["parts"].items()}
            row |= {"faults": "; ".join(turn["faults"]), "error": turn["error"]}
            row |= {name: value for name, value in counted.items() if name != "faults"}
            row |= {name: value for name, value in _columns(turn["after"]).items() if name not in row}
            found.append(row | {"reply": turn["reply"]})
    return found


def _columns(seen: Mapping[str, Any], under: str = "") -> dict[str, Any]:
    """Return what is seen after a period (stock, demand, arrivals and the like) as columns, a list as JSON."""
    found: dict[str, Any] = {}
    for field, value in seen.items():
        if not under and (field in SAID_ELSEWHERE or (field == "profit" and isinstance(value, Mapping))):
            continue
        name = f"{under}{field}"
        if isinstance(value, Mapping) and len(value) <= MOST_COLUMNS:
            found |= _columns(value, f"{name}: ")
        else:
            found[name] = json.dumps(value) if isinstance(value, (Mapping, list, tuple)) else value
    return found


def _episode(show: Show, b: int) -> dict[str, Any]:
    episode, measures = show.episodes[b], show.measures
    reward = None if measures is None else measures.tracks[0]
    last = None if measures is None else measures.tracks[-1]
    found = worst(measures, b, episode)
    totals = itertools.accumulate(episode.rewards)
    turns = [
        {
            "period": t + 1,
            "seen": turn.seen,
            "by": turn.by,
            "action": turn.action,
            "after": turn.after,
            "reward": turn.reward,
            "parts": dict(turn.parts),
            "total": total,
            "rival": None if reward is None else float(reward.rival[b, t]),
            "plan": float(last.best[b, t])
            if last is not None and last.best is not None and last.carried_out(b)
            else None,
            "abreast": abreast(show, b, t + 1),
            "faults": list(turn.faults),
            "reply": turn.reply,
            "error": turn.error,
            "spent": None if turn.counts is None else spent(turn.counts, show.prices),
            "replies": [
                {**one.exchange.to_dict(), "try": one.attempt, "repairs": list(one.repairs), "wrong": one.wrong or None}
                for one in replies(show, turn)
            ],
        }
        for t, (turn, total) in enumerate(zip(episode.turns, totals, strict=True))
    ]
    return {
        "seed": episode.seed,
        "total": sum(episode.rewards),
        "bound": None if last is None or last.bound is None else float(last.bound[b]),
        "bound_proven": bool(last is not None and last.proven),
        "grade": episode.grade,
        "spent": None if episode.counts is None else spent(episode.counts, show.prices),
        "worst": None if found is None else dataclasses.asdict(found),
        "turns": turns,
        "end": episode.turns[-1].after if episode.turns else episode.first,
    }
