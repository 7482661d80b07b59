"""Pathwise training on the published scenarios: `python -m benchmarks learning`.

One policy for each of the 20 synthetic scenarios, trained within 120 processor seconds, played on the
ten published seeds; the ratios are to the published optimum. Runs are kept in runs/learning, so a
benchmark that was stopped goes on, and one that is finished only plays. The generalists (one blind
policy for each topology) stand beside.

    python -m benchmarks learning                   the table
    python -m benchmarks.bench_learning effects     a generalist for each topology, all combinations of effects
    python -m benchmarks.bench_learning family      the same, trained for a broad family of demand
    python -m benchmarks.bench_learning lost-sales  four lost-sales problems with published optima
    python -m benchmarks.bench_learning fresh       the table's policies on 1000 seeds that nobody has published
    python -m benchmarks.bench_learning speed       the tensor form beside the text row by row
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import restock
from benchmarks.scenarios import scenarios as published_scenarios
from benchmarks.timing import Row
from restock.core.play import draw, draw_each
from restock.core.problem import Problem
from restock.core.rowwise import RowWise
from restock.evaluation.simulate import run
from restock.learning.tensor import TensorNetwork
from restock.learning.train import train

RUNS = Path("runs/learning")
NUMBERS: dict[str, Any] = {"steps": 500, "restarts": 1, "cpu_seconds": 120.0}
GENERALIST: dict[str, Any] = {"steps": 400, "restarts": 1, "cpu_seconds": 120.0}
GEOMETRIC = {"name": "negative_binomial", "dispersion": 1.0}
# Mean 5: lead time, cost of a unit short, distribution, optimal long-run average cost. Zipkin (2008), Old and new
# methods for lost-sales inventory systems, Operations Research 56(5).
LOST_SALES: tuple[tuple[int, float, Any, float], ...] = (
    (4, 4.0, "poisson", 4.73),
    (4, 39.0, "poisson", 10.79),
    (4, 19.0, GEOMETRIC, 22.95),
    (2, 9.0, GEOMETRIC, 15.50),
)


def measure() -> list[Row]:
    """Train and play; prints the table on the way, returns how long training took."""
    seconds = []
    ratios: dict[str, float] = {}
    for name, problem, seeds, oracle in scenarios():
        folder = RUNS / name.replace(" ", "-")
        result = train(problem, folder, **NUMBERS)
        seconds.append(float(result["cpu_seconds"]))
        ratios[name] = earned(problem, folder, seeds) / oracle
        print(f"{name}: {ratios[name]:.4f}, {seconds[-1]:.0f} CPU-seconds", file=sys.stderr)
    summary(ratios)
    low, _, high = statistics.quantiles(seconds, n=4)
    what = "pathwise training of one policy (CPU-seconds), median of 20 scenarios"
    return [Row(what, statistics.median(seconds), None, None, low, high, "<= 120 s", "calls of torch")]


def scenarios() -> Iterator[tuple[str, Problem, list[int], float]]:
    """The synthetic scenarios: name, problem, published seeds and published optimum."""
    for one in published_scenarios():
        if "trend" in one.name or "stationary" in one.name:
            yield one.name, one.problem, list(one.seeds), one.means["Oracle"]


def earned(problem: Problem, folder: Path, seeds: list[int]) -> float:
    """Mean profit of the trained policy on these seeds."""
    return float(run(problem, restock.make_policy(str(folder), problem), draw_each(problem, seeds), 0).profit.mean())


def summary(ratios: dict[str, float]) -> None:
    """Means by group, on stderr."""
    groups: dict[str, Callable[[str], bool]] = {
        "all": lambda name: True,
        "goodwill": lambda name: "goodwill" in name,
        "no goodwill": lambda name: "goodwill" not in name,
        "divergent": lambda name: "divergent" in name,
        "serial": lambda name: "serial" in name,
    }
    for group, belongs in groups.items():
        part = [ratio for name, ratio in ratios.items() if belongs(name)]
        print(f"{group} ({len(part)}): mean {np.mean(part):.4f}, worst {min(part):.4f}", file=sys.stderr)


def fresh(count: int = 1000) -> None:
    """Ratios of summed profits to hindsight on other seeds, with 95 % intervals, for policies trained so far."""
    for name, problem, _, _ in scenarios():
        folder = RUNS / name.replace(" ", "-")
        if not (folder / "result.json").is_file():
            continue
        episodes = draw(problem, count, 50_000)
        best = run(problem, restock.make_policy("hindsight", problem), episodes, 0).profit
        ours = run(problem, restock.make_policy(str(folder), problem), episodes, 0).profit
        ratio = ours.sum() / best.sum()
        error = (ours - ratio * best).std(ddof=1) / np.sqrt(count) / best.mean()
        print(f"{name}: {ratio:.4f} +- {1.96 * error:.4f} on {count} seeds", file=sys.stderr)


def generalists(kind: str) -> None:
    """One blind policy for each topology, on the scenarios of its topology."""
    ratios: dict[str, float] = {}
    for topology in ("divergent", "serial"):
        folder = RUNS / f"{topology}-{kind}"
        result = train(topology, folder, regimes={"kind": kind}, tell=_tell, **GENERALIST)
        for name, problem, seeds, oracle in scenarios():
            if name.startswith(topology):
                ratios[name] = earned(problem, folder, seeds) / oracle
                print(f"{name}: {ratios[name]:.4f}", file=sys.stderr)
        print(f"{topology}: {result['cpu_seconds']:.0f} CPU-seconds", file=sys.stderr)
    summary(ratios)


def _tell(report: Any, gaps: dict[str, float]) -> None:
    print(f"step {report.step}: {report.profit:.2f}, {report.cpu_seconds:.0f} CPU-seconds", file=sys.stderr)


def lost_sales() -> None:
    """Long-run average cost of the deployed whole orders, beside the published optimum."""
    for lead, penalty, law, optimum in LOST_SALES:
        name = f"lost-sales-{lead}-{penalty:g}-{law if isinstance(law, str) else 'geometric'}"
        shape = {"calendar": False, "hidden": [64, 64]}
        result = train(
            lost_sales_problem(lead, penalty, law, 60),
            RUNS / name,
            architecture=shape,
            steps=1000,
            restarts=1,
            warm_up=20,
        )
        cost, error = long_run_cost(lost_sales_problem(lead, penalty, law, 260), RUNS / name)
        print(
            f"{name}: {cost:.3f} +- {1.96 * error:.3f} (95 %), optimum {optimum}, ratio {cost / optimum:.4f}, "
            f"{result['cpu_seconds']:.0f} CPU-seconds",
            file=sys.stderr,
        )


def lost_sales_problem(lead: int, penalty: float, law: Any, horizon: int) -> Problem:
    """A shop that loses what it cannot serve; an order of period t is there at the start of period t + lead."""
    network = {
        "name": "lost-sales",
        "horizon": horizon,
        "backlog": False,
        "nodes": [{"id": "supplier"}, {"id": "shop", "initial_inventory": 0.0, "holding_cost": 1.0}],
        "links": [{"from": "supplier", "to": "shop", "lead_time": lead, "price": 0.0}],
        "markets": [{"from": "shop", "to": "customers", "price": 0.0, "shortage_cost": penalty}],
        "demand": {"mean": 5.0, "distribution": law},
    }
    return restock.load_problem(network)


def long_run_cost(problem: Problem, folder: Path, episodes: int = 3000, warm_up: int = 60) -> tuple[float, float]:
    """Mean cost of a period after a warm-up, and its standard error over independent episodes."""
    policy = restock.make_policy(str(folder), problem, integer=True)
    parts = []
    for first in range(0, episodes, 500):
        rewards = run(problem, policy, draw(problem, 500, 10_000 + first), 0).trajectory.rewards
        parts.append(-rewards[:, warm_up:].mean(axis=1))
    cost = np.concatenate(parts)
    return float(cost.mean()), float(cost.std(ddof=1) / np.sqrt(len(cost)))


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


if __name__ == "__main__":
    which = sys.argv[1] if len(sys.argv) > 1 else ""
    parts: dict[str, Callable[[], object]] = {"": measure, "lost-sales": lost_sales, "speed": speed}
    parts["fresh"] = lambda: fresh(*map(int, sys.argv[2:]))
    parts |= {kind: partial(generalists, kind) for kind in ("effects", "family")}
    parts[which]()
