"""One environment: the Gymnasium side of any problem."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from restock.core import backends, streams
from restock.core.errors import InvalidInput, nearest
from restock.core.problem import ObservationForm, Problem, Source
from restock.core.trajectory import Trajectory
from restock.envs import spaces
from restock.envs.registration import METADATA, RENDER_MODES

Array = NDArray[np.float64]


class Parts(Mapping[str, float]):
    """The parts of one period's reward by name, and their `total`; read when asked for."""

    __slots__ = ("_line", "_lines", "_problem")

    def __init__(self, lines: Array, line: int, problem: Problem) -> None:
        self._lines = lines
        self._line = line
        self._problem = problem

    def __getitem__(self, name: str) -> float:
        names = (*self._problem.parts, "total")
        if name not in names:
            raise KeyError(name)
        return float(self._lines[self._line, names.index(name) - len(names)])

    def __iter__(self) -> Iterator[str]:
        return iter((*self._problem.parts, "total"))

    def __len__(self) -> int:
        return len(self._problem.parts) + 1

    def __repr__(self) -> str:
        return repr(dict(self))


class Environment(gym.Env[Any, Any]):
    """A problem as a Gymnasium environment.

    Observation: float32, `obs_names()` says what each number is; forms `flat`, `scaled`, `dict`.
    Action: forms of the problem (`quantity`, `normalized`, `order-up-to`, `multidiscrete`); out of
    bounds is clipped, not finite is refused.
    Reward: the contribution of the period; `info["profit"]` has its parts, which add up to `total`.
    Termination: never; truncated at the horizon.

    Args:
        problem: What to simulate.
        action: Action form.
        observation: Observation form.
        max_order: Largest order, one number or one for each link; None for the problem's own bound.
        render_mode: None, `ansi` or `rgb_array`.

    Raises:
        InvalidInput: An argument does not hold.

    Example:
        >>> import gymnasium as gym, restock
        >>> env = gym.make("restock/Serial-v0")
        >>> obs, info = env.reset(seed=42)
        >>> obs, reward, terminated, truncated, info = env.step(env.action_space.sample())
    """

    metadata = METADATA

    def __init__(
        self,
        problem: Problem,
        action: str = "quantity",
        observation: str = "flat",
        max_order: Any = None,
        render_mode: str | None = None,
    ) -> None:
        if render_mode is not None and not (isinstance(render_mode, str) and render_mode in RENDER_MODES):
            raise InvalidInput("render_mode", render_mode, "there is no such mode", nearest(render_mode, RENDER_MODES))
        self.problem = problem
        self.render_mode = render_mode
        self.action_form = problem.action_form(action, max_order)
        self.observation_form = problem.observation_form(observation)
        self.action_space = spaces.action_space(self.action_form)
        self.observation_space = spaces.observation_space(self.observation_form)
        self.tables = problem.tables(self.action_form, self.observation_form)
        self._ints, self._floats = self.tables.ints, self.tables.floats
        self._horizon = problem.horizon
        self._shape = (len(self.action_form.labels),)
        self._size = len(self.observation_form.labels)
        self._line = self.tables.recorded + len(problem.parts) + 1
        self._blocks = observation == "dict"
        self._draws_now = False
        self._source: Any = None
        self._make_source: Any = problem.source
        self._t = -1  # before the first reset
        self._width = len(self.tables.fresh)
        self._tail = self._width + (self._horizon + 1) * self._line  # where the observations begin
        self._memory = np.zeros(self._tail + ((self._horizon + 1) * self._size + 1) // 2)
        self._view()
        self._bind()

    def _bind(self) -> None:
        """Take what is not pickled: the compiled loop, and the addresses it works on."""
        self._dtype = np.dtype(self.action_space.dtype)
        self._single = backends.entry(self.problem.kernels.single, int, int, (self._dtype, 1))
        self._no_action = np.zeros(self._shape, dtype=self._dtype)
        self._place = np.zeros(8, dtype=np.int64)
        self._place[:4] = self._ints.ctypes.data, len(self._ints), self._floats.ctypes.data, len(self._floats)
        self._locate()
        self._handle = self._place.ctypes.data

    def __getstate__(self) -> dict[str, Any]:
        unpickled = ("_single", "_no_action", "_place", "_handle", "_seen", "_lines")
        return {name: value for name, value in self.__dict__.items() if name not in unpickled}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._view()
        self._bind()

    # playing ----------------------------------------------------------------------------------

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: Starts the random streams afresh; without it they go on.
            options: `{"exogenous": {...}}` replays recorded exogenous information, which then
                draws nothing.

        Raises:
            InvalidInput: Bad seed or options; the running episode goes on unchanged.
        """
        if seed is not None:
            seed = streams.check_seed(seed)
        replayed = self._replayed(options)
        super().reset(seed=seed)
        if seed is not None or self._source is None:
            generator = self.np_random
            self._source = self._make_source([int(self.np_random_seed or 0)], [generator])
        self._draws_now = self.problem.sequential and replayed is None
        episode = self._source.next(np.zeros(1, dtype=np.int64))[0] if replayed is None else replayed
        return self._begin(episode), {}

    def use_source(self, make_source: Callable[..., Source], observation_form: ObservationForm) -> None:
        """From the next reset on, play the episodes of another source.

        Args:
            make_source: Takes seeds and generators and returns a source, as `Problem.source` does.
            observation_form: The form in use, with bounds that hold in those episodes too.
        """
        self._make_source = make_source
        self._source = None
        self.observation_form = observation_form
        self.observation_space = spaces.observation_space(observation_form)

    def _replayed(self, options: dict[str, Any] | None) -> Array | None:
        """The episode that reset options ask for."""
        if options is None:
            return None
        if not isinstance(options, Mapping):
            raise InvalidInput("options", options, "this should be a mapping", 'Write {"exogenous": {...}}.')
        for name, value in options.items():
            if name != "exogenous":
                raise InvalidInput(f"options.{name}", value, "there is no such option", nearest(name, ["exogenous"]))
        return None if options.get("exogenous") is None else self.problem.replay(options["exogenous"])

    def _begin(self, episode: Array) -> Any:
        """Start a fresh memory with this episode in it; returns the first observation.

        The old memory is left to whoever still looks at its trajectory or observations.
        """
        tables = self.tables
        begins = self._width - tables.drawn
        memory = np.empty(len(self._memory))
        memory[:begins] = tables.fresh[:begins]
        memory[begins : self._width] = episode
        self._memory = memory
        self._view()
        self._locate()
        self._single(-1, self._handle, self._no_action)
        self._t = 0
        return spaces.as_blocks(self.observation_form, self._seen[0]) if self._blocks else self._seen[0]

    def _view(self) -> None:
        """See the memory behind the row: the recorded lines, then the observations as float32."""
        lines = self._horizon + 1
        self._lines = self._memory[self._width : self._tail].reshape((lines, self._line))
        self._seen = self._memory[self._tail :].view(np.float32)[: lines * self._size].reshape((lines, self._size))

    def _locate(self) -> None:
        """Tell the compiled loop where memory and observations are now."""
        place = self._memory.ctypes.data
        self._place[4:] = place, self._tail, place + 8 * self._tail, (self._horizon + 1) * self._size

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Play one period.

        Raises:
            InvalidInput: The action has the wrong shape or is not finite, or the episode is over;
                nothing is changed then.
        """
        t = self._t
        if t < 0 or t >= self._horizon:
            raise self._not_running()
        if self._draws_now:
            action = self._checked(action)
            self.problem.draw_now(t, self._world(), self.np_random)
        try:
            if action.dtype is self._dtype and action.shape == self._shape:
                reward = self._single(t, self._handle, action)
            else:
                reward = self._step_converted(t, action)
        except Exception:  # not an array, and an array-like may raise anything; nothing has been changed
            reward = self._step_converted(t, action)
        if reward != reward:
            self._checked(action)
        self._t = t = t + 1
        obs = spaces.as_blocks(self.observation_form, self._seen[t]) if self._blocks else self._seen[t]
        return obs, reward, False, t >= self._horizon, {"profit": Parts(self._lines, t, self.problem)}

    def _step_converted(self, t: int, action: Any) -> float:
        """Play a period with an action of any other kind: as float64, compiled for at first use."""
        numbers = self._checked(action)
        reward: float = backends.entry(self.problem.kernels.single, int, int, (np.float64, 1))(t, self._handle, numbers)
        return reward

    def _checked(self, action: Any) -> Array:
        """The action as finite numbers of the right shape."""
        labels = self.action_form.labels
        try:
            numbers = np.asarray(action)
            if numbers.dtype.kind not in "iuf":
                raise ValueError
            numbers = numbers.astype(np.float64)
        except Exception:  # an array-like of another library may raise anything
            raise InvalidInput(
                "action", action, "an action is numbers", f"Give {len(labels)} numbers, one for each link."
            ) from None
        if numbers.shape != self._shape:
            raise InvalidInput(
                "action",
                f"shape {numbers.shape}",
                f"this should be {self._shape}",
                "One number each: " + labels[0] + ", ...",
            )
        if not np.isfinite(numbers).all():
            i = int(np.flatnonzero(~np.isfinite(numbers))[0])
            raise InvalidInput(f"action[{i}]", float(numbers[i]), f"{labels[i]} must be finite", "Give a number.")
        return numbers

    def _not_running(self, what: str = "step") -> InvalidInput:
        if self._t < 0:
            return InvalidInput(what, "before reset", "no episode has begun", "Call reset() first.")
        return InvalidInput("step", f"period {self._t}", "the episode is over", "Call reset() to begin another.")

    def _world(self) -> tuple[Any, ...]:
        return self.problem.world(self._memory[: self._width], self.tables)

    # looking ----------------------------------------------------------------------------------

    @property
    def period(self) -> int:
        """The period about to be played [t]."""
        return max(self._t, 0)

    def observe(self) -> Array:
        """The observation now as float64, flat, shape (O,)."""
        obs = np.empty(self._size, np.float64)
        self.problem.texts.observe(self.period, obs, self.tables.ints, self.tables.floats, *self._world())
        return obs

    @property
    def trajectory(self) -> Trajectory:
        """What has happened in this episode so far; stays valid after the next reset."""
        tables = self.tables
        width = self._width
        record = self._lines[:, : tables.recorded]
        episode = self._memory[width - tables.drawn : width]
        return Trajectory(
            record,
            self.problem.layout,
            self._lines[1:, -1],
            self.period,
            self.problem.exogenous_of(record[: self.period + 1], episode),
            {"problem": self.problem.name},
        )

    def kpis(self, partial: bool = False) -> dict[str, float]:
        """Key figures of the episode (see `restock.core.kpis.MEANINGS`).

        Raises:
            InvalidInput: The episode is not over and `partial` is false.
        """
        from restock.core.kpis import kpis

        return {name: float(value) for name, value in kpis(self.trajectory, self._horizon, partial).items()}

    def obs_names(self) -> list[str]:
        """What each number of the flat observation is."""
        return list(self.observation_form.labels)

    def action_names(self) -> list[str]:
        """What each number of the action decides."""
        return list(self.action_form.labels)

    def explain(self) -> str:
        """The problem, the observation and the action in words."""
        parts = (
            self.problem.explain(),
            spaces.observation_words(self.observation_form),
            spaces.action_words(self.action_form),
        )
        return "\n\n".join(parts)

    def render(self) -> Any:
        """The state as text (`ansi`) or as an image (`rgb_array`, uint8 of shape (H, W, 3)).

        Raises:
            InvalidInput: Before the first reset, or an image without Pillow installed.
        """
        if self.render_mode is None:
            gym.logger.warn('Nothing is rendered: make the environment with render_mode="ansi" or "rgb_array".')
            return None
        if self._t < 0:
            raise self._not_running("render")
        from restock.envs import render

        view = render.View(self.problem, self._t, self._world(), self._lines[1 : self._t + 1, -1])
        return render.as_text(view) if self.render_mode == "ansi" else render.as_image(view)
