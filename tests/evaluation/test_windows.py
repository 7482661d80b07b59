"""Windows cut from a series, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from restock.core.errors import InvalidInput
from restock.evaluation.windows import cut


def test_windows_by_hand() -> None:
    windows = cut([10, 11, 12, 13, 14, 15, 16, 17, 18, 19], length=4, every=2, past=3)
    assert windows.history.tolist() == [10, 11, 12]
    assert windows.starts.tolist() == [3, 5]  # a window from day 7 would need day 10
    assert windows.episodes.tolist() == [[13, 14, 15, 16], [15, 16, 17, 18]]
    assert windows.block == 2
    assert windows.used == 6


def test_a_window_may_end_with_the_series() -> None:
    windows = cut(np.arange(10.0), length=5, every=5)
    assert windows.starts.tolist() == [0, 5]
    assert windows.episodes[-1].tolist() == [5, 6, 7, 8, 9]
    assert windows.block == 1


@pytest.mark.parametrize(("every", "block"), [(1, 30), (5, 6), (7, 5), (29, 2), (30, 1), (60, 1)])
def test_block_is_the_number_of_windows_that_share_days_with_the_first(every: int, block: int) -> None:
    windows = cut(np.ones(400), length=30, every=every)
    days = [set(range(start, start + 30)) for start in windows.starts]
    sharing = sum(bool(days[0] & other) for other in days)
    assert windows.block == sharing == block


def test_no_window_holds_a_day_of_the_past() -> None:
    series = np.arange(200.0)
    windows = cut(series, length=30, every=3, past=50)
    assert windows.episodes.min() == 50.0
    assert windows.history.max() == 49.0


def test_a_single_window_has_block_one() -> None:
    assert cut(np.ones(30), length=30, every=5).block == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"series": []}, "series"),
        ({"series": [[1, 2], [3, 4]]}, "series"),
        ({"series": [1, float("nan"), 2]}, "series[1]"),
        ({"series": [1, -2, 2]}, "series[1]"),
        ({"length": 0}, "length"),
        ({"length": 2.0}, "length"),
        ({"every": 0}, "every"),
        ({"every": True}, "every"),
        ({"past": -1}, "past"),
        ({"past": 5}, "past"),
        ({"length": 7}, "past"),
    ],
)
def test_bad_input(changes: dict, field: str) -> None:
    arguments = {"series": [1, 2, 3, 4, 5, 6], "length": 2, "every": 1, "past": 0} | changes
    with pytest.raises(InvalidInput) as caught:
        cut(**arguments)
    assert caught.value.field == field
