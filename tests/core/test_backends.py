"""One text of dynamics, many ways to run it: all of them agree."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from restock.core import backends, kernels
from restock.core.play import Episodes, draw, play
from restock.core.problem import Problem
from restock.core.rowwise import RowWise
from restock.envs.single import Environment
from restock.envs.vector import VectorEnvironment
from restock.problems.load import load_problem
from tests.problems.network.networks import random_actions, random_network

ROWS = 3
PERIODS = 9
CLOSE = {"rtol": 1e-12, "atol": 1e-9}
GOODWILL = {"goodwill": True, "sampler": "inverse"}
DEMANDS: list[dict[str, Any]] = [
    {},
    {"sampler": "inverse", "effects": ["trend", "seasonal"]},
    GOODWILL,
    GOODWILL | {"distribution": {"name": "normal", "sd": 6}, "noise_scale": 1.3},
    GOODWILL | {"distribution": "negative_binomial"},
    GOODWILL | {"distribution": "uniform", "effects": ["shock"]},
    {"goodwill": {"growth": 1.3, "decay": 0.5}},  # uniforms from NumPy's generator, turned into quantiles
    GOODWILL | {"distribution": "deterministic"},
]


def follow(t, parameters, nodes, links, markets, rules, state, chance, flows):  # type: ignore[no-untyped-def]
    """A policy that follows a plan."""
    for i in range(len(flows.ordered)):
        flows.ordered[i] = parameters[t * len(flows.ordered) + i]


def problem_of(seed: int) -> Problem:
    """A random network: odd seeds lose sales, every third discounts."""
    network = random_network(seed, means=seed % 2 == 0)
    rng = np.random.default_rng(seed)
    for link in network["links"]:
        if rng.random() < 0.5:
            link["fixed_cost"] = 3.0
    demand = DEMANDS[seed % len(DEMANDS)]
    discount = 0.97 if seed % 3 == 0 else 1.0
    return load_problem(network, demand=demand, horizon=PERIODS, backlog=seed % 2 == 0, discount=discount)


def plain_python(problem: Problem, episodes: Episodes, plan: np.ndarray, lists: bool) -> tuple[np.ndarray, np.ndarray]:
    """Rewards (B, T) and final memory rows of the texts as they stand, one row after another."""
    rewards, rows = np.zeros((len(episodes), problem.horizon)), problem.rows(episodes.vectors)
    ends = []
    for b, row in enumerate(rows):
        world = problem.world(row)
        if lists:
            world = backends.as_lists(world)
        for t in range(problem.horizon):
            problem.texts.put(plan[t].tolist(), *world)
            rewards[b, t] = problem.texts.step(t, *world)
        ends.append(np.concatenate([np.ravel(field) for name in ("on_hand", "in_transit", "backlog", "unmet")
                                    for field in [getattr(world[4], name)]]))  # fmt: skip
    return rewards, np.array(ends)


def stocks(trajectory: Any) -> np.ndarray:
    """Stocks at the end, shape (B, ...), in the order of `plain_python`."""
    return np.concatenate([trajectory[name][..., -1, :] for name in ("on_hand", "in_transit", "backlog", "unmet")], -1)


@pytest.mark.parametrize("seed", range(24))
def test_all_back_ends_agree_on_a_random_network(seed: int) -> None:
    problem = problem_of(seed)
    episodes = draw(problem, ROWS, seed)
    links = len(problem.links)  # type: ignore[attr-defined]
    plan = random_actions(np.random.default_rng(seed), "mixed", PERIODS, links)
    plans = np.repeat(plan[None], ROWS, axis=0)
    expected, end = plain_python(problem, episodes, plan, lists=True)
    assert np.ptp(expected) > 0.0

    rewards, ends = plain_python(problem, episodes, plan, lists=False)
    np.testing.assert_allclose(rewards, expected, **CLOSE)
    np.testing.assert_allclose(ends, end, **CLOSE)

    advanced = play(problem, episodes, plans)
    np.testing.assert_allclose(advanced.rewards, expected, **CLOSE)
    np.testing.assert_allclose(stocks(advanced), end, **CLOSE)

    tables = problem.plain
    record = np.empty((ROWS, PERIODS + 1, tables.recorded))
    rewards, scratch = np.empty((ROWS, PERIODS)), np.empty_like(tables.fresh)
    lengths = np.empty(ROWS, dtype=np.int64)
    problem.policy_kernel(follow)(
        PERIODS, tables.ints, tables.floats, tables.fresh, tables.given, scratch, episodes.vectors, plan.ravel(),
        rewards, record, lengths,
    )  # fmt: skip
    assert (lengths == PERIODS).all()
    np.testing.assert_allclose(rewards, expected, **CLOSE)
    columns = [problem.layout.columns[name] for name in ("on_hand", "in_transit", "backlog", "unmet")]
    np.testing.assert_allclose(record[:, -1, np.concatenate(columns)], end, **CLOSE)

    vector = VectorEnvironment(problem, ROWS, max_order=1e6, record=True)
    vector.reset(seed=list(episodes.seeds))
    for t in range(PERIODS):
        rewards[:, t] = vector.step(plans[:, t])[1]
    np.testing.assert_allclose(rewards, expected, **CLOSE)
    np.testing.assert_allclose(stocks(vector.trajectory), end, **CLOSE)

    single = Environment(problem, max_order=1e6)
    for b in range(ROWS):
        single.reset(seed=episodes.seeds[b])
        rewards[b] = [single.step(orders)[1] for orders in plan]
        np.testing.assert_allclose(stocks(single.trajectory), end[b], **CLOSE)
    np.testing.assert_allclose(rewards, expected, **CLOSE)

    for library in ("numpy", "torch"):
        if library == "torch":
            torch = pytest.importorskip("torch")
        batch = RowWise(problem, episodes.vectors, library)  # type: ignore[arg-type]
        rewards = np.asarray(batch.play(plans if library == "numpy" else torch.tensor(plans)))
        np.testing.assert_allclose(rewards, expected, **CLOSE)
        last = [np.stack(batch.field(name), axis=1) for name in ("on_hand", "in_transit", "backlog", "unmet")]
        np.testing.assert_allclose(np.concatenate(last, axis=1), end, **CLOSE)


def test_the_random_networks_have_all_that_makes_a_difference() -> None:
    problems = [problem_of(seed) for seed in range(24)]
    worlds = [problem.world(problem.plain.fresh) for problem in problems]
    assert any((nodes.units_out != 1.0).any() for nodes, *_ in worlds)
    assert any(np.isfinite(nodes.capacity).any() for nodes, *_ in worlds)
    assert any((links.lead_time == 0).any() for _, links, *_ in worlds)
    assert any((links.fixed_cost > 0).any() for _, links, *_ in worlds)
    assert any(len(markets.retailer) > 1 for _, _, markets, *_ in worlds)
    assert {problem.spec.backlog for problem in problems} == {True, False}  # type: ignore[attr-defined]


# gradients ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("demand", [{}, GOODWILL | {"distribution": {"name": "normal", "sd": 4}}])
def test_torch_gradients_agree_with_central_differences(seed: int, demand: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    network = random_network(seed, means=True)
    problem = load_problem(network, demand=demand, horizon=PERIODS, backlog=seed % 2 == 0, discount=0.98)
    episode = draw(problem, 1, seed).vectors
    plan = np.random.default_rng(seed).uniform(0.5, 30.0, (PERIODS, len(problem.links)))  # type: ignore[attr-defined]

    orders = torch.tensor(plan[None], requires_grad=True)
    RowWise(problem, episode, "torch").play(orders).sum().backward()
    gradient = orders.grad[0].numpy()

    def profits(plans: np.ndarray) -> np.ndarray:
        chance = Episodes(np.repeat(episode, len(plans), axis=0), None, ())
        return play(problem, chance, plans).rewards.sum(axis=1)

    width = 1e-5
    moves = width * np.eye(plan.size).reshape((plan.size, *plan.shape))
    here = profits(plan[None])[0]
    right, left = (profits(plan + moves) - here) / width, (here - profits(plan - moves)) / width
    smooth = (np.abs(right - left) < 1e-4).reshape(plan.shape)  # at a kink the two sides differ
    assert smooth.mean() > 0.9
    central = ((right + left) / 2).reshape(plan.shape)
    np.testing.assert_allclose(gradient[smooth], central[smooth], rtol=1e-6, atol=1e-6)
    assert (gradient != 0.0).any()


def test_the_gradient_flows_through_the_mean_of_counts() -> None:
    torch = pytest.importorskip("torch")
    operations = load_problem("serial").operations("torch")
    mean = torch.tensor([4.0, 25.0, 0.0], dtype=torch.float64, requires_grad=True)
    uniform = torch.tensor([0.1, 0.975, 0.5], dtype=torch.float64)
    demand = operations["demand_of"](1.0, mean, 0.0, 0.0, 1.0, uniform)
    assert demand.tolist() == [2.0, 35.0, 0.0]
    demand.sum().backward()
    # mean + sqrt(mean) z with z = (quantile - mean) / sqrt(mean) held constant
    assert mean.grad.tolist() == pytest.approx([1 + (2 - 4) / (2 * 4), 1 + (35 - 25) / (2 * 25), 1.0])


def test_a_library_that_is_not_there_is_refused() -> None:
    problem = load_problem("serial")
    episodes = draw(problem, 1, 0).vectors
    with pytest.raises(ValueError, match="numpy, torch"):
        RowWise(problem, episodes, "jax")  # type: ignore[arg-type]
    sequential = load_problem("serial", demand={"goodwill": True, "sampler": "sequential"})
    with pytest.raises(ValueError, match="period by period"):
        RowWise(sequential, draw(sequential, 1, 0).vectors)


# what is compiled, and where it is kept -----------------------------------------------------------------


def law(x):  # type: ignore[no-untyped-def]
    """A text."""
    return positive(x - 2.0)  # noqa: F821


def other_law(x):  # type: ignore[no-untyped-def]
    """A text that says almost the same."""
    return positive(x - 3.0)  # noqa: F821


def loop(values):  # type: ignore[no-untyped-def]
    """A template."""
    total = 0.0
    for k in range(len(values)):
        total = total + law(values[k])
    return total


@pytest.fixture
def kept(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cache folder of its own."""
    monkeypatch.setenv("RESTOCK_CACHE_DIR", str(tmp_path / "kept"))
    monkeypatch.setenv("RESTOCK_QUIET", "1")
    yield tmp_path / "kept"


