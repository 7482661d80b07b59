"""A folder that was sent is worked in, and nothing outside of it is touched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from restock.benchmark.runner import bench
from restock.core.errors import InvalidInput
from restock.core.holding import held
from restock.learning.evaluation import evaluate
from restock.learning.train import resume, train

TINY = {"steps": 4, "batch": 4, "restarts": 1, "evaluate_every": 2, "held_out": 4, "architecture": {"hidden": [4]}}


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    for name in (".profile", "notes.txt", "summary.json", "7.npz"):
        (folder / name).write_text("precious")
    return folder


def untouched(folder: Path) -> bool:
    there = {path.name: path.read_text() for path in folder.iterdir()}
    return there == dict.fromkeys((".profile", "notes.txt", "summary.json", "7.npz"), "precious")


@pytest.mark.parametrize("place", ["lock", "deeper/down", "folder", "nowhere", "circle"])
def test_no_link_leads_out_of_a_folder_that_is_worked_in(tmp_path: Path, precious: Path, place: str) -> None:
    run = tmp_path / "run"
    (run / "deeper").mkdir(parents=True)
    to = {"folder": precious, "nowhere": precious / "new", "circle": run / "circle"}.get(place, precious / "notes.txt")
    (run / place).symlink_to(to)
    with pytest.raises(InvalidInput, match=f"{place}.*must not be a link that leads out of the folder"), held(run, "o"):
        raise AssertionError
    assert untouched(precious)


def test_a_folder_may_be_reached_by_a_link_and_hold_links_to_itself(tmp_path: Path) -> None:
    (tmp_path / "disk" / "best").mkdir(parents=True)
    (tmp_path / "run").symlink_to(tmp_path / "disk")
    (tmp_path / "run" / "latest").symlink_to("best")
    with held(tmp_path / "run", "out"):
        assert (tmp_path / "disk" / "lock").exists()


@pytest.mark.parametrize("link", ["lock", "evaluation", "snapshots", "tensorboard", "checkpoints"])
def test_a_run_that_was_sent_writes_nowhere_else(tmp_path: Path, precious: Path, link: str) -> None:
    pytest.importorskip("torch")
    run = tmp_path / "run"
    train("serial", run, **TINY)
    for path in (run / "result.json", run / "checkpoints" / "last.pt"):
        path.unlink()
    if link == "lock":
        (run / link).unlink()
        (run / link).symlink_to(precious / "notes.txt")
    else:
        shutil.rmtree(run / link, ignore_errors=True)
        (run / link).symlink_to(precious)
    for use in (resume, lambda folder: evaluate(folder, 2)):
        with pytest.raises(InvalidInput):
            use(run)
    assert untouched(precious)


def test_nor_does_a_benchmark(tmp_path: Path, precious: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text("{}")
    (run / "episodes").symlink_to(precious)
    with pytest.raises(InvalidInput, match="link"):
        bench("smoke", "base-stock", out=run)
    assert untouched(precious)
