"""What a trajectory holds, and that its files hold the same, whole or not at all."""

from __future__ import annotations

import csv
import os
import resource
import signal
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import polars
import pytest

from restock import InvalidInput
from restock.core.trajectory import Trajectory
from tests.problems.network.networks import small

PERIODS = 4
TWO = small(markets=[{"from": 1, "to": k, "price": 4, "shortage_cost": 1} for k in (10, 20)], horizon=PERIODS)
SHAPES = {
    "on_hand": (PERIODS + 1, 2),
    "in_transit": (PERIODS + 1, 2),
    "backlog": (PERIODS + 1, 2),
    "sentiment": (PERIODS + 1, 1),
    **dict.fromkeys(["ordered", "shipped", "arrived", "purchases", "pipeline_holding", "fixed_orders"], (PERIODS, 2)),
    **dict.fromkeys(["released", "used", "operating", "holding"], (PERIODS, 2)),
    **dict.fromkeys(["demand", "sold", "unmet", "revenue", "shortage"], (PERIODS, 2)),
    "reward": (PERIODS, 1),
}


def play(env: Any, periods: int = PERIODS, orders: float = 3.0) -> Any:
    env.reset(seed=1)
    for _ in range(periods):
        env.step(np.full(env.action_space.shape, orders, np.float32))
    return env


@pytest.fixture
def env() -> Any:
    return play(gym.make("restock/Network-v0", instance=TWO).unwrapped)


@pytest.fixture
def batch() -> Any:
    return play(gym.make_vec("restock/Network-v0", num_envs=3, instance=TWO, record=True))


def test_fields_and_their_shapes(env):
    trajectory = env.trajectory
    assert {name: values.shape for name, values in trajectory.items()} == SHAPES
    assert len(trajectory) == len(SHAPES) and set(trajectory) == set(SHAPES)
    assert all(name in trajectory for name in SHAPES) and "nothing" not in trajectory
    assert trajectory.get("nothing") is None and trajectory.get("demand") is not None
    assert (trajectory.periods, trajectory.episodes) == (PERIODS, 1)
    assert "4 periods" in repr(trajectory) and "on_hand" in repr(trajectory)


def test_a_batch_has_its_rows_in_front(batch):
    trajectory = batch.trajectory
    assert {name: values.shape for name, values in trajectory.items()} == {k: (3, *v) for k, v in SHAPES.items()}
    assert trajectory.episodes == 3 and "3 episodes" in repr(trajectory)
    alone = play(gym.make("restock/Network-v0", instance=TWO).unwrapped).trajectory
    for name, values in trajectory.episode(0).items():
        np.testing.assert_array_equal(values, alone[name])


def test_labels_say_what_each_column_is_about(env):
    trajectory = env.trajectory
    assert trajectory.labels("on_hand") == ("1", "2")
    assert trajectory.labels("ordered") == ("2->1", "3->2")
    assert trajectory.labels("demand") == ("1->10", "1->20")
    assert trajectory.labels("reward") == ("reward",)
    for name, values in trajectory.items():
        assert len(trajectory.labels(name)) == values.shape[-1]


def test_an_unknown_field_names_the_nearest(env):
    with pytest.raises(InvalidInput, match="Did you mean 'on_hand'"):
        env.trajectory["onhand"]


def test_a_stock_is_there_before_and_after_each_period(env):
    trajectory = env.trajectory
    np.testing.assert_array_equal(trajectory["on_hand"][0], [10, 20])
    np.testing.assert_array_equal(trajectory["sentiment"], 1.0)
    np.testing.assert_allclose(np.diff(trajectory["in_transit"], axis=0), trajectory["shipped"] - trajectory["arrived"])


def test_rewards_are_the_money_added_up(env):
    money = env.trajectory.money
    income = sum(values.sum(axis=-1) * (1 if name == "revenue" else -1) for name, values in money.items())
    np.testing.assert_allclose(env.trajectory.rewards, income)
    assert set(money) == {
        *("revenue", "purchases", "operating", "holding", "pipeline_holding", "shortage", "fixed_orders")
    }


def test_a_trajectory_grows_with_the_episode_and_stays_when_it_goes_on():
    env = gym.make("restock/Network-v0", instance=TWO).unwrapped
    seen: list[Trajectory] = []
    env.reset(seed=1)
    for t in range(PERIODS):
        seen.append(env.trajectory)
        assert seen[-1].periods == t and seen[-1]["demand"].shape == (t, 2) and seen[-1]["on_hand"].shape == (t + 1, 2)
        assert seen[-1].exogenous["demand"].shape == (t, 2)
        env.step(np.full(2, 3.0))
    whole = env.trajectory
    kept = {name: values.copy() for name, values in whole.items()}
    play(env, orders=9.0)
    for name, values in whole.items():
        np.testing.assert_array_equal(values, kept[name])
        for shorter in seen:
            np.testing.assert_array_equal(shorter[name], values[: len(shorter[name])])


def test_a_batch_stays_when_it_goes_on(batch):
    before = batch.trajectory
    kept = {name: values.copy() for name, values in before.items()}
    exogenous = {name: values.copy() for name, values in before.exogenous.items()}
    for _ in range(PERIODS + 3):
        batch.step(np.full((3, 2), 9.0, np.float32))
    for name, values in before.items():
        np.testing.assert_array_equal(values, kept[name])
    for name, values in before.exogenous.items():
        np.testing.assert_array_equal(values, exogenous[name])