def test_an_edit_of_any_text_is_kept_elsewhere() -> None:
    texts = load_problem("serial").texts.all
    everything = (*backends.OPERATIONS, *texts, *backends.TEMPLATES)
    marks = {backends.fingerprint(everything)}
    for k, text in enumerate(everything):
        constants = (*text.__code__.co_consts, "an edit")
        edited = backends.bind(text, {})
        edited.__code__ = text.__code__.replace(co_consts=constants)
        marks.add(backends.fingerprint((*everything[:k], edited, *everything[k + 1 :])))
    assert len(marks) == 1 + len(everything)


def test_an_edit_that_changes_no_name_and_no_constant_is_kept_elsewhere() -> None:
    marks = {backends.fingerprint((text,)) for text in (lambda a, b: a + b, lambda a, b: a - b)}
    marks |= {backends.fingerprint((text,)) for text in (lambda a, b=1: a + b, lambda a, b=2: a + b)}
    assert len(marks) == 4


def test_an_edit_of_the_compiled_views_is_kept_elsewhere(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = backends.fingerprint((law,))
    edited = tmp_path / "numba_views.py"
    edited.write_bytes(backends.VIEWS.read_bytes() + b"\n")
    monkeypatch.setattr(backends, "VIEWS", edited)
    assert backends.fingerprint((law,)) != before


def test_a_constant_that_a_text_reads_counts_as_text() -> None:
    changed = backends.bind(kernels.single, {"isfinite": 3})
    assert backends.fingerprint((kernels.single,)) != backends.fingerprint((changed,))


def test_the_mark_is_the_same_in_every_process(kept: Any) -> None:
    command = "from tests.core.test_backends import print_mark; print_mark()"
    assert run(command) == run(command) == backends.fingerprint((law, loop))


def print_mark() -> None:
    """What another process makes of the same texts."""
    print(backends.fingerprint((law, loop)))


def test_compiled_code_is_kept_and_an_edit_is_not_missed(kept: Any) -> None:
    values = np.array([1.0, 4.0])
    assert backends.compile_texts((law,), (loop,), "first").loop(values) == 2.0
    first = {path.name for path in kept.rglob("*.nbi")}
    assert first
    again = backends.compile_texts((law,), (loop,), "first").loop
    assert again(values) == 2.0 and sum(again.stats.cache_hits.values()) == 1
    edited = backends.bind(other_law, {})
    edited.__name__ = "law"
    assert backends.compile_texts((edited,), (loop,), "first").loop(values) == 1.0
    assert len({path.parent for path in kept.rglob("*.nbi")}) == 2


def foreign(folder: Any, number: int) -> Any:
    """A function in a module of somebody else, who has numba keep its code beside the module."""
    import importlib.util

    import numba

    path = folder / f"foreign_{number}.py"
    path.write_text(f"def plus(value):\n    return value + {number}\n", encoding="utf-8")
    spec: Any = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return numba.njit(cache=True)(module.plus)


def test_whoever_compiles_in_another_thread_keeps_its_code_where_it_did(
    kept: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numba
    from numba.core import config

    njit, meanwhile, places, numbers = numba.njit, [], [], iter(range(1000))
    before = config.CACHE_DIR

    def work(number: int) -> None:
        plus = foreign(tmp_path, number)
        assert plus(1) == 1 + number
        places.append((plus.stats.cache_path, config.CACHE_DIR))

    def interrupted(*arguments: Any, **named: Any) -> Any:
        if threading.current_thread() is threading.main_thread():  # restock compiles, and somebody else too
            meanwhile.append(threading.Thread(target=work, args=(next(numbers),)))
            meanwhile[-1].start()
            meanwhile[-1].join()
        return njit(*arguments, **named)

    monkeypatch.setattr(numba, "njit", interrupted)
    kernel = backends.compile_texts((law,), (loop,), "beside").loop
    assert kernel(np.array([1.0, 4.0])) == 2.0
    assert len(places) == len(meanwhile) == 2  # the texts, and the template
    assert set(places) == {(str(tmp_path / "__pycache__"), before)}


def test_threads_may_compile_at_once(kept: Any, tmp_path: Any) -> None:
    found: list[Any] = []

    def ours() -> None:
        found.append(backends.compile_texts((law,), (loop,), "threads").loop(np.array([1.0, 4.0])))

    def theirs(number: int) -> None:
        plus = foreign(tmp_path, number)
        found.append((plus(1) - number, plus.stats.cache_path))

    threads = [threading.Thread(target=ours) for _ in range(4)]
    threads += [threading.Thread(target=theirs, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.count(2.0) == 4 and found.count((1, str(tmp_path / "__pycache__"))) == 8
    again = backends.compile_texts((law,), (loop,), "threads").loop
    assert again(np.array([1.0, 4.0])) == 2.0 and sum(again.stats.cache_hits.values()) == 1


def test_without_a_place_to_write_nothing_is_kept_and_all_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTOCK_CACHE_DIR", "/dev/null/nowhere")
    assert backends.cache_folder("mark") is None
    kernel = backends.compile_texts((law,), (loop,), "unkept").loop
    assert kernel(np.array([1.0, 4.0])) == 2.0
    assert kernel.stats.cache_path is None


def entry_of(name: str) -> Any:
    """An entry, as a process that compiles nothing else finds it."""
    return backends.entry(backends.compile_texts((law,), (loop,), name).loop, (np.float64, 1))


def test_an_entry_is_read_from_disk_and_compiles_nothing(kept: Any) -> None:
    values = np.array([1.0, 4.0])
    assert entry_of("entry")(values) == 2.0
    loads = "from tests.core.test_backends import entry_of; import numpy as np, sys; found = entry_of('entry');"
    assert run(f"{loads} print(found(np.array([1.0, 4.0])), 'numba.np.linalg' in sys.modules)") == "2.0 False"


def test_damaged_files_are_compiled_anew(kept: Any) -> None:
    values = np.array([1.0, 4.0])
    for ending in ("nbc", "nbi"):
        assert entry_of("damaged")(values) == 2.0
        (damaged,) = kept.rglob(f"*.{ending}")
        damaged.write_bytes(damaged.read_bytes()[:30])
        assert entry_of("damaged")(values) == 2.0


def test_an_environment_works_without_a_place_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Environment(load_problem("serial"))
    here.reset(seed=1)
    reward = here.step(here.action_space.high)[1]
    monkeypatch.setenv("RESTOCK_CACHE_DIR", "/dev/null/nowhere")
    command = (
        "import gymnasium as gym, restock; env = gym.make('restock/Serial-v0'); env.reset(seed=1);"
        "print(env.step(env.action_space.high)[1])"
    )
    assert float(run(command)) == reward


def test_two_processes_may_compile_at_once(kept: Any) -> None:
    command = (
        "import numpy as np; from restock.core import backends; from tests.core.test_backends import law, loop;"
        "print(backends.compile_texts((law,), (loop,), 'both').loop(np.array([1.0, 4.0])))"
    )
    processes = [started(command) for _ in range(3)]
    for process in processes:
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert float(out) == 2.0
    kernel = backends.compile_texts((law,), (loop,), "both").loop
    assert kernel(np.array([1.0, 4.0])) == 2.0 and sum(kernel.stats.cache_hits.values()) == 1


def started(command: str) -> Any:
    """A fresh Python that runs a command."""
    import subprocess
    import sys
    from pathlib import Path

    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path[:0] = [{str(root)!r}, {str(root / 'src')!r}]; {command}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(command: str) -> str:
    """What a command prints in a fresh Python."""
    process = started(command)
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return str(out.strip())
