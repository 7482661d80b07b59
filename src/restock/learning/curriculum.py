"""A curriculum over horizons: training begins with short episodes, which lengthen to the problem's horizon.

A short episode is the beginning of a whole one: the same demand, the same observation with the same scales
and calendar, cut after some periods. What is left in stock and under way at the cut is therefore not
worthless, as it is at the end of the business: the cut is told as `TimeLimit.truncated`, so that an algorithm
puts its own estimate of the value of that state in the place of what would have followed.
"""

from __future__ import annotations

import dataclasses
import itertools
from bisect import bisect_right
from collections.abc import Sequence

from restock.core.errors import InvalidInput

MEND = "Write for instance curriculum=[10,20,30]."


@dataclasses.dataclass(frozen=True)
class Stages:
    """Which episodes are met when.

    Attributes:
        periods: Of an episode in each stage.
        ends: Steps of a row after which each stage but the last is over.
    """

    periods: tuple[int, ...]
    ends: tuple[int, ...]

    def at(self, played: int) -> int:
        """Return the periods of an episode that begins when a row has played so many steps."""
        return self.periods[bisect_right(self.ends, played)]


def check_shape(periods: Sequence[int], shares: Sequence[float] | None) -> None:
    """Check what does not depend on the problem.

    Raises:
        InvalidInput: Episodes do not grow, or the shares do not fit them.
    """
    if not periods or periods[0] < 1 or any(one >= other for one, other in itertools.pairwise(periods)):
        raise InvalidInput("curriculum", list(periods), "episodes grow from stage to stage", MEND)
    if shares is None:
        return
    if len(shares) != len(periods) or min(shares) <= 0.0 or abs(sum(shares) - 1.0) > 1e-6:
        mend = "Write one number above 0 for each stage, 1 in all."
        raise InvalidInput("curriculum_shares", list(shares), f"there are {len(periods)} stages", mend)


def stages_of(
    periods: Sequence[int] | None, shares: Sequence[float] | None, steps: int | None, horizon: int
) -> Stages | None:
    """Return the stages of a run; None where every episode is a whole one.

    Args:
        periods: Of an episode in each stage, the last with the problem's horizon.
        shares: Of the steps that each stage takes; None: equal ones.
        steps: Steps that a row plays in all.
        horizon: Of the problem.

    Raises:
        InvalidInput: They do not lead to the horizon, or the number of steps is not known.
    """
    if periods is None:
        return None
    check_shape(periods, shares)
    if periods[-1] != horizon:
        shorter = [one for one in periods if one < horizon]
        mend = f"Write {[*shorter, horizon]}."
        raise InvalidInput("curriculum", list(periods), f"the last stage has the problem's {horizon} periods", mend)
    if steps is None:
        mend = "Write the steps of one environment: those of the run over the number of environments."
        raise InvalidInput("curriculum_steps", None, "the stages are shares of a number of steps", mend)
    parts = shares or [1.0 / len(periods)] * len(periods)
    ends = [round(steps * part) for part in itertools.accumulate(parts)]
    return Stages(tuple(periods), tuple(ends[:-1]))
