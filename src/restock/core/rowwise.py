"""A whole batch of episodes through the text of dynamics at once, one array for each entity.

Every number of the world that belongs to an episode becomes an array of shape (B,); the tables stay
plain numbers. On NumPy this runs without a compiler; on torch gradients flow from rewards to decisions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from restock.core import backends
from restock.core.errors import InvalidInput
from restock.core.problem import Array, Problem
from restock.core.schema import MEMORY, ONE, Field

Library = Literal["numpy", "torch"]


class RowWise:
    """B episodes of a problem, played period by period.

    Args:
        problem: What to play.
        episodes: Episode parts of the memory rows, shape (B, drawn), as a source draws them.
        library: `numpy` or `torch` (tensors of float64 on `device`).
        device: For torch: where the tensors live.

    Attributes:
        world: Named tuples of lists with one array of shape (B,) for each entity.
        t: The period about to be played.

    Raises:
        InvalidInput: No such library; torch that is not installed; a problem whose chance must be
            drawn period by period.

    Example:
        >>> import numpy as np, restock
        >>> problem = restock.load_problem("serial")
        >>> episodes = problem.source([1, 2]).next(np.arange(2))
        >>> RowWise(problem, episodes).play(np.full((2, 30, 3), 20.0)).shape
        (2, 30)
    """

    def __init__(self, problem: Problem, episodes: Array, library: Library = "numpy", device: Any = None) -> None:
        if library not in ("numpy", "torch"):
            raise InvalidInput("library", library, "there is no such library", "Known: numpy, torch.")
        if problem.sequential:
            problem_with = "its demand is drawn period by period"
            raise InvalidInput("problem", problem.name, problem_with, "Use another sampler than `sequential`.")
        self.problem = problem
        self.library = library
        self.t = 0
        operations = backends.numpy_operations() if library == "numpy" else backends.torch_operations()
        names = operations | problem.operations(library)
        texts = problem.texts_in_force
        laws = [law for law in texts.laws if law.__name__ not in names]
        bound = backends.bind_all((*laws, texts.step, texts.put), names)
        self._step, self._put = bound[texts.step.__name__], bound[texts.put.__name__]
        self.world = _world(problem, np.asarray(episodes, dtype=np.float64), _maker(library, device))

    def step(self, decision: Any) -> Any:
        """Play one period.

        Args:
            decision: In physical units, array or tensor of shape (B, A).

        Returns:
            Rewards, shape (B,).
        """
        self._put([decision[:, i] for i in range(decision.shape[1])], *self.world)
        reward = self._step(self.t, *self.world)
        self.t += 1
        return reward

    def play(self, plans: Any) -> Any:
        """Play whole plans of shape (B, T, A); returns the rewards, shape (B, T)."""
        rewards = [self.step(plans[:, t]) for t in range(plans.shape[1])]
        if self.library == "numpy":
            return np.stack(rewards, axis=1)
        import torch

        return torch.stack(rewards, dim=1)

    def field(self, name: str) -> Any:
        """Return a field of the present world, one array for each entity."""
        for part in self.world:
            if hasattr(part, name):
                return getattr(part, name)
        raise InvalidInput("field", name, "there is no such field", "Known are those of the problem's named tuples.")


def _maker(library: Library, device: Any) -> Callable[[Array], Any]:
    """Return how a column of numbers becomes an array of the library."""
    if library == "numpy":
        return lambda column: column.copy()
    import torch

    return lambda column: torch.tensor(column, dtype=torch.float64, device=device)


def _world(problem: Problem, episodes: Array, array: Callable[[Array], Any]) -> tuple[Any, ...]:
    """Return the world with one array for each number that a memory row holds."""
    schema, rows, fixed = problem.schema, problem.rows(episodes), problem.fixed
    places = schema.places(problem.sizes, *MEMORY)

    def numbers(field: Field) -> Any:
        if field.key not in places:
            return getattr(getattr(fixed, field.part), field.name).tolist()
        columns = rows[:, places[field.key]].T
        if field.kind == "constant" and field.axis == ONE:  # a number that is the same in all episodes stays one
            values = columns[0]
            return float(values[0]) if (values == values[0]).all() else array(values)
        entries = [array(column) for column in columns]
        if field.kind != "chance" or field.axis == ONE:
            return entries
        width = len(entries) // problem.sizes[field.over]
        return [entries[k : k + width] for k in range(0, len(entries), width)]

    by_part = {part: [field for field in schema.fields if field.part == part] for part in schema.parts}
    return schema.World(*(kind(*map(numbers, by_part[part])) for part, kind in schema.parts.items()))
