"""`restock bench`: every policy in every scenario of a suite."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from restock.cli.arguments import Trust, policy_and_parameters
from restock.cli.console import FAILED, INTERRUPTED, AsJson, Console, Halted, Quiet

SuiteName = Annotated[
    str, typer.Option("--suite", metavar="SUITE", help="A shipped suite (gym-invmgmt, smoke), or a YAML file.")
]
Policies = Annotated[
    list[str] | None,
    typer.Option(
        "--policies",
        "-p",
        metavar="POLICY",
        help="A policy as in compare (base-stock:service=0.99, my_file.py:Mine), a shipped list of policies (fast), or "
        "a YAML file with a list. May be repeated. Default: the suite's own list.",
        show_default=False,
    ),
]
Agents = Annotated[
    Path | None,
    typer.Option(
        "--agents", metavar="FILE", help="YAML file of language models to run beside the policies.", show_default=False
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        "--jobs",
        "-j",
        help="How many processes, with 1 everything runs in this one; of agents, how many episodes side by side.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FOLDER", help="Folder of the run. Default: runs/SUITE.", show_default=False),
]


def bench(
    suite: SuiteName = "gym-invmgmt",
    policies: Policies = None,
    agents: Agents = None,
    jobs: Jobs = 2,
    out: Out = None,
    trust: Trust = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Run policies, and language models, in every scenario of a suite.

    What is finished is kept: stopped at any moment, the same command goes on from there. Exit code 1
    says that some entry could not be run to the end, or decides by what it may not know.
    """
    from restock.benchmark import runner
    from restock.core.errors import Unfinished

    console = Console(as_json, quiet)
    guests = None
    if agents is not None:
        from restock.agents.models import load_models

        guests = load_models(agents)
    folder = out or Path("runs") / (Path(suite).stem if suite.endswith((".yaml", ".yml")) else suite)
    try:
        with console.progress() as tell:
            run = runner.bench(
                suite, _entries(policies), out=folder, jobs=jobs, guests=guests, progress=tell, remark=console.remark
            )
    except KeyboardInterrupt:
        go_on = f"Go on with: {_command(suite, policies, agents, jobs, folder, trust)}"
        kept = f"what is finished is kept in {folder}" if folder.exists() else "nothing was played"
        raise Halted(INTERRUPTED, f"stopped; {kept}", go_on) from None
    except Unfinished as halt:
        raise Halted(FAILED, str(halt), halt.mend) from None
    if as_json:
        console.document(
            {
                "suite": run.suite.name,
                "suite_hash": run.suite.mark,
                "run": str(run.path),
                "episodes": str(run.table),
                "done": run.done,
                "kept": run.kept,
                "again": run.again,
                "failed": run.failed,
                "caught": run.caught,
            }
        )
    else:
        tasks = f"{run.done} tasks done" + (f", {run.kept} kept from before" if run.kept else "")
        console.text(f"Suite {run.suite.name} ({run.suite.mark}): {tasks}. All episodes: {run.table}")
        for name, why in run.failed.items():
            console.text(f"Failed: {name} in {why}", style="bold red")
        for name, where in run.caught.items():
            console.text(f"Not ranked: {name} decides by what it may not know. {where}", style="bold red")
        console.text(f"See who is ahead: restock leaderboard {run.path}")
    return FAILED if run.failed or run.caught else 0


def _entries(policies: Sequence[str] | None) -> list[Any] | None:
    """Return the policies as `load_entries` takes them, parameters read."""
    if not policies:
        return None
    entries: list[Any] = []
    for text in policies:
        name, parameters = (text, {}) if text.endswith((".yaml", ".yml")) else policy_and_parameters(text)
        entries.append({"name": text, "policy": name, "params": parameters} if parameters else name)
    return entries


def _command(
    suite: str, policies: Sequence[str] | None, agents: Path | None, jobs: int, folder: Path, trust: bool
) -> str:
    """Return the command that resumes a run."""
    import shlex

    words = ["restock", "bench", "--suite", suite]
    words += [word for policy in policies or () for word in ("--policies", policy)]
    words += [] if agents is None else ["--agents", str(agents)]
    return shlex.join([*words, "--jobs", str(jobs), "--out", str(folder), *(["--trust"] if trust else [])])
