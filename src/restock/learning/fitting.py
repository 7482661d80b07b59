"""Which forms of a problem's observations and actions a model was trained with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from restock.core.errors import InvalidInput, nearest
from restock.core.problem import ActionForm, ObservationForm, Problem, choose
from restock.envs import spaces


def action_form_of(model: Any, problem: Problem, acts: str | None, max_order: Any) -> ActionForm:
    """Return the form of the model's actions: the one named, if the model gives such, or the one of its space.

    Args:
        model: What decides; a function has no spaces.
        problem: Whose forms these are.
        acts: The name of the form; None: by the model's `action_space`, without one the problem's first.
        max_order: As in `gym.make`.

    Raises:
        InvalidInput: There is no such form, it is not that of the model, or it cannot be told which one is.
    """
    known, space = problem.action_kinds, getattr(model, "action_space", None)
    if acts is not None:
        choose(acts, known, "acts")
    elif space is None:
        return problem.action_form(known[0], max_order)
    forms = [problem.action_form(kind, max_order) for kind in (known if acts is None else (acts,))]
    if acts is not None:
        own = spaces.action_space(forms[0])
        if space is None or (type(own) is type(space) and own.shape == space.shape):
            return forms[0]
        forms = []
    fitting = [form for form in forms if spaces.action_space(form) == space]
    found: ActionForm | None = _the_one(fitting, _told(model, "action_form"))
    if found is None:
        mend = f"Say which of {', '.join(known)} it was trained with, and `max_order` or `trained_in`."
        raise InvalidInput("acts", acts, f"the model's actions are {space}", mend)
    return found


def observation_form_of(
    model: Any, problem: Problem, sees: str | Sequence[str] | None
) -> tuple[ObservationForm, list[int] | None]:
    """Return the form of what the model is shown, and which numbers of it; None for all.

    Args:
        model: What decides; a function has no spaces.
        problem: Whose forms these are.
        sees: The name of the form, or names of numbers; None: by the model's `observation_space`, without one the
            problem's first.

    Raises:
        InvalidInput: There is no such form or number, it is not what the model sees, or it cannot be told which.
    """
    known, space = problem.observation_kinds, getattr(model, "observation_space", None)
    if sees is not None and not isinstance(sees, str):
        form = problem.observation_form("flat" if "flat" in known else known[0])
        for k, label in enumerate(sees):
            if label not in form.labels:
                raise InvalidInput(f"sees[{k}]", label, "no number has this name", nearest(label, form.labels))
        if space is not None and space.shape != (len(sees),):
            raise InvalidInput("sees", list(sees), f"the model sees {space}", "Name as many numbers.")
        return form, [form.labels.index(label) for label in sees]
    if sees is not None:
        choose(sees, known, "sees")
    elif space is None:
        return problem.observation_form(known[0]), None
    forms = [problem.observation_form(kind) for kind in (known if sees is None else (sees,))]
    exact = [form for form in forms if space is None or spaces.observation_space(form) == space]
    # Bounds are changed by what scales observations, so without the same ones as many numbers have to do.
    fitting = exact or [form for form in forms if _as_many(spaces.observation_space(form), space)]
    found = _the_one(fitting, _told(model, "observation_form"))
    if found is None:
        mend = f"Say which of {', '.join(known)} it was trained with, or the names of the numbers."
        raise InvalidInput("sees", sees, f"the model sees {space}", mend)
    return found, None


def _the_one(fitting: Sequence[Any], kind: str | None) -> Any:
    """The only form that fits, or of several the one that the model's own environment has; None if that is unknown."""
    if len(fitting) == 1:
        return fitting[0]
    return next((form for form in fitting if form.kind == kind), None)


def _told(model: Any, name: str) -> str | None:
    """Return the form that the environment has in which a model learnt, if it still has one."""
    try:
        kind: str = model.get_env().get_attr(name)[0].kind
    except Exception:  # there is none, or it is not one of restock
        return None
    return kind


def _as_many(own: Any, space: Any) -> bool:
    """Return whether two spaces hold as many numbers."""
    if hasattr(own, "spaces") or hasattr(space, "spaces"):
        return bool(own == space)
    return bool(own.shape == space.shape)
