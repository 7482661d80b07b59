"""Judgement of an agent: its transcript compared with policies on the same episodes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from restock.agents.run import problem_of
from restock.agents.transcript import Transcript, read
from restock.core.errors import InvalidInput
from restock.core.play import Episodes
from restock.core.problem import Array, Problem
from restock.core.trust import may_trust
from restock.evaluation.compare import Comparison, compare
from restock.evaluation.family import Family
from restock.evaluation.grading import Grade, graded
from restock.evaluation.stats import alone, degrees_of, without_rounding
from restock.policies._base import Information, Policy, View
from restock.policies.registry import list_policies, make_policy
from restock.problems.manifest import manifest_of

TOLD = ("replies", "tokens_in", "tokens_out", "tokens_reasoning", "tokens_cached", "uncounted")  # counts of an episode

EPISODES = {"described": "another problem", "seed": "another seed", "episodes": "another number of them"}


class Again(Policy):
    """A policy that repeats recorded decisions in the episodes they were made in.

    Args:
        problem: What was played.
        decisions: In physical units, shape (B, T, A); those of the episodes that it will meet, in their order.
        information: What was known.
    """

    name: ClassVar[str] = "again"
    summary: ClassVar[str] = "decisions that were taken before"
    may_know: ClassVar[tuple[Information, ...]] = ("blind", "informed", "clairvoyant")

    def __init__(self, problem: Problem, decisions: Array, information: Information | None = None) -> None:
        super().__init__(problem, information)
        self.decisions = decisions

    def begin(self, episodes: int, seed: int, chance: Episodes | None) -> None:
        """Check that the number of episodes is the same.

        Raises:
            InvalidInput: It was played with others.
        """
        if episodes != len(self.decisions):
            has = f"there are decisions for {len(self.decisions)} episodes"
            raise InvalidInput("episodes", episodes, has, "Compare on those that were played.")

    def act(self, view: View) -> Array:
        """Return the recorded decisions, shape (B, A)."""
        return self.decisions[:, view.t]


class Recorded(Again):
    """A policy that repeats the decisions of a transcript in its episodes.

    Args:
        problem: What was played.
        transcript: Of a finished run.
    """

    name: ClassVar[str] = "recorded"
    summary: ClassVar[str] = "the decisions of a transcript"
    may_know: ClassVar[tuple[Information, ...]] = ("blind", "informed")

    def __init__(self, problem: Problem, transcript: Transcript) -> None:
        records, run = problem.records(), transcript.run
        width = len(problem.labels()[problem.decision])
        decisions = np.zeros((run["episodes"], problem.horizon, width))
        for line in transcript.of("turn"):
            at = line["episode"], line["period"]
            decisions[at] = np.ravel(records.decision(line["action"]))
        super().__init__(problem, decisions, run["settings"]["information"])


@dataclasses.dataclass(frozen=True)
class Judgement:
    """Agents and policies compared on common episodes.

    Attributes:
        comparison: All of them, best first, each difference to the best.
        agents: The transcripts by the names they have in it.
        grades: Of each agent's episodes, where the problem is a store.
        reference: The usual rule of the problem, where it is among the policies.
    """

    comparison: Comparison
    agents: Mapping[str, Transcript]
    grades: Mapping[str, tuple[Grade, ...]]
    reference: str | None

    def differences(self, agent: str) -> dict[str, dict[str, float | None]]:
        """Return the profit of an agent less that of every other in the same episode: mean, 95% interval, adjusted p.

        The agent is named beforehand, so the intervals and p-values hold for all differences to it together.
        """
        own = self.comparison.row(agent).simulation.profit
        others = [row for row in self.comparison.rows if row.name != agent]
        apart = [without_rounding(own - row.simulation.profit, np.maximum(1.0, np.abs(own))) for row in others]
        family = Family(len(others) + 1, max(degrees_of(len(own)), 1), named=True)
        found: dict[str, dict[str, float | None]] = {}
        for row, values in zip(others, apart, strict=True):
            difference, p = family.judge(values)
            if self.comparison.identical:
                difference, p = alone(difference.mean), math.nan
            told = {**dataclasses.asdict(difference), "p": p}
            found[row.name] = {name: value if np.isfinite(value) else None for name, value in told.items()}
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain data, for JSON."""
        agents = []
        for name, transcript in self.agents.items():
            result, row = transcript.lines[-1], self.comparison.row(name)
            agents.append(
                {
                    "name": name,
                    "model": transcript.run["model"],
                    "mode": transcript.run["settings"]["mode"]["kind"],
                    "transcript": None if transcript.path is None else str(transcript.path),
                    "mean": result["mean"],
                    "returns": result["returns"],
                    "gap": row.gap,
                    "gap_interval": None if row.gap_interval is None else dataclasses.asdict(row.gap_interval),
                    "differences": self.differences(name),
                    "grades": [one.to_dict() for one in self.grades.get(name, ())],
                    "counts": result["counts"],
                    **cut_off(transcript),
                    "cost": result["cost"],
                    "episodes": episodes_of(transcript),
                    "seconds": result["seconds"],
                }
            )
        return {"agents": agents, "reference": self.reference, **self.comparison.to_dict()}


