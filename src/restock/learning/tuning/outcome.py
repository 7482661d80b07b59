"""The result of a hyper-parameter search: the best trial, its profit, and what mattered."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from restock.core.trust import may_trust
from restock.evaluation.stats import Estimate, estimate
from restock.learning import presets
from restock.learning.describe import described
from restock.learning.stable import Stable
from restock.learning.tuning.folder import TuningFolder
from restock.learning.tuning.plan import Plan
from restock.learning.tuning.study import Trial
from restock.policies.registry import yardsticks


@dataclasses.dataclass(frozen=True)
class Tuning:
    """The result of a search so far.

    Attributes:
        path: Its folder.
        plan: What is searched.
        trials: All that have begun.
        best: The best whole one; None where there is none.
        importance: Of each name, 1 in all; None with too few whole trials.
        lines: Held-out profit of the policy to beat (`baseline`) and of the `bound`.
        fresh: Mean profit of the best on paths that nothing was chosen by.
        preset: The trial of the preset; None while it is not whole.
        gain: What the best earns more than that on fresh paths, paired; None where the preset is the best.
    """

    path: Path
    plan: Plan
    trials: tuple[Trial, ...]
    best: Trial | None
    importance: Mapping[str, float] | None
    lines: Mapping[str, float]
    fresh: Estimate | None
    preset: Trial | None
    gain: Estimate | None

    def line_names(self) -> dict[str, str | None]:
        """Return the names of the policies behind the lines."""
        return dict(zip(("baseline", "bound"), yardsticks(described(self.plan.base["problem"]).family), strict=True))

    @property
    def worth(self) -> str:
        """What the rewards of an episode add up to: profit, or a reward that is not money."""
        return described(self.plan.base["problem"]).wording.worth

    def count(self, *states: str) -> int:
        """Return how many trials are in one of the states."""
        return sum(trial.state in states for trial in self.trials)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "problem": self.plan.problem,
            "algo": self.plan.algo,
            "seed": self.plan.seed,
            "folder": str(self.path),
            "space": {name: str(one) for name, one in self.plan.space.items()},
            "trials": {state: self.count(state) for state in ("complete", "pruned", "failed", "interrupted")},
            "best": None if self.best is None else self.best.to_dict(),
            "preset": None if self.preset is None else self.preset.to_dict(),
            "fresh": None if self.fresh is None else dataclasses.asdict(self.fresh),
            "gain": None if self.gain is None else dataclasses.asdict(self.gain),
            **self.lines,
            "importance": self.importance,
            "seconds": sum(trial.seconds for trial in self.trials),
            "policy": str(self.path / "best"),
            "preset_file": str(self.path / "best.yml"),
        }

    def command(self, problem: str = "") -> str:
        """Return the command that trains with the best hyper-parameters, as the trial did.

        Args:
            problem: What names the problem on the command line, where its name does not.
        """
        words = (
            f"restock train {problem or self.plan.problem} --algo {self.plan.algo} --preset {self.path / 'best.yml'}"
        )
        if self.plan.seed:
            words += f" --seed {self.plan.seed}"
        if self.plan.base["regimes"] is not None:
            words += f" --generalist {self.plan.base['regimes']['kind']}"
        if self.plan.algo in presets.ALGORITHMS:  # RL-Zoo has no word for these
            usual = {name: field.default for name, field in Stable.model_fields.items()}
            for name in ("evaluate_every", "held_out", "cpu_seconds"):
                value = self.plan.base["training"][name]
                words += f" --set {name}={value}" if value != usual[name] else ""
        return words


@may_trust
def read_tuning(path: str | Path, *, trust: bool = False) -> Tuning:
    """Return the result of a search, from its folder.

    Args:
        path: The folder.
        trust: Whether code that the folder names may be run, see `restock.core.trust`.

    Raises:
        InvalidInput: There is none, it is damaged, or it names code and is not trusted.
    """
    folder = TuningFolder(path)
    plan, trials = folder.plan(), tuple(folder.trials())
    best, first = best_of(trials), plan.first()
    preset = next((trial for trial in trials if trial.state == "complete" and trial.values == first), None)
    fresh = gain = None
    profits = np.array([] if best is None else folder.fresh(best.number))
    if len(profits):
        fresh = estimate(profits)
    if best is not None and preset is not None and best.number != preset.number:
        before = np.array(folder.fresh(preset.number))
        gain = estimate(profits - before) if len(before) == len(profits) > 0 else None
    return Tuning(folder.path, plan, trials, best, folder.importance(), folder.lines(), fresh, preset, gain)


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """Return the best complete trial; of equal ones, the first."""
    whole = [trial for trial in trials if trial.state == "complete" and math.isfinite(trial.value)]
    return max(whole, key=lambda trial: (trial.value, -trial.number), default=None)
