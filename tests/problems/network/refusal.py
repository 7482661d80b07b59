"""What a refusal has to look like, and that nothing follows from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from restock import InvalidInput
from restock.core.errors import UnknownKeyword

NAN, INF = float("nan"), float("inf")


def refused(give: Callable[[], Any], field: str, value: str | None = None, problem: str = "") -> InvalidInput:
    """The one clear finding: the exact field, the value as given, the problem, a mend that is a sentence."""
    with pytest.raises(InvalidInput) as caught:
        give()
    error = caught.value
    text = str(error)
    assert error.field == field
    assert text.startswith(f"{field} = ")
    if value is not None:
        assert value in text.removeprefix(f"{field} = ").split(": " + error.problem)[0]
    assert problem in error.problem
    assert re.fullmatch(r"[A-Z`'\"].*[.?]", error.mend), error.mend
    assert not error.problem.endswith(".") and len(text) < 400
    for inside in ("Input should", "validation error", "pydantic", "instance of", "Traceback", "input should"):
        assert inside not in text
    cause = error.__cause__  # Gymnasium raises an error that is a TypeError anew, from itself
    assert cause is None or (type(cause), str(cause)) == (UnknownKeyword, text)
    return error


def shortened(value: Any) -> str:
    return repr(value)[:40]


class Odd:
    """An array-like that raises when it is looked at."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("not now")

    def __repr__(self) -> str:
        raise RuntimeError("not now")


def undisturbed(env: Any, refuse: Callable[[], Any]) -> None:
    """After a refusal in the middle of an episode everything goes on as in an environment without it."""
    twin = gym.make(env.spec.id if env.spec else "restock/Serial-v0", horizon=env.problem.horizon).unwrapped
    for world in (env, twin):
        world.reset(seed=5)
        world.step(np.full(3, 20.0))
    generator = env.np_random.bit_generator.state
    memory = env._episode._memory.copy()
    refuse()
    assert env.np_random.bit_generator.state == generator
    np.testing.assert_array_equal(env._episode._memory, memory)
    for _ in range(2):
        same(env.step(np.full(3, 10.0)), twin.step(np.full(3, 10.0)))
    np.testing.assert_array_equal(env.reset()[0], twin.reset()[0])
    same(env.step(np.full(3, 10.0)), twin.step(np.full(3, 10.0)))


def same(one: Any, other: Any) -> None:
    for a, b in zip(one[:4], other[:4], strict=True):
        np.testing.assert_array_equal(a, b)