def test_exogenous_information_replays_the_episode(env):
    trajectory = env.trajectory
    other = gym.make("restock/Network-v0", instance=TWO).unwrapped
    other.reset(seed=99, options={"exogenous": {"demand": trajectory.exogenous["demand"]}})
    for _ in range(PERIODS):
        other.step(np.full(2, 3.0, np.float32))
    for name, values in other.trajectory.items():
        np.testing.assert_array_equal(values, trajectory[name])


# files ----------------------------------------------------------------------------------------------


def expected_columns(trajectory: Trajectory) -> dict[str, np.ndarray]:
    """Every entry of every field by its name in the files, stocks as they are at the end of the period."""
    table = {}
    for name, values in trajectory.items():
        flows = values[..., 1:, :] if name in trajectory.stocks else values
        flat = flows.reshape(-1, values.shape[-1])
        for k, label in enumerate(trajectory.labels(name)):
            table[name if label == name else f"{name}[{label}]"] = flat[:, k]
    return table


@pytest.mark.parametrize("which", ["env", "batch"])
def test_npz_holds_the_arrays(which, request, tmp_path):
    trajectory = request.getfixturevalue(which).trajectory
    path = trajectory.to_npz(tmp_path / "new" / "folder" / "episode.npz")
    with np.load(path) as file:
        assert set(file) == {*trajectory, *(f"exogenous.{name}" for name in trajectory.exogenous)}
        for name, values in trajectory.items():
            np.testing.assert_array_equal(file[name], values)
        for name, values in trajectory.exogenous.items():
            np.testing.assert_array_equal(file[f"exogenous.{name}"], values)


@pytest.mark.parametrize("which", ["env", "batch"])
def test_csv_holds_every_number(which, request, tmp_path):
    trajectory = request.getfixturevalue(which).trajectory
    path = trajectory.to_csv(str(tmp_path / "episode.csv"))
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == trajectory.episodes * PERIODS
    assert [(int(row["episode"]), int(row["period"])) for row in rows] == [
        (b, t) for b in range(trajectory.episodes) for t in range(PERIODS)
    ]
    for name, values in expected_columns(trajectory).items():
        np.testing.assert_array_equal([float(row[name]) for row in rows], values)


@pytest.mark.parametrize("which", ["env", "batch"])
def test_parquet_holds_every_number(which, request, tmp_path):
    trajectory = request.getfixturevalue(which).trajectory
    table = polars.read_parquet(trajectory.to_parquet(tmp_path / "episode.parquet"))
    columns = expected_columns(trajectory)
    assert table.columns == ["episode", "period", *columns]
    for name, values in columns.items():
        np.testing.assert_array_equal(table[name].to_numpy(), values)


def test_files_of_an_episode_that_has_not_begun(tmp_path):
    env = gym.make("restock/Network-v0", instance=TWO).unwrapped
    env.reset(seed=1)
    assert len(env.trajectory.to_csv(tmp_path / "a.csv").read_text().splitlines()) == 1
    assert polars.read_parquet(env.trajectory.to_parquet(tmp_path / "a.parquet")).height == 0


WRITERS = ["to_npz", "to_csv", "to_parquet"]


@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_is_replaced_as_a_whole(writer, env, tmp_path):
    path = tmp_path / "episode"
    path.write_text("old")
    assert getattr(env.trajectory, writer)(path) == path
    assert path.stat().st_size > 100
    assert os.listdir(tmp_path) == ["episode"]


@pytest.fixture
def full_disk():
    """No file may grow beyond 200 bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_the_old_file_and_nothing_else(writer, env, tmp_path):
    path = tmp_path / "episode"
    path.write_text("old")
    with pytest.raises(InvalidInput, match="it cannot be written") as caught:
        getattr(env.trajectory, writer)(path)
    assert caught.value.field == "path" and caught.value.value == str(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["episode"]


@pytest.mark.parametrize("writer", WRITERS)
def test_an_error_while_writing_leaves_nothing(writer, env, tmp_path, monkeypatch):
    def no_space(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", no_space)
    with pytest.raises(InvalidInput, match="No space left on device"):
        getattr(env.trajectory, writer)(tmp_path / "episode")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize(
    "path",
    ["{}", "{}/file/episode", "/proc/none/episode", "{}/" + "x" * 300, "", "a\0b", None, 3, b"bytes"],
    ids=lambda p: repr(p)[:12],
)
def test_a_path_that_cannot_be_written(writer, path, env, tmp_path):
    (tmp_path / "file").write_text("a file, no folder")
    given = path.format(tmp_path) if isinstance(path, str) else path
    with pytest.raises(InvalidInput) as caught:
        getattr(env.trajectory, writer)(given)
    assert caught.value.field == "path"
    assert sorted(os.listdir(tmp_path)) == ["file"]


def test_parquet_without_polars_says_what_to_install(env, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(InvalidInput, match=r"pip install 'restock\[data\]'"):
        env.trajectory.to_parquet(tmp_path / "episode.parquet")
    assert list(Path(tmp_path).iterdir()) == []
