"""Many environments in one call: the native Gymnasium vector environment of any problem."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from restock.core import streams
from restock.core.errors import InvalidInput
from restock.core.problem import ObservationForm, Problem, Source
from restock.core.trajectory import PlayedSoFar, Trajectory
from restock.envs import rows as checks
from restock.envs import spaces
from restock.envs.fast.info import Teller, of_some
from restock.envs.fast.rows import Loop
from restock.envs.registration import METADATA
from restock.envs.spec import Bounded

Array = NDArray[np.float64]
AHEAD = 16  # episodes that a row draws from its generator at once


class VectorEnvironment(Bounded, gym.vector.VectorEnv[Any, Any, Any]):
    """B copies of a problem, stepped by one compiled loop.

    Row i is exactly `Environment` seeded with seed + i, through any number of resets.

    Args:
        problem: What to simulate.
        num_envs: Rows [B].
        autoreset_mode: `NEXT_STEP` (default), `SAME_STEP` or `DISABLED`, or their values as text.
        action, observation, max_order: As in `Environment`.
        render_mode: `rgb_array` or `ansi`: `render` returns one picture or text a row.
        record: Keep trajectories (costs memory; needed for `trajectory` and for rendering).
        max_episode_steps: Steps after which episodes are truncated, as Gymnasium's `TimeLimit` does it around
            single environments; None, or -1: as the problem says.

    Raises:
        InvalidInput: An argument does not hold.
    """

    def __init__(
        self,
        problem: Problem,
        num_envs: int = 1,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        action: str | None = None,
        observation: str | None = None,
        max_order: Any = None,
        render_mode: str | None = None,
        record: bool = False,
        max_episode_steps: int | None = None,
    ) -> None:
        if not isinstance(record, (bool, np.bool_)):
            raise InvalidInput("record", record, "must be true or false", "Write True or False.")
        self._limit = checks.steps_limit(max_episode_steps)
        self.problem = problem
        self.num_envs = checks.count_of(num_envs)
        self.autoreset_mode = checks.mode_of(autoreset_mode)
        self.metadata = {**METADATA, "autoreset_mode": self.autoreset_mode}
        self.render_mode = checks.render_mode_of(render_mode)
        self.action_form = problem.action_form(problem.action_kinds[0] if action is None else action, max_order)
        seen = problem.observation_kinds[0] if observation is None else observation
        self.observation_form = problem.observation_form(seen)
        self.single_action_space = spaces.action_space(self.action_form)
        self.single_observation_space = spaces.observation_space(self.observation_form)
        self.action_space = spaces.batched(self.single_action_space, self.num_envs)
        self.observation_space = spaces.batched(self.single_observation_space, self.num_envs)
        self.tables = problem.tables(self.action_form, self.observation_form)
        self._record_all = bool(record) or render_mode is not None
        self._shape = (self.num_envs, *spaces.action_shape(self.action_form))
        self._flat = len(self._shape) == 2
        self._size = len(self.observation_form.labels)
        self._blocks = seen == "dict"
        self._teller = Teller(problem, self.observation_form)
        self._source: Any = None
        self._make_source: Any = problem.source
        self._seeds: list[int] = []  # what the generators of the rows were begun with
        self._generators: list[np.random.Generator] = []
        b, t = self.num_envs, min(problem.horizon, self._limit or problem.horizon)
        self.memory = np.tile(self.tables.fresh, (b, 1))
        self._clock = np.zeros(b, dtype=np.int64)
        self.ended = 0  # rows whose episode ended with the last step
        self._draws_now = problem.sequential
        self._horizon = t
        self._told = len(problem.monitored) + len(problem.parts) + 1  # numbers that every row tells
        self._dtype = np.dtype(self.single_action_space.dtype)
        self._no_actions = np.zeros((b, len(self.action_form.labels)), dtype=self._dtype)
        self._over = np.zeros(b, dtype=np.bool_)  # rows whose episode has ended; also read as bytes
        self._given = np.zeros(b, dtype=np.bool_)  # rows that replay recorded information
        self.record = np.zeros((b if self._record_all else 0, t + 1, self.tables.recorded))
        self._rewards = np.zeros((b if self._record_all else 0, t))
        self._bind()

    def _bind(self) -> None:
        """Set up the compiled loop, which is not pickled."""
        highest = self.action_form.high.astype(np.float64) if self.action_form.discrete else None
        state, kept = (self.memory, self._clock, self._over), (self.record, self._rewards)
        self._loop = Loop(self.problem.kernels.batch, self.tables, self._horizon, state, kept, highest)
        self._loop.compile(self._dtype)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_loop"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._bind()

    # playing ----------------------------------------------------------------------------------

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in every row, or in those of `options["reset_mask"]`.

        Args:
            seed: Row i gets seed + i, or its own of a sequence (None: its stream goes on).
            options: `reset_mask`: booleans of shape (B,). `exogenous`: recorded information to
                replay, arrays with a leading axis of B rows or one for all, or a list with one mapping a row.

        Raises:
            InvalidInput: Bad seed or options; nothing is changed then.
        """
        seeds = checks.seeds_of(seed, self.num_envs)
        mask, replayed = self._options(options)
        self._start_streams(seeds)
        rows = np.flatnonzero(mask)
        self._begin(rows, None if replayed is None else replayed[rows])
        self._over[rows] = False
        self.ended = int(self._over.sum())
        obs, told = self._look()
        infos = self._teller.rows(told, self.memory, np.ones(self.num_envs, dtype=np.bool_))
        return self._formed(obs), infos if mask.all() else of_some(infos, mask)

    def use_source(self, make_source: Callable[..., Source], observation_form: ObservationForm) -> None:
        """Play the episodes of another source from the next reset (of every row) on.

        Args:
            make_source: Takes seeds and generators and returns a source, as `Problem.source` does.
            observation_form: The form in use, with bounds that hold in those episodes too.
        """
        self._make_source = make_source
        self._source = None
        self.observation_form = observation_form
        self.single_observation_space = spaces.observation_space(observation_form)
        self.observation_space = spaces.batched(self.single_observation_space, self.num_envs)

    def use_periods(self, periods: int) -> None:
        """Cut episodes after so many periods, at most the horizon, from the next reset (of every row) on.

        Nothing else changes: a cut episode is the beginning of a whole one.
        """
        if periods == self._horizon:
            return
        if not 1 <= periods <= self.problem.horizon:
            problem_with = f"an episode has 1 to {self.problem.horizon} periods"
            raise InvalidInput("periods", periods, problem_with, f"Write {self.problem.horizon}.")
        self._horizon = periods
        rows = len(self.record)
        self.record = np.zeros((rows, periods + 1, self.tables.recorded))
        self._rewards = np.zeros((rows, periods))
        self._bind()

    def _start_streams(self, seeds: list[int | None]) -> None:
        """Give the rows with a seed new streams; at the first call, every row."""
        begun = self._start_generators(seeds)
        for row, seed in enumerate(seeds):
            if seed is not None and not begun:
                self._seeds[row], self._generators[row] = seed, streams.generator(seed)
                if self._source is not None:
                    self._source.restart(row, seed, self._generators[row])
        if self._source is None:
            self._source = self._make_source(list(self._seeds), self._generators, AHEAD)

    def _start_generators(self, seeds: Sequence[int | None] = ()) -> bool:
        """Begin the random streams of the rows, unless that has been done; without seeds, with drawn ones."""
        if self._generators:
            return False
        drawn = np.random.SeedSequence().generate_state(self.num_envs).tolist()
        self._seeds = [d if s is None else s for s, d in zip(seeds or drawn, drawn, strict=True)]
        self._generators = [streams.generator(seed) for seed in self._seeds]
        return True

    def _begin(self, rows: NDArray[np.int64], episodes: Array | None = None) -> None:
        """Start episodes in these rows: the next of their streams, or given ones."""
        self._given[rows] = episodes is not None
        if episodes is None:
            episodes = self._source.next(rows)
        if len(rows) == self.num_envs:
            self.tables.begun(self.memory, episodes)
        else:
            begun = np.empty((len(rows), self.memory.shape[1]))
            self.tables.begun(begun, episodes)
            self.memory[rows] = begun
        self._clock[rows] = 0
        if self._record_all:
            self.record[rows, 0] = self.memory[rows, : self.tables.recorded]

    def step(self, actions: Any) -> tuple[Any, Array, NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Play one period in every row.

        Under NEXT_STEP a row whose episode ended is begun anew by the next step, which ignores its
        action and returns reward 0. Under SAME_STEP it is begun at once and the last observation
        and parts come as `final_obs` and `final_info`. Under DISABLED reset it with a `reset_mask`.

        Raises:
            InvalidInput: Wrong shape, a number that is not finite, a choice that there is not, or a row that is
                over under DISABLED; nothing is changed then.
        """
        if self._source is None:
            raise InvalidInput("step", "before reset", "no episode has begun", "Call reset() first.")
        actions = self._checked(actions)
        if self.ended or self._draws_now:
            self._prepare(actions)
        obs, told, flags = self._play(actions)
        infos = self._teller.rows(told, self.memory, flags[2])
        if self.ended:
            if self._limit is not None:  # as `TimeLimit` has it: truncated there, terminated or not
                flags[1] |= self._clock >= self._limit
            if self.autoreset_mode is AutoresetMode.SAME_STEP:
                obs, infos = self._begin_at_once(obs, told, flags[0] | flags[1], infos)
        return (self._formed(obs) if self._blocks else obs), told[-1], flags[0], flags[1], infos

    def _prepare(self, actions: Any) -> None:
        """Prepare a step: begin the rows that are over, and draw what is drawn period by period."""
        over = np.flatnonzero(self._over)
        if len(over) and self.autoreset_mode is AutoresetMode.DISABLED:
            mend = 'Call reset(options={"reset_mask": ...}).'
            raise InvalidInput("step", f"row {over[0]}", "its episode is over", mend)
        self._refuse_unusable(actions)
        if len(over):
            self._begin(over)
        if self._draws_now:
            for row in np.flatnonzero(~self._over & ~self._given):
                world = self.problem.world(self.memory[row], self.tables)
                self.problem.draw_now(int(self._clock[row]), world, self._generators[row])

    def _play(self, actions: Any) -> tuple[NDArray[np.float32], Array, NDArray[np.bool_]]:
        """Run the compiled loop; return observations, rewards with `info`, and flags."""
        b = self.num_envs
        obs = np.empty((b, self._size), np.float32)
        told, flags = np.empty((self._told, b)), np.empty((3, b), np.bool_)
        ended = self._loop.play(actions, obs, told, flags)
        if ended < 0:
            self._refuse_unusable(actions)
        self.ended = ended
        return obs, told, flags

    def _refuse_unusable(self, actions: NDArray[Any]) -> None:
        """Check the numbers of actions of shape (B, A)."""
        alone = self._shape == (self.num_envs,)
        checks.refuse_unusable(actions, self.action_form, lambda b, i: f"actions[{b}]" + ("" if alone else f"[{i}]"))

    def _begin_at_once(
        self, obs: NDArray[np.float32], told: Array, ended: NDArray[np.bool_], infos: dict[str, Any]
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin the rows that ended; put their last observation and `info` into the infos."""
        finals = np.empty(self.num_envs, dtype=object)
        for row in np.flatnonzero(ended):
            last = obs[row].copy()
            finals[row] = spaces.as_blocks(self.observation_form, last) if self._blocks else last
        last = of_some(infos, ended)
        self._begin(np.flatnonzero(ended))
        self._over[:] = False
        self.ended = 0
        obs, now = self._look()
        infos = self._teller.rows(np.where(ended, now, told), self.memory, np.ones_like(ended))
        infos["final_obs"], infos["_final_obs"] = finals, ended.copy()
        infos["final_info"], infos["_final_info"] = last, ended.copy()
        return obs, infos

    def _look(self) -> tuple[NDArray[np.float32], Array]:
        """What every row sees now, shape (B, O), and tells as if it had just begun, shape (M + P + 1, B)."""
        over, ended = self._over.copy(), self.ended
        self._over[:] = True
        obs, told, _ = self._play(self._no_actions)
        self._over[:], self.ended = over, ended
        return obs, told

    def _formed(self, obs: NDArray[np.float32]) -> Any:
        return spaces.as_blocks(self.observation_form, obs) if self._blocks else obs

    # checking ---------------------------------------------------------------------------------

    def _checked(self, actions: Any) -> Any:
        """Return the actions as an array that the compiled loop accepts."""
        if actions.__class__ is np.ndarray and actions.dtype is self._dtype and actions.shape == self._shape:
            return actions if self._flat else actions.reshape(self.num_envs, -1)
        try:
            numbers = np.asarray(actions)
            if numbers.dtype.kind not in "iuf":
                raise ValueError
        except Exception:  # an array-like of another library may raise anything
            raise InvalidInput("actions", actions, "must be numbers", f"Give shape {self._shape}.") from None
        if numbers.shape != self._shape:
            raise InvalidInput("actions", f"shape {numbers.shape}", f"must be {self._shape}", "One row each.")
        numbers = numbers.reshape(self.num_envs, -1)
        self._refuse_unusable(numbers)
        return numbers.astype(self._dtype if numbers.dtype.kind in "iu" else np.float64)

    def _options(self, options: Any) -> tuple[NDArray[np.bool_], Array | None]:
        """Return which rows to reset, and the episodes they replay, for all rows."""
        mask, exogenous = checks.reset_options(options, self.num_envs)
        if self._source is None and not mask.all():
            raise InvalidInput("options.reset_mask", mask, "no episode has begun yet", "Reset every row first.")
        return mask, None if exogenous is None else checks.replayed(self.problem, exogenous, self.num_envs)

    # looking ----------------------------------------------------------------------------------

    @property
    def np_random_seed(self) -> tuple[int, ...]:  # type: ignore[override]
        """The seeds of the rows' random streams; drawn if no `reset` has given any."""
        self._start_generators()
        return tuple(self._seeds)

    @property  # type: ignore[misc]
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The random streams of the rows, which are ahead of the episodes being played."""
        self._start_generators()
        return tuple(self._generators)

    @property
    def trajectory(self) -> Trajectory:
        """The episodes of all rows, up to the earliest clock; needs `record=True`."""
        self._kept()
        tables = self.tables
        episodes = self.memory[:, len(tables.fresh) - tables.drawn :]
        periods = int(self._clock.min())
        exogenous = self.problem.exogenous_of(self.record[:, : periods + 1], episodes)
        about = {"problem": self.problem.name}
        return Trajectory(self.record, self.problem.layout, self._rewards, periods, exogenous, about)

    def played_in(self, row: int) -> PlayedSoFar:
        """Return a view of the trajectory of a row so far; needs `record=True`.

        Raises:
            InvalidInput: No records are kept.
        """
        self._kept()
        done = bool(self._over[row])
        return PlayedSoFar(self.record[row], self.problem.layout, (), int(self._clock[row]), done)

    def _kept(self) -> None:
        if not self._record_all:
            raise InvalidInput("record", False, "trajectories are not kept", "Make it with record=True.")

    def action_masks(self) -> NDArray[np.bool_]:
        """Return which choices each row can carry out now, shape (B, choices).

        Raises:
            AttributeError: The actions are no choices.
        """
        return spaces.masks(self.problem, self.action_form, self.memory[:, : self.tables.recorded])

    def obs_names(self) -> list[str]:
        """Return the name of each number of one row's flat observation."""
        return list(self.observation_form.labels)

    def explain(self) -> str:
        """Return the problem, the observation and the action in words."""
        head = f"{self.num_envs} rows, autoreset {self.autoreset_mode.value}."
        words = (self.problem.explain(), head, spaces.observation_words(self.observation_form))
        return "\n\n".join((*words, spaces.action_words(self.action_form)))

    def render(self) -> tuple[Any, ...] | None:
        """Return one picture or text for each row.

        Raises:
            InvalidInput: Before the first reset, or images without Pillow installed.
        """
        if self.render_mode is None:
            gym.logger.warn('Nothing is rendered: make the environment with render_mode="ansi" or "rgb_array".')
            return None
        if self._source is None:
            raise InvalidInput("render", "before reset", "no episode has begun", "Call reset() first.")
        from restock.envs import render

        views = []
        for row, t in enumerate(self._clock.tolist()):
            world = self.problem.world(self.memory[row], self.tables)
            views.append(render.View(self.problem, t, world, self._rewards[row, :t]))
        return tuple(render.as_text(view) if self.render_mode == "ansi" else render.as_image(view) for view in views)
