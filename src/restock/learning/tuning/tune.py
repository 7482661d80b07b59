"""Search for the hyper-parameters with which an algorithm trains the best policy: `tune`."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from restock.core.checks import whole_number
from restock.core.errors import InvalidInput, require_extra
from restock.core.trust import may_trust
from restock.core.workers import Pool, Worker
from restock.learning import presets
from restock.learning.describe import described
from restock.learning.run_folder import RunFolder
from restock.learning.train import require_torch
from restock.learning.tuning.folder import TuningFolder
from restock.learning.tuning.outcome import Tuning, best_of, read_tuning
from restock.learning.tuning.plan import Plan, make_plan
from restock.learning.tuning.study import Study, Trial

FRESH_EACH = 4  # fresh paths for every held-out one
HOPELESS = 3  # so many trials that all failed end the search
MOST_JOBS = 256


@dataclasses.dataclass(frozen=True)
class Progress:
    """The state of a search when a trial has ended.

    Attributes:
        trial: The one.
        evaluations: That a whole trial has.
        best: The best whole one so far.
        ended: How many have.
        trials: How many there are to be.
        seconds_left: Estimate of the rest.
    """

    trial: Trial
    evaluations: int
    best: Trial | None
    ended: int
    trials: int
    seconds_left: float


@may_trust
def tune(
    problem: Any,
    out: str | Path,
    algo: str = "pathwise",
    trials: int = 50,
    jobs: int = 1,
    seed: int = 0,
    search: Sequence[str] | Mapping[str, Any] = (),
    architecture: Mapping[str, Any] | None = None,
    regimes: Mapping[str, Any] | None = None,
    preset: presets.Given | None = None,
    startup: int = 10,
    pruning: bool = True,
    tell: Callable[[Progress], None] | None = None,
    watch: Callable[[int, int], None] | None = None,
    *,
    trust: bool = False,
    **numbers: Any,
) -> Tuning:
    """Search for the hyper-parameters with which an algorithm trains the best policy.

    The first trial is the preset. A trial is worth the held-out profit of its best network; every trial has the
    same held-out paths, the same steps and the same seed. What there is in the folder of the same search is gone on
    from; stopped at any moment, the same call goes on, and repeats the trials that were under way.

    Args:
        problem: A network problem, or anything `load_problem` takes.
        out: The folder of the search.
        algo: One of `spaces.ALGORITHMS`.
        trials: How many there are to be in the folder in the end, pruned and failed ones included.
        jobs: How many train at a time, each in a process of its own.
        seed: Of the search and of every training; with one job the same seed makes the same trials.
        search: What is searched, see `spaces.space_of`; default: the usual space of the algorithm.
        architecture: Of the network, not searched.
        regimes: Of a generalist, see `train`.
        preset: File that the search begins with, instead of the shipped preset.
        startup: Trials drawn at random before the sampler learns from them; half of them are whole before one is
            pruned.
        pruning: Whether trials that lag behind are ended.
        tell: Called when a trial has ended.
        watch: Called after every evaluation, with how many there were and will be, those of ended trials included.
        trust: Whether code that a preset, a space or the folder names may be run, see `restock.core.trust`.
        **numbers: Of the algorithm, not searched.

    Raises:
        InvalidInput: An argument does not hold, a package is missing, the folder holds something else or is in use,
            or every trial fails.
    """
    require_torch()
    require_extra("optuna", "train", "tuning")
    whole_number("trials", trials, 1, 50)
    if whole_number("jobs", jobs, 1, 2) > MOST_JOBS:
        raise InvalidInput("jobs", jobs, f"must be at most {MOST_JOBS}", "Write the number of processors.")
    plan = make_plan(
        problem, algo, seed, search, architecture or {}, regimes, preset, startup, pruning, numbers
    )  # fmt: skip
    folder = TuningFolder(out)
    with folder.held_by(plan):
        work = _Search(plan, folder, Study(folder.journal, plan, jobs > 1), trials, jobs, tell, watch)
        try:
            work.run()
        finally:
            work.write()
        return read_tuning(folder.path)


WORKER = "restock.learning.tuning.worker"


class _Search:
    """A search in this process."""

    def __init__(
        self,
        plan: Plan,
        folder: TuningFolder,
        study: Study,
        trials: int,
        jobs: int,
        tell: Callable[[Progress], None] | None,
        watch: Callable[[int, int], None] | None,
    ) -> None:
        self.plan, self.folder, self.study = plan, folder, study
        self.wanted, self.jobs, self.tell, self.watch = trials, jobs, tell, watch
        self.fresh = FRESH_EACH * int(plan.base["training"]["held_out"])
        self.running: dict[Worker, tuple[int, float, int]] = {}  # number, when it began, last evaluation

    def run(self) -> None:
        """Run trials until there are enough."""
        for trial in self.study.trials():
            if trial.ended:  # in case the last process was killed before it tidied up
                self.folder.lighten(trial.number)
        pool = Pool(WORKER, self.folder.log)
        try:
            while True:
                ended = sum(trial.ended for trial in self.study.trials())
                while ended + len(self.running) < self.wanted and len(self.running) < self.jobs:
                    if not self._start(pool):
                        ended += 1
                if not self.running:
                    return
                worker, said = pool.next()
                if self._hear(worker, said) and said is not None:
                    pool.free(worker)
        finally:
            pool.close()

    def _start(self, pool: Pool) -> bool:
        """Start a trial, and return whether that was possible."""
        number, values, repeats = self.study.begin()
        try:
            config = self.plan.config(values)
        except InvalidInput as error:  # each value can be had, but not all of them together
            self.study.fail(number, str(error), 0.0)
            self._told(number)
            return False
        self.folder.take_over(number, repeats)
        worker = pool.start({"run": str(self.folder.run(number)), "config": config, "fresh": self.fresh})
        self.running[worker] = number, time.perf_counter(), 0
        return True

    def _hear(self, worker: Worker, said: Any) -> bool:
        """Handle a message of a worker, and return whether its trial is over."""
        number, began, last = self.running[worker]
        if said is not None and "step" in said:
            place = self.plan.place(int(said["restart"]), int(said["step"]))
            lags = place > last and self.study.report(number, place, float(said["best"]))
            self.running[worker] = number, began, max(place, last)
            worker.say(not lags)
            self._watched()
            return False
        if said is not None and "halted" in said:
            mend = "Correct that; the same command resumes the search."
            raise InvalidInput("--out", str(self.folder.path), f"nothing can be written ({said['halted']})", mend)
        del self.running[worker]
        seconds = time.perf_counter() - began
        if said is None:
            self.study.interrupt(number, vanished=True)
        elif "complete" in said:
            value = float(said["complete"]["value"])
            best = best_of(self.study.trials())
            if best is None or value > best.value:
                self._better(number)
            self.study.complete(number, value, float(said["complete"]["fresh"]), seconds)
        elif "pruned" in said:
            self.study.prune(number, seconds)
        else:
            self.study.fail(number, str(said["failed"]), seconds)
        self._told(number)
        return True

    def _watched(self) -> None:
        if self.watch is not None:
            whole = self.plan.evaluations
            ended = sum(trial.ended for trial in self.study.trials())
            done = ended * whole + sum(min(last, whole) for _, _, last in self.running.values())
            self.watch(done, self.wanted * whole)

    def _better(self, number: int) -> None:
        """Keep the run and the hyper-parameters of the best trial so far."""
        self.folder.keep_best(number)
        config = RunFolder(self.folder.best).config()
        about = [
            f"Numbers of {self.plan.algo} for {self.plan.problem}: the best of restock tune so far, trial {number}.",
            f"restock train PROBLEM --algo {self.plan.algo} --preset best.yml",
        ]
        self.folder.write("best.yml", presets.written(config, described(config["problem"]), about))

    def _told(self, number: int) -> None:
        """Clean up after a trial, and report it."""
        trials = self.study.trials()
        trial = trials[number]
        if not trial.ended:
            return
        self.folder.lighten(number)
        self.folder.write_trials(trials)
        ended = [one for one in trials if one.ended]
        if self.tell is not None:
            left = max(self.wanted - len(ended), 0)
            each = sum(one.seconds for one in ended) / len(ended)
            seconds = each * left / min(self.jobs, max(left, 1))
            progress = Progress(trial, self.plan.evaluations, best_of(trials), len(ended), self.wanted, seconds)
            self.tell(progress)
        if len(ended) == HOPELESS and all(one.state == "failed" for one in ended):
            mend = "Settle it with --set, or search elsewhere with --search."
            raise InvalidInput("training", trial.values, f"the first {HOPELESS} trials failed: {trial.problem}", mend)

    def write(self) -> None:
        """Write the state of the search."""
        self.folder.write_trials(self.study.trials())
        self.folder.write("importance.json", json.dumps(self.study.importance(), indent=2) + "\n")
