"""The trials of a search, in Optuna's journal: which to try next, which to prune, and their results.

One process at a time has the journal (see `folder`), so a trial that is still running when it is opened was
stopped with that process. It counts as interrupted, and is repeated with the same values. The sampler is
made anew for every trial, from the seed and how many there were, so that a search that was stopped tries what it
would have tried (with one job; of several, which one ends first is chance).

The sampler is the tree-structured Parzen estimator over all values together. Of the pruners, the median one:
trials are compared at the same share of their training, and one whose best so far is below the median of those
before ends. Hyperband divides trials into brackets that do not learn from each other, which pays with hundreds
of trials; here there are some tens, of some twenty evaluations each.
"""

from __future__ import annotations

import dataclasses
import json
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from restock.core.errors import InvalidInput, require_extra
from restock.learning.tuning.plan import Plan

NAME = "tuning"
QUIET_SHARE = 0.25  # of a training, in which nothing is pruned
OFTEN = 2  # so often a trial's process may vanish before the trial counts as failed
ENOUGH = 5  # whole trials, below which importance says nothing
TOP = 0.25  # share of the trials that importance asks about
ENDED = ("complete", "pruned", "failed")


@dataclasses.dataclass(frozen=True)
class Trial:
    """The state of a trial.

    Attributes:
        number: From 0.
        state: `complete`, `pruned` (ended as it lagged behind), `failed` (its training broke),
            `interrupted` (stopped from outside, and repeated later), `running`, or `waiting`.
        values: By name.
        value: Held-out profit of its best network; NaN where there is none.
        seconds: It took.
        evaluations: Best profit so far by number of evaluation.
        fresh: Mean profit on paths that nothing was chosen by; NaN where there is none.
        problem: Why it failed.
    """

    number: int
    state: str
    values: Mapping[str, Any]
    value: float
    seconds: float
    evaluations: Mapping[int, float]
    fresh: float
    problem: str

    @property
    def ended(self) -> bool:
        """Whether it counts."""
        return self.state in ENDED

    def to_dict(self) -> dict[str, Any]:
        """Return one line of `trials.jsonl`."""
        found: dict[str, Any] = {"number": self.number, "state": self.state, "value": _told(self.value)}
        found |= {"fresh": _told(self.fresh), "seconds": round(self.seconds, 3), "values": dict(self.values)}
        found["evaluations"] = {str(step): value for step, value in self.evaluations.items()}
        return found | ({"problem": self.problem} if self.problem else {})


