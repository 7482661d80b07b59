"""Models from outside as policies: from stable-baselines3 or any class with `predict`, from torch, or a function."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from restock.core.errors import InvalidInput
from restock.core.problem import Array, Problem
from restock.core.trust import may_trust
from restock.envs import spaces
from restock.envs.rows import refuse_unusable
from restock.evaluation import simulate
from restock.learning.fitting import action_form_of, observation_form_of
from restock.learning.forms import forms_of
from restock.learning.models import decider_of, is_zip, network_at, prepared_forms, scaler_of
from restock.learning.network_forms import NetworkForms
from restock.learning.threads import one_thread
from restock.learning.trained import check_same
from restock.policies._base import Information, Policy, View
from restock.policies.registry import make_policy
from restock.problems.load import load_problem


class Adapted(Policy):
    """A model from outside: it is shown what an environment would show, and its answer is read as an environment would.

    Args:
        model: A model, the path of its zip, or a function; not the name or the folder of a policy.

    The other arguments are those of `as_policy`, which says what each means.

    Raises:
        InvalidInput: An argument does not hold, or the spaces of the model are not those of the forms.
    """

    name: ClassVar[str] = "adapted"
    summary: ClassVar[str] = "a model from outside, or a function of the observation"
    may_know: ClassVar[tuple[Information, ...]] = ("blind", "informed")

    def __init__(
        self,
        problem: Problem | Any,
        model: Any,
        sees: str | Sequence[str] | None = None,
        acts: str | None = None,
        *,
        max_order: Any = None,
        trained_in: Any = None,
        statistics: Any = None,
        information: Information | None = None,
        name: str | None = None,
    ) -> None:
        problem = load_problem(problem)
        super().__init__(problem, information)
        ground = problem if trained_in is None else load_problem(trained_in)
        if ground is not problem:
            check_same(ground, problem)
        if name is not None:
            self.name = name  # type: ignore[misc]
        if isinstance(model, (str, Path)):
            model = network_at(model)
        self._action = action_form_of(model, ground, acts, max_order)
        form, self._shown = observation_form_of(model, ground, sees)
        self._blocks = spaces.blocks_of(form) if form.kind == "dict" else None
        self._size = len(form.labels)
        self._tables = ground.tables(self._action, form)
        self._forms = forms_of(ground, {"observation": form.kind if form.kind == "scaled" else "flat"}, "informed")
        self._columns, self._kernels = problem.layout.columns, problem.kernels
        self._decide = decider_of(model, scaler_of(model, statistics))
        self._about = type(model).__name__ if not inspect.isfunction(model) else model.__name__
        self._in = problem

    def parameters_in_words(self) -> dict[str, Any]:
        """Return what decides, and in which form."""
        return {"model": self._about, "acts": self._action.kind}

    def begin(self, episodes: int, seed: int, chance: Any) -> None:
        """Forget earlier episodes."""
        self._forms.begin(episodes, self._in)

    def act(self, view: View) -> Array:
        """Return the decisions of shape (B, D), in physical units."""
        forms = self._forms
        flat = forms.seen(view) if isinstance(forms, NetworkForms) else forms.look(view)
        seen: Any = flat[:, self._shown] if self._shown is not None else flat
        if self._blocks is not None:
            seen = {name: flat[:, block] for name, block in self._blocks}
        masks = self._in.masks(view.now) if self._action.discrete else None
        asked = self._numbers(self._decide(seen, view.t == 0, masks), len(flat))
        memory = np.tile(self._tables.fresh, (len(flat), 1))
        for name, columns in self._columns.items():
            memory[:, columns] = view.now[name]
        self._kernels.decided(self._tables.ints, self._tables.floats, memory, asked)
        return memory[:, self._columns[self._in.decision]]

    def _numbers(self, answer: Any, rows: int) -> Array:
        """Return the actions as numbers of shape (B, A).

        Raises:
            InvalidInput: They cannot be used.
        """
        form = self._action
        try:
            asked = np.asarray(answer, dtype=np.float64).reshape(rows, len(form.labels))
        except (TypeError, ValueError):
            problem = f"actions of the form {form.kind} have shape {(rows, *spaces.action_shape(form))}"
            raise InvalidInput(f"policy {self.name}", answer, problem, "Say in `acts` what they are.") from None
        refuse_unusable(asked, form, lambda b, i: f"policy {self.name}: action[{i}] of episode {b}")
        return np.ascontiguousarray(asked)


@may_trust
def as_policy(
    model: Any,
    problem: Problem | Any,
    sees: str | Sequence[str] | None = None,
    acts: str | None = None,
    *,
    max_order: Any = None,
    trained_in: Any = None,
    statistics: Any = None,
    information: Information | None = None,
    name: str | None = None,
    trust: bool = False,
) -> Policy:
    """Return a model from outside as a policy, for `simulate`, `compare`, `audit`, and reports.

    Args:
        model: A model of stable-baselines3 or sb3-contrib, or the path of its zip; anything else with
            `predict(observation)`; a torch module (of a batch of observations); a function from one observation to
            one action. The name of a policy, the folder of a training run and a policy do as well.
        problem: What it decides in, or anything `load_problem` takes. Bounds and scales are those of its environment.
        sees: The form of its observation (`flat`, `scaled`, `dict`), or names out of `obs_names()`; None: as the
            model's observation space says, else the first form, which is that of `gym.make`.
        acts: The form of its action (`quantity`, `normalized`, ...); None: likewise.
        max_order: As in `gym.make`.
        trained_in: The problem whose bounds and scales its forms have, or anything `load_problem` takes; None: this.
        statistics: What observations were scaled by in training: a `VecNormalize` of stable-baselines3, or the file
            it was saved to; None: that of the model, where it still has one.
        information: `blind` (default) or `informed`: in which class it is compared. An observation is blind; a model
            that was trained for one demand has learnt its mean.
        name: In tables; None: `adapted`.
        trust: Whether code that a file brings may be run: a zip or `statistics` in which more is pickled than
            stable-baselines3, Gymnasium and NumPy have of their own, see `restock.core.trust`.

    Raises:
        InvalidInput: An argument does not hold or would have no effect (a policy decides in forms of its own, and so
            does a model that learnt in an environment of `stable_environment`), or the spaces of the model are not
            those of the forms.

    Example:
        >>> policy = as_policy(lambda obs: [20.0, 20.0, 20.0], "serial", name="twenty")
        >>> simulate.simulate("serial", policy, episodes=4).profit.shape
        (4,)
    """
    problem = load_problem(problem)
    forms = {"sees": sees, "acts": acts, "max_order": max_order, "trained_in": trained_in, "statistics": statistics}
    policy = _made(model, problem)
    if policy is not None:
        _refuse_given(forms | {"information": information, "name": name}, "a policy says this itself", "make_policy")
        return policy
    prepared = prepared_forms(model)
    if prepared is not None:
        _refuse_given(forms, "the environment that the model learnt in says this", "stable_environment")
        return _Prepared(problem, model, prepared, information, name)
    return Adapted(problem, model, information=information, name=name, **forms)


def _made(model: Any, problem: Problem) -> Policy | None:
    """Return the policy that is given, by itself, its name or the folder of its run; None where a model is given."""
    if isinstance(model, (str, Path)):
        if not is_zip(model):
            return make_policy(str(model), problem)
        if Path(model).with_name("config.yaml").is_file():
            return make_policy(str(Path(model).parent), problem)  # the run says in which forms it was trained
    if isinstance(model, Policy) or (isinstance(model, type) and issubclass(model, Policy)):
        return simulate.as_policy(model, problem)
    return None


def _refuse_given(arguments: Mapping[str, Any], why: str, where: str) -> None:
    """Reject arguments that would have no effect."""
    for argument, value in arguments.items():
        if value is not None:
            raise InvalidInput(argument, value, why, f"Leave out {argument}; what can be said is said to {where}.")


class _Prepared(Policy):
    """A model that learnt in an environment of `stable_environment`, in the forms of that."""

    name: ClassVar[str] = "adapted"
    may_know: ClassVar[tuple[Information, ...]] = ("blind", "informed")

    def __init__(
        self, problem: Problem, model: Any, forms: Any, information: Information | None, name: str | None
    ) -> None:
        from restock.learning.agents import Agent

        super().__init__(problem, information)
        if name is not None:
            self.name = name  # type: ignore[misc]
        self._agent = Agent(model.policy, forms, problem, scaler_of(model, None))
        self._about = type(model).__name__

    def parameters_in_words(self) -> dict[str, Any]:
        """Return what decides."""
        return {"model": self._about}

    def begin(self, episodes: int, seed: int, chance: Any) -> None:
        """Forget earlier episodes."""
        self._agent.begin(episodes)

    def act(self, view: View) -> Array:
        """Return the decisions of shape (B, D), in physical units."""
        with one_thread():
            return self._agent.orders(view)
