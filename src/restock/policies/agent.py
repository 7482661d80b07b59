"""A policy as an agent: `predict` from the observations of an environment, as stable-baselines3 calls it.

An observation does not hold all that a policy may see (past flows, for one), so an agent belongs to an environment and
looks up there what has happened; what it is given as the observation only says how many rows there are.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from restock.core.errors import InvalidInput
from restock.core.problem import Array, Problem
from restock.core.trajectory import PlayedSoFar
from restock.envs.single import Environment
from restock.envs.vector import VectorEnvironment
from restock.policies._base import Policy, View

HALVINGS = 60  # of an interval in which an action is looked for


class PolicyAgent:
    """A policy that plays in an environment.

    Args:
        policy: Who decides.
        env: An environment of restock, with wrappers around it or without; or several: a `VecEnv` of
            stable-baselines3, a vector environment of Gymnasium, or the native one made with `record=True`.

    Raises:
        InvalidInput: The policy must know the future, or the environment is of another problem.

    Attributes:
        policy: Who decides.
        env: Where it plays.

    Example:
        >>> import gymnasium as gym, restock
        >>> env = gym.make("restock/Serial-v0")
        >>> agent = restock.make_policy("base-stock", "serial").as_agent(env)
        >>> obs, info = env.reset(seed=1)
        >>> action, _ = agent.predict(obs)
        >>> action in env.action_space
        True
    """

    def __init__(self, policy: Policy, env: Any) -> None:
        if policy.information == "clairvoyant":
            mend = "Use a policy that decides on what has happened."
            raise InvalidInput("policy", policy.name, "an agent does not meet the future", mend)
        self.policy = policy
        self.env = env
        self._rows = _rows_of(self.env)
        seats = self._rows()
        if seats[0].problem.labels() != policy.problem.labels():
            raise InvalidInput("env", seats[0].problem.name, "the policy was made for another problem", "Make it anew.")
        self._deciders = [policy] + [_another(policy) for _ in seats[1:]]
        self._means: list[Array | None] = [None] * len(seats)
        self._last: tuple[Any, Any] = (None, None)  # where the environment stood, and what it was said to show
        space = getattr(self.env, "single_action_space", None) or self.env.action_space
        self._shape, self._type = space.shape, space.dtype
        self._rescaled = _rescaling(seats[0].space, space)

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """Decide in the present period of the environment.

        Args:
            observation: What the environment shows now, of one environment or of all rows.
            state: Passed on.
            episode_start: Not needed: the environment tells.
            deterministic: Not needed: a policy has its own random streams.

        Returns:
            The action, or one for each row, and `state`.

        Raises:
            InvalidInput: The observation moves on while the environment stands still: it comes from another one.
        """
        seats = self._rows()
        self._check(observation, seats)
        actions = [self._action(k, seat) for k, seat in enumerate(seats)]
        first = next(iter(observation.values())) if isinstance(observation, dict) else observation
        seen = seats[0].observed
        if len(seats) == 1 and np.ndim(first) <= seen:
            return (actions[0] if self._shape else int(actions[0])), state
        return np.stack(actions).astype(self._type), state

    def _check(self, observation: Any, seats: Sequence[Seat]) -> None:
        """Reject an observation of another environment than the agent's."""
        played = [seat.played() for seat in seats]
        stands = [(id(one.lines), one.periods) for one in played]
        before, seen = self._last
        now = copy.deepcopy(observation)
        self._last = stands, now
        if stands == before and not _same(seen, now):
            mend = "Make the agent with `policy.as_agent(env)`, env being the environment that is played in."
            raise InvalidInput("observation", "of another environment", "the agent's own has not moved on", mend)

    def _action(self, k: int, seat: Seat) -> NDArray[Any]:
        """Return the action of one row, in the space of the environment as it is wrapped."""
        played, problem = seat.played(), seat.problem
        if played.done or played.periods >= problem.horizon:  # begun anew by the next step, which asks for no action
            low = seat.form.low.reshape(seat.space.shape or ())
            return np.asarray(self._rescaled(low), dtype=self._type)
        if played.periods == 0:
            self._deciders[k].begin(1, k, None)
            self._means[k] = None if self.policy.information == "blind" else seat.mean()
        decision = np.asarray(self._deciders[k].act(_view(played, problem, self._means[k])), dtype=np.float64)[0]
        action = _written(decision, seat)
        return np.asarray(self._rescaled(action.reshape(seat.space.shape or ())), dtype=self._type)


class Seat:
    """One row of an environment, as an agent sees it."""

    def __init__(self, env: Any, row: int | None = None) -> None:
        self._env, self._row = env, row
        self.problem: Problem = env.problem
        self.form, self.tables = env.action_form, env.tables
        self.space = env.action_space if row is None else env.single_action_space
        shown = env.observation_space if row is None else env.single_observation_space
        self.observed = 1 if shown.shape is None else len(shown.shape)  # axes of one observation, or of its blocks

    def played(self) -> PlayedSoFar:
        """Return the trajectory so far."""
        played: PlayedSoFar = self._env.played if self._row is None else self._env.played_in(self._row)
        return played

    def mean(self) -> Array | None:
        """Return the mean of demand in every period, shape (1, T, M)."""
        memory = self.memory()
        found = self.problem.exogenous_of(memory[None, : self.tables.recorded], memory[-self.tables.drawn :])
        mean = found.get("mean")
        return None if mean is None else mean[None].copy()

    def memory(self) -> Array:
        """The row's memory."""
        memory: Array = self._env.memory if self._row is None else self._env.memory[self._row]
        return memory

    def decided(self, actions: Array) -> Array:
        """Return the decisions that actions of shape (K, A) ask for now, shape (K, D)."""
        memory = np.tile(self.memory(), (len(actions), 1))
        asked = np.ascontiguousarray(actions, dtype=np.float64)
        self.problem.kernels.decided(self.tables.ints, self.tables.floats, memory, asked)
        return memory[:, self.problem.layout.columns[self.problem.decision]]


