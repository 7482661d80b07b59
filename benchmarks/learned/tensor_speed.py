"""The tensor form of the dynamics beside the text row by row."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import restock
from restock.core.play import draw
from restock.core.rowwise import RowWise
from restock.learning.tensor import TensorNetwork


def speed() -> None:
    """Processor milliseconds of a rollout of 128 paths with its gradient: the tensor form, the text row by row."""
    import torch

    torch.set_num_threads(1)
    for name in ("divergent", "serial"):
        text, double, single = _speed_of(name)
        print(
            f"{name}: text {text:.1f} ms, tensor form {double:.1f} ms ({text / double:.1f}x), "
            f"in single precision {single:.1f} ms ({text / single:.1f}x)",
            file=sys.stderr,
        )


def _speed_of(name: str, count: int = 128) -> tuple[float, float, float]:
    """Processor milliseconds on a network: of the text, of the tensor form, and of it in single precision."""
    import torch

    problem: Any = restock.load_problem(name)
    periods, markets = problem.horizon, len(problem.markets)
    episodes = draw(problem, count, 0).vectors
    size = periods * markets
    demand = torch.tensor(episodes[:, -size:].reshape(count, periods, markets))
    mean = torch.tensor(episodes[:, -2 * size : -size].reshape(count, periods, markets))
    orders = 40.0 * torch.rand((count, periods, len(problem.links)), dtype=torch.float64)
    orders.requires_grad_(True)
    tensors = {dtype: TensorNetwork(problem, dtype) for dtype in (torch.float64, torch.float32)}

    def text() -> None:
        batch = RowWise(problem, episodes, "torch")
        torch.autograd.grad(batch.play(orders).sum(), orders)

    def tensor(dtype: Any) -> None:
        net = tensors[dtype]
        plan = orders.detach().to(dtype).requires_grad_(True)
        state = net.start(np.ones(count), np.zeros(count))
        met, stray = mean.to(dtype), (demand - mean).to(dtype)
        happened = []
        for t in range(periods):
            state, record = net.step(t, state, plan[:, t], met[:, t], stray[:, t])
            happened.append(record)
        torch.autograd.grad(net.profit(torch.stack(happened)).sum(), plan)

    return _timed(text), _timed(lambda: tensor(torch.float64)), _timed(lambda: tensor(torch.float32))


def _timed(work: Callable[[], None]) -> float:
    """Processor milliseconds, the median of seven times."""
    times = []
    for _ in range(7):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return 1e3 * statistics.median(times)
