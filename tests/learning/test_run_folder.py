"""The folder of a training run: what it holds, and that nothing that happens to it goes unnoticed."""

from __future__ import annotations

import csv
import errno
import itertools
import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import restock
from restock.core.errors import InvalidInput
from restock.core.streams import episode_seeds
from restock.learning import events, metrics, snapshots
from restock.learning.evaluation import TRAINED, evaluate, judged
from restock.learning.metrics import CLOCKS, FIELDS, OWN, meaning
from restock.learning.paths import HELD_OUT
from restock.learning.run_folder import BEST, LAST, RunFolder
from restock.learning.train import resume, train
from restock.report.training import write_training_report
from tests.cli.running import REPOSITORY, run, stopped
from tests.report.markup import Page

torch = pytest.importorskip("torch")

PATHWISE: dict[str, Any] = {
    "steps": 20, "batch": 8, "restarts": 2, "evaluate_every": 5, "held_out": 8,
    "architecture": {"hidden": [8], "start": None},
}  # fmt: skip
PPO: dict[str, Any] = {
    "algo": "ppo", "steps": 480, "n_envs": 4, "evaluate_every": 120, "held_out": 4,
    "n_steps": 15, "batch_size": 60, "n_epochs": 1,
}  # fmt: skip
DAGGER: dict[str, Any] = {
    "algo": "dagger", "teacher": "base-stock", "rounds": 2, "episodes": 8, "steps": 5, "held_out": 8,
    "architecture": {"hidden": [8]},
}  # fmt: skip
SAC = PPO | {
    "algo": "sac",
    "steps": 80,
    "evaluate_every": 40,
    "learning_starts": 20,
    "batch_size": 16,
    "train_freq": 1,
    "gradient_steps": 1,
}
SAC = {name: value for name, value in SAC.items() if name not in ("n_steps", "n_epochs")}
EVERY = {"pathwise": PATHWISE, "ppo": PPO, "dagger": DAGGER, "sac": SAC}


@pytest.fixture(scope="module", autouse=True)
def _fewer_linear_programs() -> Iterator[None]:
    """What training is judged against, from fewer episodes: it is not what is tested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("restock.learning.held_out.MOST_SOLVED", 2)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing happened to."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    train("serial", folder, **PATHWISE)
    return folder


def lines(folder: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in line.items() if k not in CLOCKS} for line in RunFolder(folder).metrics()]


def same_run(one: Path, other: Path) -> None:
    """The same metrics, checkpoints, snapshots and result, clocks apart."""
    assert lines(one) == lines(other)
    for name in (LAST, BEST):
        found, expected = RunFolder(one).load(name), RunFolder(other).load(name)
        for part in ("actor", "policy"):
            assert (part in found) == (part in expected)
            if part in found:
                assert all(torch.equal(found[part][key], expected[part][key]) for key in expected[part])
    shots = [RunFolder(folder).snapshots() for folder in (one, other)]
    assert [shot.evaluation for shot in shots[0]] == [shot.evaluation for shot in shots[1]]
    for shot, expected_shot in zip(*shots, strict=True):
        assert all(np.array_equal(shot.fields[name], expected_shot.fields[name]) for name in expected_shot.fields)
    results = [dict(RunFolder(folder).result() or {}) | {"cpu_seconds": 0.0} for folder in (one, other)]
    assert results[0] == results[1]


def stop_after(count: int) -> Any:
    """What a user does who presses Ctrl-C after so many evaluations."""
    told = itertools.count(1)

    def tell(report: Any, gaps: Any) -> None:
        if next(told) == count:
            raise KeyboardInterrupt

    return tell


# what it holds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("algo", EVERY)
def test_every_algorithm_records_the_same_fields_and_no_unknown_ones(algo: str, tmp_path: Path) -> None:
    if algo in ("ppo", "sac"):
        pytest.importorskip("stable_baselines3")
    train("serial", tmp_path / "run", **EVERY[algo])
    found = RunFolder(tmp_path / "run").metrics()
    for line in found:
        common = {name for name in line if "/" not in name}
        assert common | {"training"} == set(FIELDS)  # there is no training profit in imitation
        assert not [name for name in line if meaning(name) is None]
        assert line["below_bound"] == pytest.approx((line["bound"] - line["profit"]) / abs(line["bound"]))
    assert "train/loss" in found[-1] or "train/critic_loss" in found[-1]
    assert all(json.loads(text) for text in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines())


def test_every_metric_is_explained_in_the_documentation() -> None:
    pages = [
        path.read_text(encoding="utf-8") for path in (REPOSITORY / "docs" / "reference" / "algorithms").glob("*.md")
    ]
    for name in (*FIELDS, *OWN):
        assert any(f"`{name}`" in page for page in pages), name


def test_the_documentation_lists_every_file_of_a_run(tmp_path: Path, whole: Path) -> None:
    text = (REPOSITORY / "docs" / "how-to" / "run-folder.md").read_text(encoding="utf-8")
    folder = shutil.copytree(whole, tmp_path / "run")
    write_training_report(evaluate(folder, 2))
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        shown = name if not name.startswith(("snapshots/", "tensorboard/")) else name.partition("/")[0] + "/"
        assert path.is_dir() or f"| `{shown}" in text, name


def points(folder: Path) -> dict[tuple[str, str], list[tuple[int, float]]]:
    """Step and value of every point that TensorBoard reads, by run and tag."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = {}
    for run_folder in sorted((folder / "tensorboard").iterdir()):
        read = accumulator.EventAccumulator(str(run_folder))
        read.Reload()
        for tag in read.Tags()["scalars"]:
            found[run_folder.name, tag] = [(event.step, event.value) for event in read.Scalars(tag)]
    return found


