"""`restock train`: a policy trained through the simulator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restock.cli.arguments import Trust, read_setting
from restock.cli.console import INTERRUPTED, AsJson, Console, Halted, Quiet
from restock.cli.problem_changes import ProblemChanges, with_options
from restock.core.errors import InvalidInput

if TYPE_CHECKING:
    from restock.learning.pathwise import Report

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="PROBLEM",
        help="A shipped instance (serial), an environment id (restock/Serial-v0) or a YAML file.",
        show_default=False,
    ),
]
Algo = Annotated[
    str | None,
    typer.Option(
        "--algo",
        help="Any problem: ppo, a2c, sac, td3, dqn, tqc, recurrent-ppo or maskable-ppo; a network also: pathwise, bc "
        "or dagger. Default: pathwise for a network, else ppo.",
        show_default=False,
    ),
]
Steps = Annotated[
    int | None,
    typer.Option("--steps", help="Steps of training: of pathwise gradient steps, else of the environment."),
]
Seed = Annotated[int, typer.Option("--seed", help="The same seed makes the same run.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FOLDER", help="Folder of the run. Default: runs/PROBLEM-ALGO-SEED."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A number of the algorithm (steps=1000) or of the network (network.hidden=[64,64]); repeatable.",
    ),
]
Preset = Annotated[
    Path | None,
    typer.Option(
        "--preset",
        metavar="FILE",
        help="Numbers to begin with, in the YAML of RL-Zoo: best.yml of restock tune, for instance.",
        show_default=False,
    ),
]
Generalist = Annotated[
    str | None,
    typer.Option(
        "--generalist",
        metavar="KIND",
        help="Train one blind policy for many demands: effects (all combinations) or family (a broad family).",
        show_default=False,
    ),
]
Resume = Annotated[
    Path | None,
    typer.Option("--resume", metavar="FOLDER", help="Go on with a run that was stopped.", show_default=False),
]


@with_options
def train(
    name: Name = None,
    algo: Algo = None,
    steps: Steps = None,
    out: Out = None,
    settings: Settings = None,
    preset: Preset = None,
    generalist: Generalist = None,
    *,
    changes: ProblemChanges,
    seed: Seed = 0,
    resume: Resume = None,
    trust: Trust = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train a policy; its run folder is its name.

    Stopped at any moment, the same command (or --resume FOLDER) goes on from the last evaluation and
    ends as one run would have. The folder is then the policy's name: restock simulate PROBLEM FOLDER.
    """
    from restock.learning import train as learning
    from restock.learning.describe import described
    from restock.learning.run_folder import RunFolder, free_name

    console = Console(as_json, quiet)
    if resume is not None:
        others = (settings, preset, generalist, changes.demand, changes.fields, steps, out)
        if name is not None or any(others):
            given = "the run in the folder says already what it is"
            raise InvalidInput("--resume", str(resume), given, f"Run: restock train --resume {resume}")
        folder = resume
    elif name is None:
        raise InvalidInput("PROBLEM", None, "nothing was named to train for", "Run: restock train serial")
    else:
        problem = changes.problem(name)
        algo = learning.usual(problem) if algo is None else algo
        folder = out or Path("runs") / free_name(problem.name, algo, seed)
    try:
        if resume is not None:
            config = RunFolder(folder).config()
            problem = described(config["problem"])
            result = learning.resume(folder, _teller(console, str(config["algo"]), problem.family))
        else:
            numbers, network = read_settings(settings, steps)
            regimes = None if generalist is None else {"kind": generalist}
            tell = _teller(console, str(algo), problem.family)
            result = learning.train(problem, folder, algo, seed, network, regimes, tell, preset, **numbers)
        page = _report(console, folder)
    except KeyboardInterrupt:
        go_on = f"Go on with: restock train --resume {folder}"
        raise Halted(INTERRUPTED, f"stopped; what was learnt is kept in {folder}", go_on) from None
    if as_json:
        console.document(result | {"run": str(folder), "report": str(page)})
        return
    _show(console, result, folder, problem.family, name or result["problem"])
    console.text(f"Curves, pictures and how it does on fresh episodes: {page}")


def read_settings(settings: Sequence[str] | None, steps: int | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Parse the hyper-parameters, and those of the network (which begin with `network.`).

    Args:
        settings: KEY=VALUE each.
        steps: The number `steps`, which has an option of its own.

    Raises:
        InvalidInput: One is not KEY=VALUE, or is given twice.
    """
    numbers: dict[str, Any] = {}
    network: dict[str, Any] = {}
    for setting in settings or ():
        key, value = read_setting("--set", setting, "steps=1000")
        target, key = (network, key[8:]) if key.startswith("network.") else (numbers, key)
        if key in target:
            raise InvalidInput("--set", setting, "this is given twice", "Give it once.")
        target[key] = value
    if steps is not None:
        if "steps" in numbers:
            raise InvalidInput("--steps", steps, "this is given twice", "Give it once.")
        numbers["steps"] = steps
    return numbers, network


def _report(console: Console, folder: Path) -> Path:
    """Return the report of a finished run, an existing or a new one, after episodes that no choice was based on."""
    page = folder / "report.html"
    if page.is_file():
        return page
    from restock.learning.evaluation import evaluate
    from restock.report.training import write_training_report

    with console.progress() as tell:
        return write_training_report(evaluate(folder, progress=tell))


def _teller(console: Console, algo: str, family: str) -> Any:
    """Return the callback that prints one line per evaluation on stderr; only `pathwise` has restarts."""
    from restock.policies.registry import yardsticks

    baseline, bound = yardsticks(family)
    from restock.learning import events

    if not events.installed():
        console.remark("No events for TensorBoard are written: pip install 'restock[train]' brings the package.")

    def tell(report: Report, gaps: dict[str, float]) -> None:
        restart = f"restart {report.restart + 1}  " if algo == "pathwise" else ""
        apart = "".join(
            f"  {100 * abs(value):.1f}% {high if value >= 0.0 else low}"
            for name, high, low in (
                ("above_baseline", f"above {baseline}", f"below {baseline}"),
                ("below_bound", f"below {bound}", f"above {bound}"),
            )
            if (value := gaps.get(name)) is not None
        )
        speed = report.steps_per_second
        console.remark(
            f"{restart}step {report.step:>5}  profit {report.profit:10.2f}{apart}  "
            f"{f'{speed:,.0f}' if speed >= 100.0 else f'{speed:.1f}'} steps/s  {_left(report.seconds_left)}"
        )

    return tell


def _left(seconds: float) -> str:
    """Return the remaining time in words."""
    if seconds <= 0.0:
        return "done"
    return f"{seconds:.0f} s left" if seconds < 120.0 else f"{seconds / 60.0:.0f} min left"


def _show(console: Console, result: dict[str, Any], folder: Path, family: str, name: str) -> None:
    from restock.policies.registry import yardsticks

    console.text(
        f"Trained for {result['problem']} ({result['algo']}, {result['information']}): {result['restarts']} restarts, "
        f"{result['parameters']} weights, {result['cpu_seconds']:.0f} s of one processor."
    )
    whole = f", with whole orders {result['profit_integer']:.2f}" if "profit_integer" in result else ""
    lines = ", ".join(
        f"{name} {result[key]:.2f}"
        for key, name in zip(("baseline", "bound"), yardsticks(family), strict=True)
        if key in result
    )
    console.text(f"Mean profit of an episode on held-out paths: {result['profit']:.2f}{whole}; {lines}.")
    console.text(f"Use it: restock simulate {name} {folder}")
