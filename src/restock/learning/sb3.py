"""The native vector environment in the form of stable-baselines3. Needs stable-baselines3; import it inside functions.

    from stable_baselines3 import PPO
    from restock.learning.sb3 import stable_environment

    PPO("MlpPolicy", stable_environment("restock/Serial-v0", 64)).learn(100_000)

Any problem has rows: those of a network in `network_rows`, of all others in `rows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from restock.learning.family import learning_of
from restock.learning.forms import forms_of
from restock.learning.rows import Rows
from restock.problems.load import load_problem


def stable_environment(
    problem: Any,
    num_envs: int = 1,
    preparation: Any = None,
    several: Sequence[Any] | None = None,
    information: Any = "informed",
) -> Rows:
    """Return B rows of a problem for an algorithm of stable-baselines3.

    Args:
        problem: A problem, or anything `load_problem` takes.
        num_envs: Rows [B].
        preparation: What is seen and done, see `restock.learning.preparation.Preparation`.
        several: Of a network: problems on it; each episode is of one of them, drawn at random, while
            `problem` gives the scales. None: every episode is of `problem`.
        information: What the agent may know; matters to the policy of a network that is corrected.

    Raises:
        InvalidInput: An argument does not hold.
    """
    problem = load_problem(problem)
    learning = learning_of(learning_of(problem).trainable())
    forms = forms_of(learning.problem, preparation, information)
    return learning.rows(num_envs, forms, several)