def _rows_of(env: Any) -> Callable[[], Sequence[Seat]]:
    """Return a function that reads the rows of an environment; rows in other processes are sent here each time.

    Raises:
        InvalidInput: There is no environment of restock in it.
    """
    inner = getattr(env, "unwrapped", env)
    if isinstance(inner, VectorEnvironment):
        inner.played_in(0)  # says what is missing
        seats = [Seat(inner, row) for row in range(inner.num_envs)]
        return lambda: seats
    if isinstance(inner, Environment):
        alone = [Seat(inner)]
        return lambda: alone
    if hasattr(inner, "envs"):
        near = [Seat(_own(one)) for one in inner.envs]
        return lambda: near
    if hasattr(inner, "get_attr"):
        return lambda: [Seat(_own(one)) for one in inner.get_attr("unwrapped")]
    _own(env)
    raise AssertionError


def _own(env: Any) -> Environment:
    inner = getattr(env, "unwrapped", env)
    if not isinstance(inner, Environment):
        raise InvalidInput("env", str(env), "must be an environment of restock", 'Give gym.make("restock/Serial-v0").')
    return inner


def _another(policy: Policy) -> Policy:
    try:
        return copy.deepcopy(policy)
    except Exception:  # what a policy holds may refuse in any way
        mend = "Play in one environment."
        raise InvalidInput("policy", policy.name, "it cannot be copied for each of several rows", mend) from None


def _same(one: Any, other: Any) -> bool:
    """Return whether two observations are equal, as arrays or by block."""
    if isinstance(one, dict):
        return isinstance(other, dict) and all(_same(value, other.get(name)) for name, value in one.items())
    return bool(np.array_equal(one, other))


def _view(played: PlayedSoFar, problem: Problem, mean: Array | None) -> View:
    """Return what a policy may see of one episode; its past cannot be written to."""
    lines = played.lines.view()
    lines.flags.writeable = False
    t = played.periods
    now = {name: lines[t : t + 1, places].copy() for name, places in problem.layout.places.items()}
    past = {name: lines[None, 1 : t + 1, places] for name, places in problem.layout.places.items()}
    return View(t, now, past, mean)


def _written(decision: Array, seat: Seat) -> Array:
    """Return the action that asks for a decision, or for the nearest possible one, flat."""
    form = seat.form
    if form.discrete and form.shape == ():
        choices = np.arange(int(form.high[0]) + 1.0)[:, None]
        found: Array = choices[np.square(seat.decided(choices) - decision).sum(axis=1).argmin()]
        return found
    if len(form.low) != len(decision):
        problem = f"a decision of {len(decision)} numbers cannot be written as an action of the form {form.kind}"
        raise InvalidInput("env.action", form.kind, problem, f"Use {seat.problem.action_kinds[0]}.")
    least, most = seat.decided(np.stack([form.low, form.high]))
    wide = most > least
    share = np.where(wide, (decision - least) / np.where(wide, most - least, 1.0), 0.0)
    action = form.low + np.clip(share, 0.0, 1.0) * (form.high - form.low)
    if form.discrete:
        return np.asarray(np.round(action))
    missed = np.abs(seat.decided(action[None])[0] - decision).sum()
    if missed <= 1e-6 * np.abs(decision).sum():
        return np.asarray(action)
    searched = _searched(decision, seat)
    return searched if np.abs(seat.decided(searched[None])[0] - decision).sum() < missed else np.asarray(action)


def _searched(decision: Array, seat: Seat) -> Array:
    """Return the action number by number, each the least that suffices, where they depend on earlier ones."""
    form = seat.form
    action = form.low.copy()
    for i in range(len(action)):
        low, high = float(form.low[i]), float(form.high[i])
        for _ in range(HALVINGS):
            action[i] = 0.5 * (low + high)
            enough = seat.decided(action[None])[0, i] >= decision[i]
            low, high = (low, float(action[i])) if enough else (float(action[i]), high)
        action[i] = high
    return np.asarray(action)


def _rescaling(own: Any, shown: Any) -> Callable[[Array], Array]:
    """Return the map from an action of the environment to one of the wrapper around it.

    Raises:
        InvalidInput: That has actions of another kind.
    """
    if own == shown or (isinstance(shown, Box) and shown.shape == own.shape and not np.isfinite(shown.low).all()):
        return lambda action: action
    if isinstance(own, Box) and isinstance(shown, Box) and own.shape == shown.shape:
        width = np.where(own.high > own.low, own.high - own.low, 1.0)
        return lambda action: shown.low + (action - own.low) / width * (shown.high - shown.low)
    raise InvalidInput("env", str(shown), "its wrappers give actions another form", "Leave that wrapper out.")
