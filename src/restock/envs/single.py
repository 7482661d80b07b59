"""One environment: the Gymnasium side of any problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from restock.core import streams
from restock.core.errors import InvalidInput, nearest
from restock.core.problem import ActionForm, ObservationForm, Problem, Source
from restock.core.scene import Scene
from restock.core.trajectory import PlayedSoFar, Trajectory
from restock.envs import spaces
from restock.envs.fast.episode import ENDING, Episode
from restock.envs.registration import METADATA
from restock.envs.rows import refuse_unusable, render_mode_of
from restock.envs.spec import Bounded

Array = NDArray[np.float64]
WHOLE = (int, np.int64)  # what a single choice usually is
MOST_WHOLE = 2.0**53  # beyond, a float64 leaves out whole numbers


class Environment(Bounded, gym.Env[Any, Any]):
    """A problem as a Gymnasium environment.

    Observation: float32, `obs_names()` says what each number is, also of a `dict` that is flattened; forms `flat`,
    `scaled`, `dict`.
    Action: forms of the problem (for a network `quantity`, `normalized`, `order-up-to`,
    `multidiscrete`, `discrete`); an amount beyond a bound is cut off there, while a choice that there is not, and
    what is not finite, is refused.
    Reward: the contribution of the period; `info["profit"]` has its parts, which add up to `total`.
    Info: plain numbers (and arrays of their own), after `reset` the same as after `step`, with what flows zero.
    Termination and truncation: as the problem's `ends` says, a network at the horizon.

    Args:
        problem: What to simulate.
        action: Action form, by its name or itself; None for the problem's first.
        observation: Observation form; None for the problem's first.
        max_order: Largest order, one number or one for each; None for the problem's own bound.
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
        action: str | ActionForm | None = None,
        observation: str | None = None,
        max_order: Any = None,
        render_mode: str | None = None,
    ) -> None:
        self.problem = problem
        self.render_mode = render_mode_of(render_mode)
        if not isinstance(action, ActionForm):
            action = problem.action_form(problem.action_kinds[0] if action is None else action, max_order)
        self.action_form = action
        seen = problem.observation_kinds[0] if observation is None else observation
        self.observation_form = problem.observation_form(seen)
        self.action_space = spaces.action_space(self.action_form)
        self.observation_space = spaces.observation_space(self.observation_form)
        self.tables = problem.tables(self.action_form, self.observation_form)
        self._horizon = problem.horizon
        self._shape = spaces.action_shape(self.action_form)
        self._flat, self._alone = len(self._shape) == 1, self._shape == ()
        self._size = len(self.observation_form.labels)
        self._dtype = np.dtype(self.action_space.dtype)
        self._episode = Episode(problem, self.tables, self.action_form, self.observation_form, self._dtype, self._alone)
        self._draws_now = False
        self._source: Any = None
        self._make_source: Any = problem.source
        self._t = -1  # before the first reset
        self._over = True

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._dtype = np.dtype(self.action_space.dtype)  # the very one, by which a step knows what it is given
        self._episode.expect(self._t + 1)

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
        return self._begin(episode)

    def use_source(self, make_source: Callable[..., Source], observation_form: ObservationForm) -> None:
        """Play the episodes of another source from the next reset on.

        Args:
            make_source: Takes seeds and generators and returns a source, as `Problem.source` does.
            observation_form: The form in use, with bounds that hold in those episodes too.
        """
        self._make_source = make_source
        self._source = None
        self.observation_form = observation_form
        self.observation_space = spaces.observation_space(observation_form)

    def _replayed(self, options: dict[str, Any] | None) -> Array | None:
        """Return the episode that reset options ask for."""
        if options is None:
            return None
        if not isinstance(options, Mapping):
            raise InvalidInput("options", options, "must be a mapping", 'Write {"exogenous": {...}}.')
        for name, value in options.items():
            if name != "exogenous":
                raise InvalidInput(f"options.{name}", value, "there is no such option", nearest(name, ["exogenous"]))
        return None if options.get("exogenous") is None else self.problem.replay(options["exogenous"])

    def _begin(self, episode: Array) -> tuple[Any, dict[str, Any]]:
        """Start this episode; return the first observation and its `info`."""
        seen = self._episode.begin(episode)
        self._t = 0
        self._over = False
        return seen

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Play one period.

        Raises:
            InvalidInput: The action has the wrong shape, is not finite or no choice that there is, or the episode
                is over; nothing is changed then.
        """
        t, episode = self._t, self._episode
        if self._over:
            raise self._not_running()
        if self._draws_now:
            action = self._checked(action).reshape(self._shape)
            self.problem.draw_now(t, self._world(), self.np_random)
        try:
            if self._flat and action.dtype is self._dtype and action.shape == self._shape:
                reward = episode.play(t, episode.handle, action)
            elif self._alone:
                whole = action.__class__ in WHOLE
                reward = episode.play(t, episode.handle, action) if whole else self._step_converted(t, action)
            elif action.dtype is self._dtype and action.shape == self._shape:
                reward = episode.play(t, episode.handle, action.ravel())
            else:
                reward = self._step_converted(t, action)
        except Exception:  # not an array, and an array-like may raise anything; nothing has been changed
            reward = self._step_converted(t, action)
        if reward != reward:
            self._checked(action)
        self._t = t + 1
        obs, info = next(episode.views)
        if ending := episode.written[ENDING]:
            self._over = True
            return obs, reward, (ending & 1) == 1, ending >= 2, info
        return obs, reward, False, False, info

    def _step_converted(self, t: int, action: Any) -> float:
        """Play a period with an action of another kind, converted to float64 and compiled at first use."""
        numbers = self._checked(action)
        episode = self._episode
        if self._alone and abs(numbers[0]) < MOST_WHOLE and numbers[0] == int(numbers[0]):
            return episode.play(t, episode.handle, int(numbers[0]))
        return episode.play_numbers(t, numbers)

    def _checked(self, action: Any) -> Array:
        """Return the action as finite numbers of the right shape, valid as choices."""
        labels = self.action_form.labels
        try:
            numbers = np.asarray(action)
            if numbers.dtype.kind not in "iuf":
                raise ValueError
            numbers = numbers.astype(np.float64)
        except Exception:  # an array-like of another library may raise anything
            mend = (
                f"Give {len(labels)} numbers: {labels[0]}, ..." if len(labels) > 1 else f"Give one number: {labels[0]}."
            )
            raise InvalidInput("action", action, "must be numbers", mend) from None
        if numbers.shape != self._shape:
            raise InvalidInput(
                "action",
                f"shape {numbers.shape}",
                f"must be {self._shape}",
                "One number each: " + labels[0] + ", ...",
            )
        numbers = numbers.ravel()
        refuse_unusable(numbers, self.action_form, lambda i: "action" if self._alone else f"action[{i}]")
        return numbers

    def _not_running(self, what: str = "step") -> InvalidInput:
        if self._t < 0:
            return InvalidInput(what, "before reset", "no episode has begun", "Call reset() first.")
        return InvalidInput("step", f"period {self._t}", "the episode is over", "Call reset() to begin another.")

    def _world(self) -> Any:
        return self.problem.world(self.memory, self.tables)

    @property
    def memory(self) -> Array:
        """Everything that the dynamics read and write, in one array, shape (W,)."""
        return self._episode.row

    # looking ----------------------------------------------------------------------------------

    @property
    def period(self) -> int:
        """The period about to be played [t]."""
        return max(self._t, 0)

    def observe(self) -> Array:
        """Return the present observation as float64, flat, shape (O,)."""
        obs = np.empty(self._size, np.float64)
        self.problem.texts.observe(self.period, obs, self.tables.ints, self.tables.floats, *self._world())
        return obs

    @property
    def scene(self) -> Scene:
        """The scene of the present state, for a picture.

        Raises:
            InvalidInput: Before the first reset.
        """
        if self._t < 0:
            raise self._not_running("scene")
        return self.problem.scene(self._t, self._world())

    @property
    def trajectory(self) -> Trajectory:
        """The trajectory of this episode so far; it stays valid after the next reset."""
        lines = self._episode.lines
        record = lines[:, : self.tables.recorded]
        return Trajectory(
            record,
            self.problem.layout,
            lines[1:, -1],
            self.period,
            self.problem.exogenous_of(record[: self.period + 1], self._episode.drawn),
            {"problem": self.problem.name},
        )

    @property
    def played(self) -> PlayedSoFar:
        """The same as a view: nothing is copied, and the next period writes to it."""
        over = self._over and self._t > 0
        return PlayedSoFar(self._episode.lines, self.problem.layout, self.problem.parts, self.period, over)

    def kpis(self, partial: bool = False) -> dict[str, float]:
        """Key figures of the episode (see `restock.core.kpis.KPIS`).

        Raises:
            InvalidInput: The episode is not over and `partial` is false.
        """
        from restock.core.kpis import kpis

        played = self.trajectory
        over = partial or (self._over and self._t > 0)
        figures = kpis(played, self._horizon, over) | self.problem.figures(played)
        return {name: float(value) for name, value in figures.items()}

    def action_masks(self) -> NDArray[np.bool_]:
        """Return which choices can be carried out now, shape (choices,); sb3-contrib looks for this name.

        Raises:
            AttributeError: The actions are no choices.
        """
        record = self._episode.lines[self.period, : self.tables.recorded]
        masks: NDArray[np.bool_] = spaces.masks(self.problem, self.action_form, record[None])[0]
        return masks

    def obs_names(self) -> list[str]:
        """Return the name of each number of the flat observation."""
        return list(self.observation_form.labels)

    def action_names(self) -> list[str]:
        """Return the name of each number of the action."""
        return list(self.action_form.labels)

    def explain(self) -> str:
        """Return the problem, the observation and the action in words."""
        parts = (
            self.problem.explain(),
            spaces.observation_words(self.observation_form),
            spaces.action_words(self.action_form),
        )
        return "\n\n".join(parts)

    def render(self) -> Any:
        """Return the state as text (`ansi`) or as an image (`rgb_array`, uint8 of shape (H, W, 3)).

        Raises:
            InvalidInput: Before the first reset, or an image without Pillow installed.
        """
        if self.render_mode is None:
            gym.logger.warn('Nothing is rendered: make the environment with render_mode="ansi" or "rgb_array".')
            return None
        if self._t < 0:
            raise self._not_running("render")
        from restock.envs import render

        view = render.View(self.problem, self._t, self._world(), self._episode.lines[1 : self._t + 1, -1])
        return render.as_text(view) if self.render_mode == "ansi" else render.as_image(view)
