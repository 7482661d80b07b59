"""`restock tune`: a search for the hyper-parameters with which an algorithm trains the best policy."""

from __future__ import annotations

import math
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restock.cli.arguments import ProblemName, Trust
from restock.cli.console import INTERRUPTED, AsJson, Console, Halted, Quiet, table
from restock.cli.problem_changes import ProblemChanges, with_options
from restock.cli.train import Generalist, read_settings

if TYPE_CHECKING:
    from restock.learning.tuning.outcome import Tuning
    from restock.learning.tuning.tune import Progress

Algo = Annotated[
    str | None,
    typer.Option(
        "--algo",
        help="ppo, a2c, sac, td3, dqn, tqc, recurrent-ppo, maskable-ppo, or for a network pathwise. Default: pathwise "
        "for a network, else ppo.",
        show_default=False,
    ),
]
Trials = Annotated[
    int, typer.Option("--trials", "-n", help="Trials there are to be in the end, those of earlier calls included.")
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", help="Trials at a time, each in a process of its own.")]
Steps = Annotated[
    int | None,
    typer.Option("--steps", help="Steps of every training: of pathwise gradient steps, else of the environment."),
]
Search = Annotated[
    list[str] | None,
    typer.Option(
        "--search",
        metavar="NAME=RANGE",
        help="Search this too, or in this range: gamma=0.9..1.0, learning_rate=log:1e-5..1e-3, "
        "network.hidden=[[64,64],[128,128]]; repeatable. @FILE.yml replaces the usual space.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A number that is settled, and not searched; repeatable."),
]
Preset = Annotated[
    Path | None,
    typer.Option(
        "--preset", metavar="FILE", help="Begin with these numbers, not the shipped preset.", show_default=False
    ),
]
Startup = Annotated[int, typer.Option("--startup", help="Trials drawn at random before the sampler learns from them.")]
Pruning = Annotated[bool, typer.Option("--prune/--no-prune", help="End trials that lag behind.")]
Seed = Annotated[int, typer.Option("--seed", help="Of the search and of every training.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FOLDER", help="Folder of the search. Default: runs/tune-PROBLEM-ALGO-SEED."),
]


@with_options
def tune(
    name: ProblemName,
    algo: Algo = None,
    trials: Trials = 50,
    jobs: Jobs = 1,
    steps: Steps = None,
    out: Out = None,
    search: Search = None,
    settings: Settings = None,
    preset: Preset = None,
    startup: Startup = 10,
    prune: Pruning = True,
    generalist: Generalist = None,
    *,
    changes: ProblemChanges,
    seed: Seed = 0,
    trust: Trust = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Search for the hyper-parameters with which an algorithm trains the best policy.

    The folder then holds best.yml (restock train --preset), the best policy, every trial and a report.
    Stopped at any moment, the same command goes on.
    """
    from restock.learning.run_folder import free_name
    from restock.learning.train import usual
    from restock.learning.tuning import tune as learning
    from restock.learning.tuning.outcome import read_tuning
    from restock.report.tuning import write_tuning_report

    console = Console(as_json, quiet)
    problem = changes.problem(name)
    algo = usual(problem) if algo is None else algo
    folder = out or Path("runs") / f"tune-{free_name(problem.name, algo, seed)}"
    numbers, network = read_settings(settings, steps)
    regimes = None if generalist is None else {"kind": generalist}
    command, asked = _command(), shlex.join([name, *changes.words()])
    console.remark(f"Tuning {algo} for {problem.name}: {trials} trials, {jobs} at a time, in {folder}.")
    try:
        with console.progress() as bar:
            found = learning.tune(
                problem, folder, algo, trials, jobs, seed, search or (), network, regimes, preset,
                startup, prune, _teller(console), lambda done, total: bar("evaluations", done, total), **numbers,
            )  # fmt: skip
    except KeyboardInterrupt:
        if (folder / "tuning.yaml").is_file():
            write_tuning_report(read_tuning(folder), command=command, problem=asked)
        words = f"stopped; the trials that have ended are kept in {folder}"
        raise Halted(INTERRUPTED, words, "The same command resumes it") from None
    page = write_tuning_report(found, command=command, problem=asked)
    if as_json:
        console.document({**found.to_dict(), "report": str(page)})
    else:
        _show(console, found, page, asked)


def _command() -> str:
    """Return the command as it was typed."""
    return shlex.join(["restock", *sys.argv[1:]])


def _teller(console: Console) -> Any:
    """Return the callback that prints one line per trial on stderr."""

    def tell(progress: Progress) -> None:
        trial, best = progress.trial, progress.best
        state = trial.state
        if state == "pruned":
            state += f" at {100 * max(trial.evaluations, default=0) / progress.evaluations:.0f}%"
        value = "" if math.isnan(trial.value) else f"{trial.value:.2f}"
        so_far = "" if best is None else f"  best {best.value:.2f} by {best.number}"
        left = f"{_duration(progress.seconds_left)} left" if progress.ended < progress.trials else "done"
        console.remark(
            f"trial {trial.number:>3}  {state:<13}  {value:>9}{so_far}  {_duration(trial.seconds)}  "
            f"{progress.ended}/{progress.trials}  {left}"
        )
        if trial.problem:
            console.remark(f"           {trial.problem}")

    return tell


def _duration(seconds: float) -> str:
    if seconds < 120.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 7200.0 else f"{seconds / 3600.0:.1f} h"


def _show(console: Console, found: Tuning, page: Path, asked: str) -> None:
    from restock.report.numbers import share
    from restock.report.tuning import answer

    for sentence in answer(found):
        console.text(sentence)
    if found.best is not None:
        console.text()
        shown = table("number", "searched", "best", "importance", numbers=(3,), words=(1, 2))
        for name in found.importance or found.plan.space:
            weight = share(found.importance[name]) if found.importance else ""
            value = found.best.values[name]
            words = f"{value:.4g}" if isinstance(value, float) else str(value)
            shown.add_row(name, str(found.plan.space[name]), words, weight)
        console.table(shown)
        console.text(f"Train with it: {found.command(asked)}")
        console.text(f"Use the policy: restock simulate {asked} {found.path / 'best'}")
    console.text(f"Report: {page}")