def test_tensorboard_shows_each_evaluation_once_also_after_a_resume(tmp_path: Path, whole: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train("serial", tmp_path / "cut", tell=stop_after(2), **PATHWISE)
    RunFolder(tmp_path / "cut").record({"step": 15, "restart": 0, "profit": 1.0})  # after the last checkpoint
    assert points(tmp_path / "cut")["restart-1", "eval/profit"][-1] == (15, 1.0)
    resume(tmp_path / "cut")
    found, expected = points(tmp_path / "cut"), points(whole)
    assert set(found) == set(expected)
    assert [step for step, _ in found["restart-1", "eval/profit"]] == [5, 10, 15, 20]
    for restart in (0, 1):
        own = [line for line in RunFolder(whole).metrics() if line["restart"] == restart]
        for tag, name in (("eval/profit", "profit"), ("train/loss", "train/loss"), ("eval/bound", "bound")):
            drawn = expected[f"restart-{restart + 1}", tag]
            assert [step for step, _ in drawn] == [line["step"] for line in own]
            assert [value for _, value in drawn] == pytest.approx([line[name] for line in own], rel=1e-6)
    assert all(found[key] == expected[key] for key in found if not key[1].startswith("time/"))


def test_without_tensorboard_training_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "find_spec", lambda name: None)
    few = ("--set=steps=2", "--set=batch=4", "--set=restarts=1", "--set=held_out=4", "--set=network.hidden=[8]")
    done = run("train", "serial", "--out", str(tmp_path / "run"), *few)
    assert done.code == 0
    assert [line for line in done.err.splitlines() if "TensorBoard" in line] == [
        "No events for TensorBoard are written: pip install 'restock[train]' brings the package."
    ]
    assert not (tmp_path / "run" / "tensorboard").exists()


def test_snapshots_are_few_and_begin_before_training(whole: Path) -> None:
    shots = RunFolder(whole).snapshots()
    assert [shot.evaluation for shot in shots] == list(range(9)) and np.isnan(shots[0].profit)
    found = RunFolder(whole).metrics()
    for shot, line in zip(shots[1:], found, strict=True):
        assert (shot.restart, shot.step, shot.profit) == (line["restart"], line["step"], line["profit"])
    assert shots[0].fields["on_hand"].shape == (31, 3) and shots[0].fields["unmet"].shape == (30, 1)
    assert all(np.array_equal(shot.fields["demand"], shots[0].fields["demand"]) for shot in shots)
    assert not np.array_equal(shots[0].fields["ordered"], shots[-1].fields["ordered"])