class Study:
    """The trials of a plan.

    Args:
        path: The journal; made where it is not there.
        plan: What is searched.
        several: Whether trials run beside each other.

    Raises:
        InvalidInput: Optuna is missing, or the journal is damaged.
    """

    def __init__(self, path: Path, plan: Plan, several: bool = False) -> None:
        optuna = require_extra("optuna", "train", "tuning")
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

        self.plan, self._several = plan, several
        self._optuna = optuna
        self._under_way: dict[int, Any] = {}  # trials that this process began
        self._distributions = {name: one.distribution() for name, one in plan.space.items()}
        _mend(path)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            with _quiet():
                self._study = optuna.create_study(
                    study_name=NAME,
                    direction="maximize",
                    storage=JournalStorage(JournalFileBackend(str(path), JournalFileOpenLock(str(path)))),
                    pruner=self._pruner(),
                    load_if_exists=True,
                )
                for trial in self._study.get_trials(deepcopy=False):
                    if trial.state == optuna.trial.TrialState.RUNNING:
                        self.interrupt(trial.number)
        except (ValueError, KeyError) as error:
            raise InvalidInput("tuning", str(path), f"this file is damaged: {error}", "Start another search.") from None

    # trials -----------------------------------------------------------------------------------------

    def begin(self) -> tuple[int, dict[str, Any], int | None]:
        """Return the next trial: its number, its values, and the number of the interrupted one that it repeats."""
        state = self._optuna.trial.TrialState
        trials = self._study.get_trials(deepcopy=False)
        if all(trial.state != state.WAITING for trial in trials):
            turn = sum("repeats" not in trial.user_attrs for trial in trials)
            if turn == 0:
                self._enqueue(self.plan.first(), {})
        else:  # the sampler is not asked
            turn = 0
        self._study.sampler = self._sampler(turn)
        with _quiet():
            trial = self._study.ask(self._distributions)
        self._under_way[trial.number] = trial
        repeats = trial.user_attrs.get("repeats")
        return trial.number, self._meant(trial.params), None if repeats is None else int(repeats)

    def report(self, number: int, place: int, best: float) -> bool:
        """Record an evaluation of a trial.

        Args:
            number: Of the trial.
            place: Of the evaluation.
            best: Best profit so far.

        Returns:
            Whether the trial should end here.
        """
        if not math.isfinite(best):
            return False
        trial = self._under_way[number]
        with _quiet():
            trial.report(best, place)
            return bool(self.plan.pruning and trial.should_prune())

    def complete(self, number: int, value: float, fresh: float, seconds: float) -> None:
        """Record that a trial is complete."""
        self._note(number, fresh=fresh, seconds=seconds)
        self._study.tell(number, value)

    def prune(self, number: int, seconds: float) -> None:
        """Record that a trial was pruned."""
        self._note(number, seconds=seconds)
        self._study.tell(number, state=self._optuna.trial.TrialState.PRUNED)

    def fail(self, number: int, problem: str, seconds: float) -> None:
        """Record that the training of a trial failed: it would fail again, so it counts."""
        self._note(number, seconds=seconds, problem=problem)
        # As pruned, since the sampler learns from those and not from failed ones.
        self._study.tell(number, state=self._optuna.trial.TrialState.PRUNED)

    def interrupt(self, number: int, vanished: bool = False) -> None:
        """Record that a trial was interrupted; it is repeated, unless its process vanished too often.

        Args:
            number: Of the trial.
            vanished: Whether its process did so by itself.
        """
        trial = self._study.get_trials(deepcopy=False)[number]
        often = int(trial.user_attrs.get("vanished", 0)) + vanished
        if often > OFTEN:
            self.fail(number, f"its process vanished {often} times (not enough memory?)", 0.0)
            return
        repeated = {one.user_attrs.get("repeats") for one in self._study.get_trials(deepcopy=False)}
        if number not in repeated:
            self._enqueue(self._meant(trial.params), {"repeats": number, "vanished": often})
        self._study.tell(number, state=self._optuna.trial.TrialState.FAIL)

    def trials(self) -> list[Trial]:
        """Return all trials by number."""
        return [self._trial(trial) for trial in self._study.get_trials(deepcopy=False)]

    def importance(self) -> dict[str, float] | None:
        """Return how much each name matters to being in the best quarter, 1 in all; None with too few complete trials.

        By PED-ANOVA (Watanabe, Bansal, Hutter 2023, arXiv:2304.10255), which needs no regression.
        """
        from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

        whole = [trial for trial in self.trials() if trial.state == "complete"]
        if len(whole) < ENOUGH or len({trial.value for trial in whole}) < 2:
            return None
        with _quiet():
            found = get_param_importances(self._study, evaluator=PedAnovaImportanceEvaluator(target_quantile=TOP))
        return {name: float(found.get(name, 0.0)) for name in sorted(self.plan.space, key=lambda n: -found.get(n, 0.0))}

    # Optuna -----------------------------------------------------------------------------------------

    def _sampler(self, turn: int) -> Any:
        seed = (self.plan.seed * 1_000_003 + turn) % (1 << 32)
        with _quiet():
            return self._optuna.samplers.TPESampler(
                n_startup_trials=self.plan.startup, multivariate=True, constant_liar=self._several, seed=seed
            )

    def _pruner(self) -> Any:
        half = max(1, self.plan.startup // 2)
        quiet = int(QUIET_SHARE * self.plan.evaluations)
        return self._optuna.pruners.MedianPruner(n_startup_trials=half, n_warmup_steps=quiet)

    def _enqueue(self, values: Mapping[str, Any], attributes: Mapping[str, Any]) -> None:
        stored = {name: self.plan.space[name].stored(value) for name, value in values.items()}
        self._study.enqueue_trial(stored, user_attrs=dict(attributes))

    def _note(self, number: int, **attributes: Any) -> None:
        for name, value in attributes.items():
            self._under_way[number].set_user_attr(name, value)

    def _meant(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.plan.space[name].meant(stored[name]) for name in self.plan.space if name in stored}

    def _trial(self, trial: Any) -> Trial:
        about, state = trial.user_attrs, trial.state.name.lower()
        if about.get("problem"):
            state = "failed"
        evaluations = {int(step): float(value) for step, value in sorted(trial.intermediate_values.items())}
        value = trial.value if trial.value is not None else max(evaluations.values(), default=math.nan)
        return Trial(
            trial.number,
            "interrupted" if state == "fail" else state,
            self._meant(trial.params),
            float(value),
            float(about.get("seconds", 0.0)),
            evaluations,
            float(about.get("fresh", math.nan)),
            str(about.get("problem", "")),
        )


def trial_of(line: Mapping[str, Any]) -> Trial:
    """Return the trial of a line of `trials.jsonl`."""
    return Trial(
        line["number"],
        line["state"],
        line["values"],
        _number(line["value"]),
        line["seconds"],
        {int(step): value for step, value in line["evaluations"].items()},
        _number(line["fresh"]),
        line.get("problem", ""),
    )


def _mend(path: Path) -> None:
    """Remove what a killed process left: half a line at the end, and the lock of a write."""
    path.with_name(path.name + ".lock").unlink(missing_ok=True)
    if not path.is_file():
        return
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with path.open("r+b") as file:
            file.truncate(whole)
    for line in data[:whole].splitlines():
        try:
            json.loads(line)
        except ValueError:
            raise InvalidInput("tuning", str(path), "this file is damaged", "Start another search.") from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Optuna's remarks that something is experimental or reported already."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _told(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