@may_trust
def judge(
    transcripts: Sequence[Transcript | str | Path],
    beside: Sequence[str] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    *,
    trust: bool = False,
) -> Judgement:
    """Compare agents with policies on the episodes that the agents played.

    The decisions of a transcript are played again, in the simulator that the policies run in, and must bring the
    rewards that it says.

    Args:
        transcripts: Of finished runs on the same problem and seeds; files, or what `run_agent` returns.
        beside: Names of policies; None for the usual rule of the problem, and the hindsight optimum where there is
            one.
        progress: As for `compare`.
        trust: Whether code that a transcript names may be run, see `restock.core.trust`.

    Raises:
        InvalidInput: One is not finished, they are of different episodes, one does not bring what it says, or a file
            names code and is not trusted.

    Example:
        >>> from restock.agents.run import run_agent
        >>> judged = judge([run_agent("serial", "stand-in:base-stock", episodes=2, seed=42)])
        >>> judged.differences("stand-in:base-stock")["base-stock"]["mean"]
        0.0
    """
    read_in = [one if isinstance(one, Transcript) else open_finished(one) for one in transcripts]
    if not read_in:
        raise InvalidInput("transcripts", [], "there is nothing to judge", "Name a transcript.")
    first = read_in[0].run
    problem = problem_of(first)
    agents = _named(read_in)
    seeds = _seeds(read_in[0])
    for name, transcript in agents.items():
        run, where = transcript.run, name if transcript.path is None else str(transcript.path)
        for field, apart in EPISODES.items():
            if run[field] != first[field]:
                problem_words = f"it is of other episodes than the first one ({apart})"
                mend = "Compare runs on one problem, by the same seeds."
                raise InvalidInput("transcript", where, problem_words, mend)
        if _seeds(transcript) != seeds:
            problem_words = "its episodes have other seeds than those of the first one"
            raise InvalidInput("transcript", where, problem_words, "Compare runs of one version.")
    said = manifest_of(problem.family)
    reference = said.rule
    if beside is None:
        beside = [name for name in (reference, said.bound) if name is not None]
    policies: dict[str, Policy] = {name: Recorded(problem, transcript) for name, transcript in agents.items()}
    for name in beside:
        policies.setdefault(name, make_policy(name, problem))
    comparison = compare(
        problem, policies, seed=first["seed"], seeds=seeds, bound=said.bound in beside, progress=progress
    )
    grades = {}
    for name, transcript in agents.items():
        simulation = comparison.row(name).simulation
        check_rewards(transcript, simulation.trajectory.rewards)
        if said.grade is not None:
            met = zip(simulation.kpis["earned"], simulation.trajectory.exogenous["demand"], strict=True)
            found = [graded(problem, {"earned": float(money)}, {"demand": demand}) for money, demand in met]
            grades[name] = tuple(one for one in found if one is not None)
    return Judgement(comparison, agents, grades, reference if reference in policies else None)


def open_finished(path: str | Path) -> Transcript:
    """Return the transcript of a finished run.

    Raises:
        InvalidInput: It is none, or not finished.
    """
    lines, _, _ = read(Path(path))
    found = Transcript(Path(path), lines)
    if not found.finished:
        mend = "Finish it first: restock agent resumes it with --resume."
        raise InvalidInput("transcript", str(path), "this run is not finished", mend)
    return found


def cut_off(transcript: Transcript) -> dict[str, int]:
    """Return how many replies were cut off, how many of them before the limit asked for, and of how many that is open.

    A reply of fewer tokens than were asked for at most ended at a limit of the endpoint.
    """
    cut = [line for line in transcript.of("reply") if line.get("finish") == "length"]
    limit = transcript.run["request"].get("max_tokens")
    counted = [line for line in cut if line["counted"] and line["tokens_out"]]
    early = sum(limit is None or line["tokens_out"] < limit for line in counted)
    return {"cut": len(cut), "cut_early": early, "cut_uncounted": len(cut) - len(counted)}


def episodes_of(transcript: Transcript) -> list[dict[str, Any]]:
    """Return the result of each episode: return, score for a store, replies, tokens, money, seconds."""
    return [
        {
            "episode": line["episode"],
            "seed": line["seed"],
            "return": line["total"],
            "score": None if line["grade"] is None else line["grade"]["score"],
            **{name: line["counts"][name] for name in TOLD},
            "cost": line["cost"],
            "seconds": line["seconds"],
        }
        for line in transcript.of("end")
    ]


def _named(transcripts: Sequence[Transcript]) -> dict[str, Transcript]:
    """Name the transcripts by model, and by mode and number where models are equal; no policy may have such a name."""
    found: dict[str, Transcript] = {}
    for transcript in transcripts:
        name, mode = str(transcript.run["model"]), transcript.run["settings"]["mode"]["kind"]
        name = name if mode == "alone" else f"{name} ({mode})"
        name = f"{name} (agent)" if name in list_policies() else name
        known, number = name, 2
        while name in found:
            name, number = f"{known} #{number}", number + 1
        found[name] = transcript
    return found


def _seeds(transcript: Transcript) -> list[int]:
    """Return the seed of each episode."""
    return [int(line["seed"]) for line in transcript.of("episode")]


def check_rewards(transcript: Transcript, rewards: Array) -> None:
    """Check that the decisions lead to the rewards that the transcript records."""
    said = np.zeros_like(rewards)
    for line in transcript.of("turn"):
        said[line["episode"], line["period"]] = line["reward"]
    if not np.array_equal(said, rewards):
        b, t = (int(k) for k in np.argwhere(said != rewards)[0])
        problem = f"in period {t} of episode {b} its decision brings {rewards[b, t]:g}, not {said[b, t]:g}"
        raise InvalidInput("transcript", str(transcript.path), problem, "It belongs to another version.")
