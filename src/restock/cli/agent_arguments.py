"""The arguments of `restock agent`: problems, transcripts, seeds, policies to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from restock.cli.arguments import read_seeds
from restock.core.errors import InvalidInput

if TYPE_CHECKING:
    from restock.agents.transcript import Transcript
    from restock.core.problem import Problem


def problems(named: Sequence[str], changes: Mapping[str, Any]) -> list[Problem]:
    """Return the named problems; a family stands for all of its instances.

    Raises:
        InvalidInput: There is no such problem, or one is named twice.
    """
    from restock.problems.load import families, load_problem, shelf_of, shipped

    names = [
        one
        for name in named
        for one in (shelf_of(name).names() if name in families() and name not in shipped() else [name])
    ]
    problems = [load_problem(name, **changes) for name in names]
    for k, problem in enumerate(problems):
        if problem.name in [other.name for other in problems[:k]]:
            raise InvalidInput("--env", problem.name, "this problem is named twice", "Name each problem once.")
    return problems


def places(problems: Sequence[str], model: str, seed: int, out: Path | None) -> tuple[list[Path], Path | None]:
    """Return the paths of the transcripts and their common folder.

    Raises:
        InvalidInput: There are other transcripts in the folder, or a file is in its place.
    """
    from restock.agents.run import file_name, free_path

    if len(problems) == 1:
        place = out or free_path(problems[0], model, seed)
        return [place], place
    folder = out or Path("runs") / file_name(f"agent-{model}-{seed}")
    if folder.exists() and not folder.is_dir():
        mend = "Name a folder for the transcripts of these problems."
        raise InvalidInput("--out", str(folder), "must be a folder, and is a file", mend)
    if any(folder.glob("*.jsonl")):
        mend = f"Resume them with --resume {folder} instead of --env, or name another folder with --out."
        raise InvalidInput("--out", str(folder), "there are transcripts in this folder", mend)
    return [folder / f"{file_name(name)}.jsonl" for name in problems], folder


def transcripts(named: Sequence[Path], option: str = "--resume") -> list[Path]:
    """Return the named transcripts, those of a folder one by one.

    Args:
        named: Files and folders.
        option: Which names them.

    Raises:
        InvalidInput: There are none in a folder.
    """
    found: list[Path] = []
    for path in named:
        here = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        if not here:
            raise InvalidInput(option, str(path), "there is no transcript in this folder", "Name another one.")
        found += here
    return found


def seeds(problem: Problem, given: str | None, training: bool, seed: int, episodes: int) -> Sequence[int] | None:
    """Return the seeds of a problem's episodes if they do not follow from that of the run.

    Raises:
        InvalidInput: What is given is no list of seeds, or the problem has no seed of its own.
    """
    from restock.agents.run import TRAINING
    from restock.core.checks import whole_number
    from restock.core.streams import check_seed, episode_seeds

    if training:
        if given is not None:
            raise InvalidInput("--training", True, "must not be given with --seeds", "Give one of them.")
        return episode_seeds(check_seed(seed), whole_number("episodes", episodes, example=3), TRAINING)
    if given != "own":
        return read_seeds(given)
    own = getattr(getattr(problem, "spec", None), "seed", None)
    if own is None:
        mend = "Write seeds: --seeds 42-51."
        raise InvalidInput("--seeds", given, f"{problem.name} has no seed of its own", mend)
    return [own]


def drawn(run: Mapping[str, Any]) -> str:
    """Return in words where the episodes of a run come from."""
    from restock.agents.run import TRAINING
    from restock.core.streams import episode_seeds

    if "seeds" not in run:
        return f"seed {run['seed']}"
    training = list(run["seeds"]) == list(episode_seeds(run["seed"], run["episodes"], TRAINING))
    return f"training episodes of seed {run['seed']}" if training else "seeds of your own"


def known_policies(problem: Problem, names: Sequence[str] | None) -> None:
    """Make the policies to compare with before anything long begins, so that a misspelt name is reported at once."""
    from restock.policies.registry import make_policy

    for name in names or ():
        make_policy(name, problem)


def grouped(
    others: Sequence[Transcript], problems: Sequence[str], folders: Sequence[Path] = ()
) -> list[list[Transcript]]:
    """Return transcripts to compare with, by their problem; with one problem, all named ones must be of it.

    Args:
        others: The transcripts.
        problems: What is played.
        folders: Those that were named for what is in them: other problems there are left aside.

    Raises:
        InvalidInput: One is of none of the problems, or a folder has none of them.
    """
    mend = f"These are played: {', '.join(problems)}."
    fitting = [one for one in others if one.run["problem"] in problems]
    for folder in folders:
        if not any(one.path is not None and one.path.parent == folder for one in fitting):
            raise InvalidInput("--with", str(folder), "there is no transcript of these problems in this folder", mend)
    alone = [one for one in others if one.path is None or one.path.parent not in folders]
    if len(problems) == 1:
        return [[one for one in others if one in fitting or one in alone]]
    for one in alone:
        if one not in fitting:
            raise InvalidInput("--with", str(one.path), f"{one.run['problem']} is none of these problems", mend)
    return [[one for one in fitting if one.run["problem"] == name] for name in problems]


def names(policies: list[str] | None) -> tuple[str, ...]:
    """Return names given one by one or separated by commas."""
    return tuple(name.strip() for given in policies or () for name in given.split(",") if name.strip())


def beside(given: str | None) -> list[str] | None:
    """Return the names of policies to compare with; None means the usual ones."""
    return None if given is None else [] if given == "none" else list(names([given]))
