"""What training can do with a problem, as the manifest of its family says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from restock.core.errors import InvalidInput
from restock.core.problem import Array, Problem
from restock.problems.manifest import ANY, id_of, manifest_for, resolved

if TYPE_CHECKING:  # these import gymnasium or torch, and a description needs neither
    from restock.learning import config, rows
    from restock.learning.preparation import Forms, Preparation
    from restock.policies._base import Information


class Learning:
    """Training for a problem through the contract of all problems. Families that offer more derive from it.

    Args:
        problem: What is trained for.

    Attributes:
        algorithm: The algorithm that is used where none is named.
        tensors: Whether it has tensors to learn through, for `pathwise`, imitation and generalists.
        information: What a policy knows that was trained for the problem's own demand.
        general: The entries of presets that hold for the whole family, the first also where nothing else does.
    """

    algorithm: ClassVar[str] = "ppo"
    tensors: ClassVar[bool] = False
    # Where nobody is told more than that, to have met the chances is not to have been told them.
    information: ClassVar[Information] = "blind"
    general: ClassVar[tuple[str, ...]] = (ANY,)

    def __init__(self, problem: Any) -> None:
        self.problem = problem

    @property
    def entry(self) -> str:
        """The name under which presets list the problem."""
        return id_of(self.problem.family)

    def data(self) -> dict[str, Any] | None:
        """Return all of the problem as plain data; None if its spec says it."""
        return None

    def trainable(self) -> Problem:
        """Return the problem in the form in which episodes are drawn for training."""
        found: Problem = self.problem
        return found

    def ground(self, regimes: config.Regimes | None) -> Problem:
        """Return the problem that is trained on: for the demand of the problem, or for these regimes."""
        return self.trainable()

    def judged(self, ground: Problem, regimes: config.Regimes | None) -> list[Problem]:
        """Return the problems that a policy trained on the ground is judged on."""
        return [ground]

    def met(self, regimes: config.Regimes | None) -> list[Any] | None:
        """Return the problems whose episodes a generalist meets; None if there is no generalist.

        Raises:
            InvalidInput: The regimes are of a kind that has no such list.
        """
        return None

    def curves(self, regimes: config.Regimes | None) -> tuple[Array, Array] | None:
        """Return the curves of a belief about demand, and their noise; None if there is nothing to believe."""
        return None

    def worth(self) -> float:
        """Return the scale of the problem's profit."""
        return 1.0

    def forms(self, chosen: Preparation, information: Information) -> Forms:
        """Return the forms of observation and action; see `forms.forms_of`."""
        from restock.learning.own_forms import OwnForms

        return OwnForms(self.problem, chosen, information)

    def rows(self, num_envs: int, forms: Any, several: Sequence[Any] | None) -> rows.Rows:
        """Return the problem's rows for stable-baselines3; see `sb3.stable_environment`.

        Raises:
            InvalidInput: There is only one kind of demand.
        """
        from restock.learning.rows import OwnRows

        if several is not None:
            raise InvalidInput("several", several, "only supply networks have several kinds of demand", "Leave it out.")
        return OwnRows(self.problem, num_envs, forms)

    def check_same(self, problem: Any) -> None:
        """Check that a policy for this problem can decide in another one of the same family and the same names.

        Raises:
            InvalidInput: It cannot.
        """


def learning_of(problem: Problem) -> Learning:
    """Return what training can do with a problem."""
    found: Learning = resolved(manifest_for(problem).learning)(problem)
    return found