@pytest.mark.parametrize("count", [0, 1, 8, 9, 16, 17, 100, 12_345])
def test_however_many_evaluations_few_are_kept(count: int) -> None:
    kept = snapshots.kept(count, best=count // 3)
    assert {0, count, count // 3} <= kept and max(kept) == count
    assert len(kept) <= snapshots.MOST + 3
    assert kept - {count, count // 3} <= snapshots.kept(count - 1, 0) | {0}  # nothing that was dropped is wanted again


def test_a_snapshot_is_the_episode_of_its_policy(whole: Path) -> None:
    from restock.learning.actors import ground_of

    best = RunFolder(whole).load(BEST)
    shot = next(
        shot for shot in RunFolder(whole).snapshots() if (shot.restart, shot.step) == (best["restart"], best["step"])
    )
    problem = ground_of(RunFolder(whole).config())
    played = restock.simulate(
        problem, restock.make_policy(str(whole), problem, integer=False), seeds=episode_seeds(0, 1, HELD_OUT)
    )
    np.testing.assert_allclose(played.trajectory["on_hand"][0], shot.fields["on_hand"], rtol=1e-6, atol=1e-6)


# the policy on fresh episodes --------------------------------------------------------------------------


def test_the_episodes_of_the_evaluation_can_be_played_again(tmp_path: Path, whole: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "run")
    found = evaluate(folder, episodes=6)
    with (folder / "evaluation" / "episodes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == found.episodes == 6
    (problem,), _ = judged(found.config)
    for name, column in ((str(folder), TRAINED), ("base-stock", "base_stock"), ("hindsight", "hindsight")):
        policy = restock.make_policy(name, problem, **({"information": "informed"} if name == "base-stock" else {}))
        again = restock.simulate(problem, policy, seeds=[int(row["seed"]) for row in rows]).profit
        np.testing.assert_array_equal(again, [float(row[column]) for row in rows])
    one = restock.simulate(problem, str(folder), seeds=[int(rows[3]["seed"])]).profit[0]
    assert one == pytest.approx(float(rows[3]["trained"]), rel=1e-5)
    summary = json.loads((folder / "evaluation" / "summary.json").read_text())
    assert summary["of_bound"]["trained"]["mean"] == pytest.approx(
        found.profit(TRAINED).sum() / found.profit("hindsight").sum()
    )


def test_evaluation_meets_episodes_that_no_other_command_meets(whole: Path) -> None:
    found = evaluate(whole, episodes=20)
    held_out = {seed for k in range(2) for seed in episode_seeds(k, 50, HELD_OUT)}
    usual = {seed for k in range(20) for seed in episode_seeds(k, 50)}
    assert found.seed == 0 and not set(found.seeds()) & (held_out | usual | set(range(1000)))
    again = evaluate(whole, episodes=20, seed=1)
    assert not set(found.seeds()) & set(again.seeds())


def test_a_share_of_a_proven_bound_is_never_above_one(whole: Path) -> None:
    found = evaluate(whole, episodes=4)
    for name in found.policies:
        ratio, gap = found.ratio(name), found.gap(name)
        assert ratio.high <= 1.0 + 1e-12 and gap.low >= 0.0
        assert gap.mean == pytest.approx(1.0 - ratio.mean, abs=1e-9)


def test_costs_have_a_gap_and_no_share(tmp_path: Path) -> None:
    """Nothing is sold: the least that can be lost is the bound, and a policy loses more."""
    described = restock.load_problem("serial").spec.model_dump(by_alias=True, exclude_none=True)
    described["markets"][0]["price"] = 0.0
    train(described, tmp_path / "costs", **PATHWISE)
    found = evaluate(tmp_path / "costs", episodes=6)
    assert found.costs and found.ratio(TRAINED) is None and found.to_dict()["of_bound"] == {}
    gap = found.gap("base-stock")
    paid, least = (found.profit(name).sum() for name in ("base-stock", "hindsight"))
    assert gap.mean == pytest.approx(paid / least - 1.0) and 0.0 <= gap.low < gap.mean < gap.high
    told = run("evaluate", str(tmp_path / "costs"), "--episodes", "6", "-q").out
    assert "of bound" not in told and "above" in told and f"{gap.mean:.1%}" in told


def test_a_generalist_is_judged_on_each_of_its_problems(whole: Path) -> None:
    problems, names = judged({**RunFolder(whole).config(), "regimes": {"kind": "effects"}})
    assert len(problems) == 32 and names[:3] == ["backlog", "lost sales", "goodwill, backlog"]
    assert names[-1] == "trend, seasonal, shock, goodwill, lost sales"


def test_a_generalist_is_worth_a_mean_over_its_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restock.learning.regimes.JUDGED", 3)
    few: dict[str, Any] = {"steps": 1, "restarts": 1, "batch": 8, "held_out": 4, "architecture": {"hidden": [8]}}
    train("serial", tmp_path / "run", regimes={"kind": "family"}, **few)
    found = evaluate(tmp_path / "run")
    assert len(found.comparisons) == 3 and found.episodes == 6 and len(set(found.seeds())) == 6
    ratio = found.ratio(TRAINED)
    assert ratio.mean == pytest.approx(np.mean(found.ratios(TRAINED))) and ratio.low < ratio.mean < ratio.high
    page = Page(write_training_report(found).read_text(encoding="utf-8"))
    assert all(name in page.text for name in found.names) and "mean over 3 problems" in page.text


def test_the_report_is_one_page_that_needs_nothing_else(tmp_path: Path, whole: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "run")
    found = evaluate(folder, episodes=4)
    path = write_training_report(
        found, more=[lambda given: ("Extra", f"<p>{given.episodes} of them</p>"), lambda _: None]
    )
    assert path == folder / "report.html"
    page = Page(path.read_text(encoding="utf-8"))
    expected = [
        "How it learnt",
        "The same episode, while it learnt",
        "What it is worth",
        "Extra",
        "What the figures mean",
    ]
    assert [heading for heading in page.headings if heading in expected] == expected
    assert all(link.startswith("#") for link in page.links) and "script" not in page.tags
    for words in ("restart 2", "before training", "base-stock", "hindsight", "4 of them", "seed 0", "learning rate"):
        assert words in page.text
    for name, version in json.loads((folder / "versions.json").read_text()).items():
        assert f"{name} {version}" in page.text


def test_the_command_evaluates_and_says_what_it_found(tmp_path: Path, whole: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "run")
    done = run("evaluate", str(folder), "-n", "3", "--seed", "7", "--report", str(tmp_path / "page.html"), "--json")
    assert done.code == 0 and done.document["episodes"] == 3 and done.document["seed"] == 7
    assert (tmp_path / "page.html").is_file() and not (folder / "report.html").exists()
    told = run("evaluate", str(folder), "-n", "3")
    assert told.code == 0 and "trained" in told.out and "of bound" in told.out
    assert run("evaluate", str(folder), "-n", "3", "-q").out == told.out


@pytest.mark.parametrize("finished", [True, False])
def test_an_unfinished_run_is_evaluated_and_called_so(tmp_path: Path, whole: Path, finished: bool) -> None:
    folder = shutil.copytree(whole, tmp_path / "run")
    if not finished:
        (folder / "result.json").unlink()
    page = Page(write_training_report(evaluate(folder, 2)).read_text(encoding="utf-8"))
    assert ("This run is not finished" in page.text) is not finished


def test_the_report_is_written_when_training_ends_and_left_alone_after(tmp_path: Path) -> None:
    few = ("--set=steps=2", "--set=batch=4", "--set=restarts=1", "--set=held_out=4", "--set=network.hidden=[8]")
    done = run("train", "serial", "--out", str(tmp_path / "run"), *few, "--json")
    page = tmp_path / "run" / "report.html"
    assert done.document["report"] == str(page)
    page.write_text("notes of my own")
    assert run("train", "--resume", str(tmp_path / "run"), "-q").code == 0
    assert page.read_text() == "notes of my own"


# what can happen to it ---------------------------------------------------------------------------------


@pytest.mark.parametrize("algo", ["pathwise", "ppo"])
def test_killed_at_any_moment_and_resumed_it_is_the_uninterrupted_run(
    algo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if algo == "ppo":
        pytest.importorskip("stable_baselines3")
    monkeypatch.setattr("restock.learning.held_out.MOST_SOLVED", 16)  # as in the process of its own
    numbers = EVERY[algo]
    train("serial", tmp_path / "whole", **numbers)
    settings = {k: v for k, v in numbers.items() if k not in ("algo", "architecture")}
    arguments = [f"--set={name}={value}" for name, value in settings.items()]
    arguments += ["--set=network.hidden=[8]", "--set=network.start=null"] if algo == "pathwise" else []
    cut = tmp_path / "cut"
    command = ["train", "serial", "--algo", algo, "--out", str(cut), *arguments, "-q"]
    started = stopped("restock.learning.run_folder:RunFolder.record", *command)
    locked = run("train", "--resume", str(cut), "-q")  # two at a time are refused
    assert locked.code == 2 and "is at work in this folder" in locked.err
    started.send_signal(signal.SIGKILL)
    _, said = started.communicate(timeout=60)
    assert started.returncode == -signal.SIGKILL, said
    assert not (cut / "result.json").exists()
    shutil.move(cut, tmp_path / "moved")  # and it goes on wherever it is
    resume(tmp_path / "moved")
    same_run(tmp_path / "moved", tmp_path / "whole")


def test_two_at_a_time_are_refused_and_a_lock_left_behind_is_not_minded(tmp_path: Path, whole: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train("serial", tmp_path / "run", tell=stop_after(1), **PATHWISE)
    folder = RunFolder(tmp_path / "run")
    with folder.begun_by(folder.config(), {}), pytest.raises(InvalidInput, match="is at work in this folder"):
        resume(tmp_path / "run")
    assert (tmp_path / "run" / "lock").exists()
    resume(tmp_path / "run")
    same_run(tmp_path / "run", whole)


@pytest.mark.parametrize(
    ("what", "time_of_it"),
    [("last.pt", 2), ("best.pt", 1), ("checkpoints.json", 4), ("000003.npz", 1), ("metrics.jsonl", 1)],
)
def test_a_full_disk_leaves_the_last_good_state(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch, what: str, time_of_it: int
) -> None:
    """The error says what to do, and doing it ends in the same run."""
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    replace, append, times = os.replace, metrics.append, itertools.count(1)

    def put(old: Any, new: Any) -> None:
        if Path(new).name == what != "metrics.jsonl" and next(times) == time_of_it:
            raise full
        replace(old, new)

    def add(path: Path, line: Any) -> None:
        if what == "metrics.jsonl" and next(times) == time_of_it:
            with path.open("a") as file:
                file.write(json.dumps(line)[:40])
            raise full
        append(path, line)

    with monkeypatch.context() as patch:
        patch.setattr("restock.core.writing.os.replace", put)
        patch.setattr("restock.learning.metrics.append", add)
        with pytest.raises(InvalidInput, match=r"No space left on device.*restock train --resume"):
            train("serial", tmp_path / "run", **PATHWISE)
    resume(tmp_path / "run")
    same_run(tmp_path / "run", whole)


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("metrics.jsonl", lambda text: text.replace('"step": 5', '"step" 5', 1), "line 1 is not JSON"),
        ("metrics.jsonl", lambda text: "", "it has 0 lines, the checkpoint knows of 2"),
        ("config.yaml", lambda text: text.replace("batch: 8", "batch: 9"), "not what the checkpoints were made with"),
        ("config.yaml", lambda text: text.replace("algo: pathwise\n", ""), "it does not say algo"),
        ("config.yaml", lambda text: text.replace("architecture:", "building:"), "architecture or preparation"),
        ("config.yaml", lambda text: text[:-40] + "{", "not valid YAML"),
        ("config.yaml", lambda text: "", "empty"),
        ("checkpoints.json", lambda text: text[:-5], "it is not JSON"),
        ("checkpoints/last.pt", lambda text: "nothing", "last.pt: this file is damaged"),
    ],
)
def test_what_is_damaged_is_named_in_one_error(
    tmp_path: Path, cut_short: Path, name: str, damage: Any, words: str
) -> None:
    folder = shutil.copytree(cut_short, tmp_path / "run")
    before = (folder / name).read_bytes()
    text = damage(before.decode(errors="replace"))
    assert text.encode() != before
    (folder / name).write_text(text)
    done = run("train", "--resume", str(folder))
    errors = [line for line in done.err.splitlines() if line.startswith("error:")]
    assert done.code == 2 and len(errors) == 1
    assert words in errors[0].replace("':", ":") and Path(name).name in errors[0]


@pytest.fixture(scope="module")
def cut_short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was stopped after two evaluations."""
    folder = tmp_path_factory.mktemp("runs") / "cut"
    with pytest.raises(KeyboardInterrupt):
        train("serial", folder, tell=stop_after(2), **PATHWISE)
    return folder


def test_a_damaged_snapshot_is_named_and_what_it_was_for_goes_on(tmp_path: Path, cut_short: Path, whole: Path) -> None:
    folder = shutil.copytree(cut_short, tmp_path / "run")
    path = folder / "snapshots" / "000001.npz"
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(InvalidInput, match=r"000001\.npz.*damaged"):
        RunFolder(folder).snapshots()
    resume(folder)
    assert lines(folder) == lines(whole)


def test_the_layout_of_the_configuration_does_not_matter(tmp_path: Path, cut_short: Path, whole: Path) -> None:
    folder = shutil.copytree(cut_short, tmp_path / "run")
    path = folder / "config.yaml"
    path.write_bytes(b"# mine\r\n" + path.read_bytes().replace(b"\n", b"\r\n"))
    resume(folder)
    same_run(folder, whole)


def test_a_configuration_alone_trains_anew(tmp_path: Path, whole: Path) -> None:
    (tmp_path / "again").mkdir()
    shutil.copy(whole / "config.yaml", tmp_path / "again")
    resume(tmp_path / "again")
    same_run(tmp_path / "again", whole)
    assert (tmp_path / "again" / "versions.json").is_file()


def test_a_run_without_an_evaluation_yet_cannot_be_evaluated(tmp_path: Path, whole: Path) -> None:
    (tmp_path / "begun").mkdir()
    shutil.copy(whole / "config.yaml", tmp_path / "begun")
    done = run("evaluate", str(tmp_path / "begun"))
    assert done.code == 2 and "it was stopped before its first evaluation" in done.err
    assert run("evaluate", str(tmp_path / "nowhere")).code == 2
    assert not (tmp_path / "nowhere").exists()
