"""Training of a policy, new or resumed: `restock.learning.train.train` and `resume`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from restock.core.errors import InvalidInput, nearest, require_extra
from restock.core.problem import Problem
from restock.core.streams import check_seed
from restock.core.trust import may_trust
from restock.core.validation import plain, validated
from restock.learning import imitation, presets, run_folder
from restock.learning.config import Architecture, Pathwise, Regimes
from restock.learning.describe import described, description
from restock.learning.family import learning_of
from restock.learning.run_folder import FORMAT
from restock.learning.threads import one_thread
from restock.policies.registry import policy_class
from restock.problems.load import load_problem

if TYPE_CHECKING:
    from restock.learning.pathwise import Report

ALGORITHMS = ("pathwise", *imitation.ALGORITHMS, *presets.ALGORITHMS)
MOST_SEED = 1 << 20


@may_trust
def train(
    problem: Any,
    out: str | Path,
    algo: str | None = None,
    seed: int = 0,
    architecture: Mapping[str, Any] | None = None,
    regimes: Mapping[str, Any] | None = None,
    tell: Callable[[Report, dict[str, float]], None] | None = None,
    preset: presets.Given | None = None,
    *,
    trust: bool = False,
    **numbers: Any,
) -> dict[str, Any]:
    """Train a policy and keep it in a folder; if the same run is there already, resume it.

    Args:
        problem: A problem, or anything `load_problem` takes.
        out: The folder of the run.
        algo: Of a network `pathwise` (the default there), `bc` or `dagger` (see `imitation`); of any problem one
            of stable-baselines3 and sb3-contrib (`ppo`, the default elsewhere, `dqn`, ...; see `presets`).
        seed: What the run is drawn from: the same seed makes the same run.
        architecture: The network, see `Architecture`; of the other algorithms, keywords of their network.
        regimes: Train a blind generalist for these, see `Regimes`; without, a policy for the
            problem's own demand, which learns its mean curve (`informed`).
        tell: Called after each evaluation, with what it found and the gaps to base-stock and hindsight.
        preset: A file of numbers in the form of `hyperparams/*.yml`, or an entry of one; other arguments go before it.
        trust: Whether code that the preset names may be run, see `restock.core.trust`.
        **numbers: Of the algorithm, see `Pathwise` and `Imitation`; of the others, see `stable.configuration`.

    Returns:
        What the run came to, as `result.json` in the folder says it.

    Raises:
        InvalidInput: An argument does not hold, torch is missing, or the folder holds another run.
    """
    config = configuration(problem, algo, seed, architecture or {}, regimes, numbers, preset)
    return run(run_folder.RunFolder(out), config, tell)


def usual(problem: Problem) -> str:
    """Return the default algorithm of a problem."""
    return learning_of(problem).algorithm


def configuration(
    problem: Any,
    algo: str | None,
    seed: int,
    architecture: Mapping[str, Any],
    regimes: Mapping[str, Any] | None,
    numbers: Mapping[str, Any],
    preset: presets.Given | None = None,
) -> dict[str, Any]:
    """Return the whole configuration of a run, as in `config.yaml` of its folder; arguments as those of `train`.

    Raises:
        InvalidInput: An argument does not hold, or a package is missing.
    """
    problem = load_problem(problem)
    learning = learning_of(problem)
    algo = usual(problem) if algo is None else algo
    if algo not in ALGORITHMS:
        raise InvalidInput("algo", algo, "there is no such algorithm", nearest(algo, ALGORITHMS))
    if check_seed(seed) >= MOST_SEED:
        raise InvalidInput("seed", seed, f"of a training run this is below {MOST_SEED}", "Write a smaller one.")
    if not learning.tensors and algo not in presets.ALGORITHMS:
        problem_with = f"it learns through the tensors of a supply network, which {problem.name} has not"
        raise InvalidInput("algo", algo, problem_with, f"Use {', '.join(presets.ALGORITHMS)}.")
    if not learning.tensors and regimes is not None:
        mend = "Leave it out."
        raise InvalidInput("regimes", regimes, "a generalist is trained for demands of a supply network", mend)
    which = None if regimes is None else validated(Regimes, regimes, "regimes")
    blind = which is not None
    if isinstance(preset, (str, Path)):  # what is wrong with the file alone is told with its name
        try:
            _own(problem, algo, {}, {}, blind, preset)
        except InvalidInput as error:
            raise (error if str(preset) in f"{error.field} {error.value}" else error.within(f"{preset}:")) from None
    config = {
        "format": FORMAT,
        "algo": algo,
        "seed": int(seed),
        "information": learning.information if which is None else "blind",
        **_own(problem, algo, architecture, numbers, blind, preset),
        "regimes": None if which is None else which.model_dump(),
        "problem": description(problem),
    }
    found: dict[str, Any] = plain(config)
    return found


def _own(
    problem: Problem,
    algo: str,
    architecture: Mapping[str, Any],
    numbers: Mapping[str, Any],
    blind: bool,
    preset: presets.Given | None,
) -> dict[str, Any]:
    """Return the algorithm's part of the configuration."""
    if algo in presets.ALGORITHMS:
        from restock.learning import stable

        require_torch()
        return stable.configuration(problem, algo, architecture, numbers, blind, preset)
    if preset is not None:
        entry = presets.entry_of(preset, problem)
        network = entry.pop("policy_kwargs", None) or {}
        if not isinstance(network, Mapping):
            raise InvalidInput("policy_kwargs", network, "must be a mapping of names to values", "Correct it.")
        architecture, numbers = {**network, **architecture}, {**entry, **numbers}
    shape = validated(Architecture, architecture, "architecture")
    for name in (shape.residual, shape.start):
        if name is not None:
            policy_class(name, problem.family)  # what was typed is run now, so that the folder may name it
    if blind and shape.memory == "none":
        shape = shape.model_copy(update={"memory": "belief"})
    if algo in imitation.ALGORITHMS:
        return {"architecture": shape.model_dump(), "training": imitation.numbers_of(algo, numbers)}
    return {"architecture": shape.model_dump(), "training": validated(Pathwise, numbers, "").model_dump()}


