"""The runner of a suite: every policy in every scenario, resumable at any moment."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from restock.benchmark import workers
from restock.benchmark.entries import Entry, load_entries
from restock.benchmark.folder import Damaged, RunFolder
from restock.benchmark.guests import Guest, Host
from restock.benchmark.suite import Suite, load_suite
from restock.benchmark.table import write_table
from restock.benchmark.task import Plan, Task
from restock.core.errors import InvalidInput, Unfinished
from restock.core.trust import may_trust

Tell = Callable[[str, int, int], None]


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        path: Its folder.
        suite: What was run.
        done: Tasks done now.
        kept: Tasks that an earlier start had finished.
        again: Tasks done anew, because their file was damaged or their policy has changed since.
        failed: Policies that could not be run to the end, and why.
        caught: Policies that decide by what they may not know, and where that showed.
        table: The file of all episodes.
    """

    path: Path
    suite: Suite
    done: int
    kept: int
    again: int
    failed: dict[str, str]
    caught: dict[str, str]
    table: Path


@may_trust
def bench(
    suite: Any = "gym-invmgmt",
    policies: Any = None,
    *,
    out: str | Path | None = None,
    jobs: int = 1,
    guests: Host | None = None,
    progress: Tell | None = None,
    remark: Callable[[str], None] | None = None,
    trust: bool = False,
) -> Run:
    """Run policies in every scenario of a suite, or resume a run.

    Each finished task is kept at once, so stopping loses at most the episodes in flight. What a task
    gives does not depend on the number of processes nor on the order in which tasks finish.

    Args:
        suite: Name of a suite, a YAML file, a mapping, or a `Suite`.
        policies: What `load_entries` takes; default: the suite's own list. The hindsight optimum is
            always among them.
        out: The run's folder; default: `runs/` and the suite's name.
        jobs: How many processes; of guests, how many episodes side by side.
        guests: Entrants that are no policies, such as language models (`restock.agents.models`).
        progress: Called with (what, tasks done, tasks in all).
        remark: Called with sentences worth telling.
        trust: Whether code that a suite, a list of policies or the folder names may be run, see `restock.core.trust`.

    Raises:
        InvalidInput: An argument does not hold, or the folder holds another run.
        Unfinished: A result could not be written.

    Example:
        >>> import tempfile
        >>> run = bench("smoke", ["constant-order"], out=tempfile.mkdtemp())
        >>> run.done
        8
    """
    suite = load_suite(suite)
    entries = load_entries(suite.policies if policies is None else policies)
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise InvalidInput("jobs", jobs, "must be an integer >= 1", "Write for instance 2.")
    _try(entries, suite, policies is None)
    visiting = () if guests is None else tuple(guests.guests)
    names = [one.name for one in entries] + [one.name for one in visiting]
    for one in visiting:
        if names.count(one.name) > 1:
            raise InvalidInput("name", one.name, "two entries have this name", "Give each a name of its own.")
    if guests is not None:
        guests.check(suite)
    folder = RunFolder(Path("runs", suite.name) if out is None else out)
    say = remark or (lambda words: None)
    with folder.lock():
        plan = Plan.new(suite, (*entries, *visiting))
        tasks = list(plan.tasks())
        whole = folder.begin(plan)
        missing, again = _missing(folder, tasks, say)
        failed = _do(folder, missing, len(tasks), jobs, guests, progress or (lambda what, done, total: None))
        results = folder.results(whole)
        try:
            table = write_table(folder.path, whole, results, say)
        except InvalidInput as error:
            raise _no_room(folder, "the table of episodes could not be written", error) from None
    caught: dict[str, str] = {}
    for result in results:
        for finding in result["audit"] or ():
            caught.setdefault(result["policy"], f"{result['scenario']}: {finding}")
    done = sum(task.entry.name not in failed for task in missing)
    return Run(folder.path, suite, done, len(tasks) - len(missing), again, failed, caught, table)


def _try(entries: Sequence[Entry], suite: Suite, default: bool) -> None:
    """Make each policy for each kind of scenario before anything long begins: what does not hold is reported at once.

    Raises:
        InvalidInput: One cannot be made; where the suite's own list was taken, the error says how to name others.
    """
    kinds = {scenario.kind: scenario for scenario in reversed(suite.scenarios)}
    for scenario in reversed(kinds.values()):
        for entry in entries:
            try:
                entry.make(scenario.problem())
            except InvalidInput as error:
                mend = "Name others with --policies, or as `policies` of the suite. " if default else ""
                where = f"scenario {scenario.name}: policies: {entry.name}: {error.field}"
                raise InvalidInput(where, error.value, error.problem, mend + error.mend) from None


def _missing(folder: RunFolder, tasks: Sequence[Task], say: Callable[[str], None]) -> tuple[list[Task], int]:
    """Return the unfinished tasks, and the number of finished ones."""
    missing, damaged, changed = [], [], []
    for task in tasks:
        try:
            if folder.finished(task) is not None:
                continue
            if folder.holds(task):
                changed.append(task)
        except Damaged:
            damaged.append(task)
        missing.append(task)
    if damaged:
        say(f"{len(damaged)} damaged files of finished tasks: these tasks are done again.")
    for guests, what in (
        (False, "are done again"),
        (True, "are counted again, and replies in their transcripts that still fit are used"),
    ):
        names = [task.entry.name for task in changed if isinstance(task.entry, Guest) is guests]
        if names:
            say(f"Changed since they were run: {', '.join(dict.fromkeys(names))}. Their {len(names)} tasks {what}.")
    return missing, len(damaged) + len(changed)


def _do(
    folder: RunFolder, missing: Sequence[Task], total: int, jobs: int, guests: Host | None, progress: Tell
) -> dict[str, str]:
    """Do tasks and keep each as it finishes; return the failed entries, with the reason of each's first failure."""
    failed: dict[str, tuple[int, str]] = {}
    place = {id(task): k for k, task in enumerate(missing)}  # tasks do not finish in their order
    done = total - len(missing)
    progress("", done, total)
    own = [task for task in missing if not isinstance(task.entry, Guest)]
    with ExitStack() as stack:
        arriving = [stack.enter_context(closing(workers.answers(own, jobs, failed)))]
        if guests is not None and len(own) < len(missing):
            theirs = [task for task in missing if isinstance(task.entry, Guest)]
            told = guests.answers(theirs, folder.path, jobs, lambda what: progress(what, done, total))
            arriving.append(stack.enter_context(closing(told)))
        for task, reply in itertools.chain(*arriving):
            done += 1
            if "failed" in reply:
                why = place[id(task)], f"{task.scenario.name}: {reply['failed']}"
                failed[task.entry.name] = min(why, failed.get(task.entry.name, why))
                continue
            try:
                folder.save(task, reply["result"])
            except InvalidInput as error:
                raise _no_room(folder, "a result could not be kept", error) from None
            progress(f"{task.entry.name}, {task.scenario.name}", done, total)
    return {name: why for name, (_, why) in sorted(failed.items(), key=lambda item: item[1])}


def _no_room(folder: RunFolder, what: str, error: InvalidInput) -> Unfinished:
    free = shutil.disk_usage(folder.path).free // 2**20
    mend = "What was finished before is kept: make room, and start the same command again."
    return Unfinished(f"{what}: {error.problem} ({free} MB are free)", mend)
