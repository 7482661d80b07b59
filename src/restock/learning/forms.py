"""The forms in which an agent meets a problem, whatever kind of problem it is."""

from __future__ import annotations

from typing import Any

from restock.core.problem import Problem
from restock.core.validation import validated
from restock.learning.family import learning_of
from restock.learning.preparation import Forms, Preparation
from restock.policies._base import Information


def settled(problem: Problem, preparation: Any) -> Preparation:
    """Return a preparation in which action and observation are named.

    Args:
        problem: What is trained for.
        preparation: A `Preparation`, or a mapping with its fields; None: the usual forms.

    Raises:
        InvalidInput: It does not hold.
    """
    chosen = validated(Preparation, {} if preparation is None else preparation, "preparation")
    kinds = problem.action_kinds
    action = chosen.action or ("normalized" if "normalized" in kinds else kinds[0])
    seen = problem.observation_kinds
    observation = chosen.observation or ("scaled" if "scaled" in seen else seen[0])
    return chosen.model_copy(update={"action": action, "observation": observation})


def forms_of(problem: Problem, preparation: Any, information: Information) -> Forms:
    """Return the forms of a problem.

    Args:
        problem: What is trained for.
        preparation: As for `settled`.
        information: What the agent may know; matters to the policy of a network that is corrected.

    Raises:
        InvalidInput: The problem has no such form.
    """
    return learning_of(problem).forms(settled(problem, preparation), information)
