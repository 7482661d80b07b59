"""Evaluation of a trained policy on fresh episodes, beside a policy to beat and a bound.

The held-out paths of a run have chosen its best network, so they flatter it. These episodes are others.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from restock.core.checks import whole_number
from restock.core.errors import InvalidInput
from restock.core.holding import refuse_links
from restock.core.plain import plain
from restock.core.problem import Array
from restock.core.sheets import write_rows
from restock.core.streams import check_seed, episode_seeds
from restock.core.trust import may_trust
from restock.core.validation import validated
from restock.core.writing import write_whole
from restock.evaluation.compare import Comparison, compare
from restock.evaluation.provenance import versions
from restock.evaluation.shares import mean_of_ratios
from restock.evaluation.stats import Estimate
from restock.learning import metrics
from restock.learning.config import Regimes
from restock.learning.describe import described
from restock.learning.held_out import knowing
from restock.learning.run_folder import BEST, RunFolder
from restock.learning.snapshots import inventory
from restock.learning.trained import policy_at
from restock.policies._base import Information
from restock.policies.registry import yardsticks
from restock.problems.network import NetworkProblem

FRESH = "evaluation"  # stream of its own: neither training nor the choice of the best network meets these episodes
MOST = 200  # episodes, unless it is told
TRAINED = "trained"
COLUMNS = ("period", "location", "on_hand", "missed")


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """A trained policy on the same episodes as the policy to beat, and the bound where there is one.

    Attributes:
        run: Its folder.
        config: What the run is.
        comparisons: One for each problem: of a policy for one demand its own; of a generalist those
            that it was judged on.
        names: What each problem is, in a few words.
        seed: What the episodes are drawn from, in a stream of their own; `seeds` has that of each.
    """

    run: RunFolder
    config: Mapping[str, Any]
    comparisons: tuple[Comparison, ...]
    names: tuple[str, ...]
    seed: int

    @property
    def baseline(self) -> str:
        """Name of the policy to beat."""
        return yardsticks(self.comparisons[0].problem.family)[0]

    @property
    def bound(self) -> str | None:
        """Name of the policy that nobody beats; None where there is none."""
        return yardsticks(self.comparisons[0].problem.family)[1]

    @property
    def policies(self) -> tuple[str, ...]:
        """Names of all that played."""
        return (TRAINED, self.baseline, *([self.bound] if self.bound else []))

    @property
    def episodes(self) -> int:
        """Episodes in all."""
        return sum(comparison.episodes for comparison in self.comparisons)

    def profit(self, policy: str) -> Array:
        """Return the profit of each episode under a policy, by its name, problems one after the other."""
        return np.concatenate([comparison.row(policy).simulation.profit for comparison in self.comparisons])

    def seeds(self) -> list[int]:
        """What each episode was drawn from: `reset(seed=...)` of an environment begins it."""
        return [seed for comparison in self.comparisons for seed in comparison.seeds]

    @property
    def costs(self) -> bool:
        """Whether on some problem nothing can be earned, so that the bound is a cost and there is no share of it."""
        return any(c.bound is not None and c.bound.mean <= 0.0 for c in self.comparisons)

    def ratios(self, policy: str) -> list[float]:
        """Return the share of the bound on each problem; none without a bound, and where the bound is a cost."""
        if self.bound is None or self.costs:
            return []
        return [float(profit.sum() / limit.sum()) for profit, limit in self._beside(policy)]

    def ratio(self, policy: str) -> Estimate | None:
        """Return the mean of `ratios`, and its interval; None where there are none."""
        ratios = self.ratios(policy)
        return mean_of_ratios(ratios, self._strays(policy), self._proven) if ratios else None

    def gaps(self, policy: str) -> list[float]:
        """Return the gap to the bound on each problem, as a share of it (see `gap_estimate`); none without a bound."""
        if self.bound is None:
            return []
        return [gap if (gap := c.row(policy).gap) is not None else math.nan for c in self.comparisons]

    def gap(self, policy: str) -> Estimate | None:
        """Return the mean of `gaps`, and its interval; None without a bound."""
        gaps = self.gaps(policy)
        if not gaps:
            return None
        found = mean_of_ratios([-gap for gap in gaps], self._strays(policy), False)
        low = max(-found.high, min(0.0, -found.mean)) if self._proven else -found.high
        return Estimate(-found.mean, low, -found.low)

    @property
    def _proven(self) -> bool:
        return all(comparison.bound_proven for comparison in self.comparisons)

    def _beside(self, policy: str) -> list[tuple[Array, Array]]:
        """Return the profit and bound of each episode, problem by problem."""
        assert self.bound is not None
        return [
            (c.row(policy).simulation.profit, c.row(self.bound).simulation.limit) for c in self.comparisons
        ]  # fmt: skip

    def _strays(self, policy: str) -> list[Array]:
        """Return how each episode strays from the ratio of its problem; NaN where all episodes are the same."""
        found = []
        for (profit, limit), comparison in zip(self._beside(policy), self.comparisons, strict=True):
            apart: Array = (profit - profit.sum() / limit.sum() * limit) / abs(limit.mean())
            found.append(np.full_like(apart, math.nan) if comparison.identical else apart)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the evaluation as plain data, for JSON."""
        return {
            "run": str(self.run.path),
            "algo": self.config["algo"],
            "information": self.config["information"],
            "episodes": self.episodes,
            "seed": self.seed,
            "of_bound": {
                name: dataclasses.asdict(ratio)
                for name in (TRAINED, self.baseline)
                if (ratio := self.ratio(name)) is not None
            },
            "gap": {
                name: dataclasses.asdict(gap)
                for name in (TRAINED, self.baseline)
                if (gap := self.gap(name)) is not None
            },
            "problems": [
                {"what": name, **comparison.to_dict()}
                for name, comparison in zip(self.names, self.comparisons, strict=True)
            ],
            "versions": versions(),
        }


