"""Training with an algorithm of stable-baselines3 or sb3-contrib, in the run folder of every training.

At each evaluation all randomness begins anew from the seed and the number of the evaluation: the streams
of torch and NumPy, the episodes of every row. A run is therefore a function of its configuration and of
the checkpoint it goes on from, which holds weights, optimisers and counters, and of the algorithms that
learn from a store of past steps also that store. A run that was stopped and resumed ends in the same
weights as one run would have (unless it is limited by `cpu_seconds`, which is the clock's doing).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from restock.core.errors import require_extra
from restock.core.problem import Problem
from restock.core.validation import validated
from restock.learning import normalising
from restock.learning.config import Regimes
from restock.learning.describe import described
from restock.learning.family import learning_of
from restock.learning.paths import path_seed
from restock.learning.run_folder import BEST, LAST, RunFolder
from restock.learning.stable import Stable, is_number
from restock.learning.threads import one_thread


def run(folder: RunFolder, config: Mapping[str, Any], tell: Any = None) -> dict[str, Any]:
    """Train to the end, or resume; see `restock.learning.train`.

    Raises:
        InvalidInput: The configuration does not hold, or a package is missing.
    """
    require_extra("torch", "train", "training")
    require_extra("stable_baselines3", "train", f"--algo {config['algo']}")
    from restock.learning.actors import ground_of
    from restock.learning.agents import forms_in
    from restock.learning.held_out import HeldOut
    from restock.learning.train import refuse_sequential, versions

    regimes = None if config["regimes"] is None else validated(Regimes, config["regimes"], "regimes")
    problem, ground = described(config["problem"]), ground_of(config)
    refuse_sequential(ground)
    forms_in(config)  # whatever is wrong with the forms is told before anything is written
    learning = learning_of(problem)
    several, judged = learning.met(regimes), learning.judged(ground, regimes)
    with one_thread():
        training = Training(ground, several, config, folder)
        finished = folder.finished(config)
        if finished is not None:
            return finished
        with folder.begun_by(config, versions() | _more_versions(config["algo"])):
            training.held_out = HeldOut(judged, training.frame.held_out, config["information"], 0)
            lines = training.held_out.compute_lines()
            training.run(tell)
            result: dict[str, Any] = training.result() | lines
            folder.finish(result)
    return result


class Training:
    """A run, new or resumed.

    Args:
        ground: The problem that gives the scales, and without `several` the episodes.
        several: Problems whose episodes are met.
        config: The run's configuration.
        folder: Where checkpoints go.
    """

    held_out: Any

    def __init__(self, ground: Problem, several: Any, config: Mapping[str, Any], folder: RunFolder) -> None:
        from restock.learning.algorithms import model_of
        from restock.learning.sb3 import stable_environment

        training = {name: value for name, value in config["training"].items() if name != "numbers"}
        self.frame = validated(Stable, training, "training")
        self.config, self.folder = config, folder
        self.environment = stable_environment(
            ground, self.frame.n_envs, config["preparation"], several, config["information"]
        )
        self.shown: Any = self.environment
        if self.frame.normalize:
            discount = float(config["training"]["numbers"].get("gamma", 0.99))
            self.shown = normalising.normalised(self.environment, discount)
        self.model = model_of(config, self.shown, int(config["seed"]))
        self.every = self.frame.evaluate_every or max(1, self.frame.steps // 20)
        self.evaluations = 0
        self.best = -math.inf
        self.cpu_seconds = 0.0
        self.next = 0

    def run(self, tell: Callable[[Any, dict[str, float]], None] | None) -> None:
        """Train to the end; if stopped at any moment, a new `Training` in the folder resumes."""
        from stable_baselines3.common.logger import Logger

        from restock.learning.sb3_callback import Rounds

        if self.folder.has(LAST):
            self._load(self.folder.load(LAST))
        else:
            self.next = self.every
            self.folder.record_start(self.example())
        self.model.set_logger(Logger(folder=None, output_formats=[]))  # what it gathers goes where all metrics go
        rounds = Rounds(self, tell)
        self._begin_round()
        left = self.frame.steps - self.model.num_timesteps
        if left > 0:
            self.model.learn(left, callback=rounds, log_interval=1_000_000, reset_num_timesteps=False)
            rounds.finish()

    # rounds: from one evaluation to the next ----------------------------------------------------------

    def _begin_round(self) -> None:
        """Seed all randomness and all episodes from the seed and the number of the round."""
        from stable_baselines3.common.utils import set_random_seed

        number = int(self.config["seed"]) * 1_000_003 + self.evaluations
        set_random_seed(number % (1 << 32))
        model = self.model
        model.action_space.seed(number % (1 << 32))
        self.environment.played = model.num_timesteps // self.environment.num_envs
        self.environment.seed(path_seed(int(self.config["seed"]), self.evaluations, self.environment.num_envs))
        model._last_obs = self.shown.reset()
        if self.frame.normalize:
            model._last_original_obs = self.shown.get_original_obs()
        model._last_episode_starts = np.ones(self.environment.num_envs, dtype=bool)
        if getattr(model, "action_noise", None) is not None:
            model.action_noise.reset()
        if getattr(model, "_last_lstm_states", None) is not None:
            for state in (part for pair in model._last_lstm_states for part in pair):
                state.zero_()

    def profit(self, integer: bool = False) -> tuple[float, float]:
        """Return the mean profit of a held-out episode, and its standard error."""
        with self._deployed(integer) as make:
            earned = self.held_out.earned_by(make)
        return float(earned.mean()), float(earned.std(ddof=1) / math.sqrt(len(earned)))

    def example(self) -> dict[str, Any]:
        """Return the first held-out episode under the policy as it is, by name."""
        with self._deployed(False) as make:
            found: dict[str, Any] = self.held_out.example_by(make)
        return found

    @contextmanager
    def _deployed(self, integer: bool) -> Iterator[Callable[[Problem], Any]]:
        """Return a function that makes policies of the network, which is not training meanwhile."""
        from restock.learning.agents import Agent
        from restock.learning.held_out import Candidate

        network = self.model.policy
        training = network.training
        network.set_training_mode(False)
        forms, scaled = self._judging(), normalising.scaled_by(self._seen())
        yield lambda problem: Candidate(
            problem, self.config["information"], Agent(network, forms, problem, scaled), integer
        )
        network.set_training_mode(training)

    def _judging(self) -> Any:
        """Return separate forms, since a corrected policy remembers its episodes."""
        if not hasattr(self, "_forms"):
            from restock.learning.agents import forms_in

            self._forms = forms_in(self.config)
        return self._forms

    def _seen(self) -> dict[str, Any] | None:
        """Return the scaling of observations and rewards."""
        return normalising.kept(self.shown) if self.frame.normalize else None

    def evaluated(self, speed: float) -> tuple[Any, dict[str, float]]:
        """Evaluate, keep what is best, write a checkpoint and begin the next round."""
        from restock.learning.pathwise import Report

        model = self.model
        profit, error = self.profit()
        if profit >= self.best:  # of two that earn the same on held-out paths, the one that has learnt for longer
            self.best = profit
            content = {"policy": model.policy.state_dict(), "step": model.num_timesteps}
            self.folder.save(BEST, content | ({"seen": self._seen()} if self.frame.normalize else {}))
        met = [float(episode["r"]) for episode in model.ep_info_buffer or ()]
        training = sum(met) / len(met) if met else math.nan
        left = (self.frame.steps - model.num_timesteps) / max(speed, 1e-9)
        report = Report(
            0, model.num_timesteps, profit, self.best, training, speed, self.cpu_seconds, max(left, 0.0)
        )  # fmt: skip
        gaps = self.held_out.gaps(profit)
        if self.environment.prepared.stages is not None:
            model.logger.record("curriculum/periods", self.environment.periods)
        learnt = {name: float(value) for name, value in model.logger.name_to_value.items() if is_number(value)}
        line = dataclasses.asdict(report) | {"standard_error": error} | self.held_out.lines | gaps | learnt
        self.folder.record(line, self.example())
        model.logger.dump(model.num_timesteps)  # begins to gather anew
        model.ep_info_buffer.clear()
        self.evaluations += 1
        self.next = (model.num_timesteps // self.every + 1) * self.every
        self._save()
        self._begin_round()
        return report, gaps

    # checkpoints ------------------------------------------------------------------------------------

    def _save(self) -> None:
        self.folder.save(
            LAST,
            {
                "model": self.model.get_parameters(),
                "variables": self._variables(),
                "counters": {name: getattr(self.model, name) for name in _COUNTERS if hasattr(self.model, name)},
                "store": self._stored(),
                "progress": {name: getattr(self, name) for name in _PROGRESS},
                **({"seen": self._seen()} if self.frame.normalize else {}),
            },
        )

    def _load(self, content: Mapping[str, Any]) -> None:
        self.model.set_parameters(content["model"], exact_match=True, device="cpu")
        for name, value in content["variables"].items():
            getattr(self.model, name).data.copy_(value)
        for name, value in content["counters"].items():
            setattr(self.model, name, value)
        for name in _PROGRESS:
            setattr(self, name, content["progress"][name])
        if self.frame.normalize:
            normalising.restore(self.shown, content["seen"])
        store = getattr(self.model, "replay_buffer", None)
        if store is not None and content["store"]:
            store.pos, store.full = content["store"]["pos"], content["store"]["full"]
            for name in _STORED:
                kept = content["store"][name].numpy()
                getattr(store, name)[: len(kept)] = kept
        left = 1.0 - self.model.num_timesteps / self.frame.steps
        self.model._current_progress_remaining = left
        if hasattr(self.model, "exploration_schedule"):
            self.model.exploration_rate = self.model.exploration_schedule(left)
        self.folder.keep(self.evaluations)

    def _variables(self) -> dict[str, Any]:
        """Return the tensors that belong to no network (the entropy coefficient of SAC and TQC)."""
        names = self.model._get_torch_save_params()[1]
        found = {name: getattr(self.model, name, None) for name in names}
        return {name: value.detach().clone() for name, value in found.items() if value is not None}

    def _stored(self) -> dict[str, Any]:
        """Return the replay buffer, as far as it is filled."""
        import torch

        store = getattr(self.model, "replay_buffer", None)
        if store is None or self.model.num_timesteps >= self.frame.steps:
            return {}
        used = store.buffer_size if store.full else store.pos
        kept = {name: torch.as_tensor(getattr(store, name)[:used]) for name in _STORED}
        return kept | {"pos": int(store.pos), "full": bool(store.full)}

    def result(self) -> dict[str, Any]:
        """Return the result of the run: the best network, with and without whole orders."""
        best = self.folder.load(BEST)
        self.model.policy.load_state_dict(best["policy"])
        if self.frame.normalize:
            normalising.restore(self.shown, best["seen"])
            self.shown.save(str(self.folder.path / "vecnormalize.pkl"))
        self.model.save(self.folder.path / "model.zip")
        plain, whole = (self.profit(integer)[0] for integer in (False, True))
        return {
            "restarts": 1,
            "parameters": sum(part.numel() for part in self.model.policy.parameters()),
            "cpu_seconds": self.cpu_seconds,
            "threads": 1,
            "steps": int(self.model.num_timesteps),
            "problem": described(self.config["problem"]).name,
            "algo": self.config["algo"],
            "information": self.config["information"],
            "integer": whole >= plain,
            "profit": plain,
            "profit_integer": whole,
        }


_PROGRESS = ("evaluations", "best", "next", "cpu_seconds")
_COUNTERS = ("num_timesteps", "_n_updates", "_n_calls")
_STORED = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


def _more_versions(algo: str) -> dict[str, str]:
    from importlib import metadata

    from restock.learning.presets import CONTRIB

    names = ["stable-baselines3", *(["sb3-contrib"] if algo in CONTRIB else [])]
    return {name: metadata.version(name) for name in names}