@may_trust
def resume(
    out: str | Path, tell: Callable[[Report, dict[str, float]], None] | None = None, *, trust: bool = False
) -> dict[str, Any]:
    """Resume a stopped run; a finished one is left as it is.

    Args:
        out: The folder of the run.
        tell: As for `train`.
        trust: Whether code that the folder names may be run, see `restock.core.trust`.

    Returns:
        What the run came to.

    Raises:
        InvalidInput: There is no run in the folder, it is damaged, or it names code and is not trusted.
    """
    folder = run_folder.RunFolder(out)
    config = folder.config()
    if config["algo"] not in ALGORITHMS:
        raise InvalidInput("algo", config["algo"], "there is no such algorithm", nearest(config["algo"], ALGORITHMS))
    return run(folder, config, tell)


def run(
    folder: run_folder.RunFolder, config: Mapping[str, Any], tell: Callable[[Report, dict[str, float]], None] | None
) -> dict[str, Any]:
    """Train to the end, or resume.

    Args:
        folder: Of the run.
        config: What it is, see `configuration`.
        tell: As in `train`.

    Returns:
        What the run came to.

    Raises:
        InvalidInput: The configuration does not hold, or the folder holds another run.
    """
    require_torch()
    if config["algo"] in presets.ALGORITHMS:
        from restock.learning import sb3_training

        return sb3_training.run(folder, config, tell)
    from restock.learning.actors import actor_of, ground_of, regimes_of
    from restock.learning.held_out import HeldOut
    from restock.learning.pathwise import Training
    from restock.learning.regimes import chance_of
    from restock.learning.run_folder import BEST

    imitates = config["algo"] in imitation.ALGORITHMS
    kind = imitation.Imitation if imitates else Pathwise
    numbers: Any = validated(kind, config["training"], "training")
    warm_up = 0 if imitates else numbers.warm_up
    regimes, ground = regimes_of(config), ground_of(config)
    problem: Any = described(config["problem"])
    refuse_sequential(ground)
    if warm_up >= problem.horizon:
        mend = "Write fewer, or a longer horizon."
        raise InvalidInput("warm_up", warm_up, f"the episode has {problem.horizon} periods", mend)
    actor_of(config)  # whatever is wrong with the network is told before anything is written
    chance, judged = chance_of(ground if regimes is None else problem, regimes)
    finished = folder.finished(config)
    if finished is not None:
        return finished
    with folder.begun_by(config, versions()), one_thread():
        held_out = HeldOut(judged, numbers.held_out, config["information"], warm_up)
        lines = held_out.compute_lines()
        training: Any = (
            imitation.Training(judged, config, held_out, folder)
            if imitates
            else Training(ground, chance, config, numbers, held_out, folder)
        )
        training.run(tell)
        best = actor_of(config)
        best.load_state_dict(folder.load(BEST)["actor"])
        plain_orders, whole_orders = (held_out.profit(best, integer)[0] for integer in (False, True))
        result: dict[str, Any] = training.in_words() | {
            "problem": problem.name,
            "algo": config["algo"],
            "information": config["information"],
            "integer": whole_orders >= plain_orders,
            "profit": plain_orders,
            "profit_integer": whole_orders,
            **lines,
        }
        folder.finish(result)
    return result


def refuse_sequential(problem: Problem) -> None:
    """Check that the exogenous information of a problem can be drawn in compiled code.

    Raises:
        InvalidInput: It is drawn period by period.
    """
    if problem.sequential:
        demand = getattr(problem, "demand", None)
        mend = "Use a distribution of restock's own, or derive yours from CompiledDistribution."
        name = demand.distribution.name if demand is not None else problem.name
        raise InvalidInput("demand.distribution", name, "it is drawn period by period", mend)


def require_torch() -> None:
    """Check that torch is installed.

    Raises:
        InvalidInput: It is not; says what to install.
    """
    require_extra("torch", "train", "training")


def versions() -> dict[str, str]:
    """Return the versions of what a trained network depends on."""
    from importlib import metadata

    from restock.evaluation.provenance import versions as usual

    return usual() | {"torch": metadata.version("torch")}