@may_trust
def evaluate(
    run: str | Path,
    episodes: int | None = None,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
    *,
    trust: bool = False,
) -> Evaluation:
    """Play the policy of a run, and keep its episodes in the folder.

    Args:
        run: The folder of a run; it need not be finished, what is played is the best network so far.
        episodes: How many in all; of a generalist at least two of each problem. Default: as many as the
            run has held-out paths, at most `MOST`.
        seed: Of the episodes; no other command meets the same, whatever its seed.
        progress: Called with (policy, steps done, steps in all).
        trust: Whether code that the folder names may be run, see `restock.core.trust`.

    Raises:
        InvalidInput: There is no run in the folder, it is damaged, it has not been evaluated yet, it names code and is
            not trusted, or a link in it leads out of it.
    """
    folder = RunFolder(run)
    config = folder.config()
    refuse_links(folder.path, "run")
    if not folder.has(BEST):
        mend = f"Go on with the training: restock train --resume {folder.path}."
        raise InvalidInput("run", str(folder.path), "it was stopped before its first evaluation", mend)
    if episodes is None:
        episodes = min(int(config["training"].get("held_out", MOST)), MOST)
    whole_number("episodes", episodes, example=100)
    problems, names = judged(config)
    each = max(2, -(-episodes // len(problems)))
    first = check_seed(seed)
    level: Information = config["information"]
    comparisons = []
    for k, problem in enumerate(problems):
        chosen = {
            TRAINED: policy_at(str(folder.path))(problem),
            (name := yardsticks(problem.family)[0]): knowing(name, problem, level),
        }
        tell = None if progress is None else _share(progress, k, len(problems))
        seeds = episode_seeds(first, each, f"{FRESH}, problem {k}")
        comparisons.append(compare(problem, chosen, seed=first, seeds=seeds, progress=tell))
    found = Evaluation(folder, config, tuple(comparisons), tuple(names), first)
    _keep(found)
    return found


def judged(config: Mapping[str, Any]) -> tuple[list[Any], list[str]]:
    """Return the problems that a run's policy is for, and what each of them is.

    Raises:
        InvalidInput: The configuration does not hold.
    """
    problem: Any = described(config["problem"])
    if config.get("regimes") is None:
        return [problem], [problem.name]
    from restock.learning.regimes import chance_of

    regimes = validated(Regimes, config["regimes"], "regimes")
    problems = chance_of(problem, regimes)[1]
    return problems, [_told(one, k, regimes.kind) for k, one in enumerate(problems)]


def _told(problem: NetworkProblem, number: int, kind: str) -> str:
    """Return the description of a generalist's problem."""
    demand = problem.spec.demand
    if kind == "effects":
        words = [name for name in type(demand.effects).model_fields if getattr(demand.effects, name) is not None]
    else:
        words = [f"member {number + 1}"]
    words += ["goodwill"] if demand.goodwill is not None else []
    return ", ".join([*words, "backlog" if problem.spec.backlog else "lost sales"])


def _share(progress: Callable[[str, int, int], None], k: int, count: int) -> Callable[[str, int, int], None]:
    """Return the progress on the k-th problem as progress on all of them."""
    return lambda what, done, total: progress(what, k * total + done, count * total)


def _keep(found: Evaluation) -> None:
    """Write every episode, and the summary."""
    folder = found.run.path / "evaluation"
    which = [name for name, c in zip(found.names, found.comparisons, strict=True) for _ in range(c.episodes)]
    columns = [found.profit(name).tolist() for name in found.policies]
    header = ("problem", "seed", *(name.replace("-", "_") for name in found.policies))
    write_rows(folder / "episodes.csv", header, zip(which, found.seeds(), *columns, strict=True))
    first = found.comparisons[0]
    played = first.row(TRAINED).simulation.trajectory.episode(0)
    write_rows(folder / "inventory.csv", COLUMNS, inventory(first.problem, played))
    kept = (
        (shot.evaluation, shot.step, *row)
        for shot in found.run.snapshots()
        for row in inventory(first.problem, shot.fields)
    )
    write_rows(folder / "snapshots.csv", ("evaluation", "step", *COLUMNS), kept)
    metrics.to_csv(found.run.path / "metrics.csv", found.run.metrics())
    summary = found.to_dict() | {"run": found.run.name}  # the folder may be moved
    text = json.dumps(plain(summary, without=("seconds",)), indent=2, ensure_ascii=False) + "\n"
    write_whole(folder / "summary.json", lambda path: path.write_text(text, encoding="utf-8"))
