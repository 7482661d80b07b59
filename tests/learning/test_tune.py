"""The search for numbers: spaces, trials, pruning, what is kept, stopping and going on."""

from __future__ import annotations

import json
import math
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("optuna")
pytest.importorskip("sb3_contrib")

import restock
from restock.core.errors import InvalidInput
from restock.core.holding import held
from restock.core.workers import Pool
from restock.learning import presets
from restock.learning.run_folder import RunFolder
from restock.learning.train import configuration, train
from restock.learning.tuning import tune as tuning
from restock.learning.tuning.folder import TuningFolder
from restock.learning.tuning.outcome import best_of, read_tuning
from restock.learning.tuning.plan import Plan, make_plan, read_plan
from restock.learning.tuning.spaces import ALGORITHMS, SPACES, Choices, Range, dimension, space_of
from restock.learning.tuning.study import Study, Trial
from restock.learning.tuning.tune import tune
from restock.report.tuning import write_tuning_report
from tests.cli.running import COMMAND, environment, run

FRAME: dict[str, Any] = {"steps": 6, "evaluate_every": 1, "held_out": 8, "restarts": 1, "cpu_seconds": None}
NETWORK = {"hidden": [8], "start": None}
SEARCH = ["peak_rate=log:1e-3..2e-2", "batch=[4,8]"]
DOCS = Path(__file__).parents[2] / "docs" / "how-to" / "tune.md"


def plan_of(algo: str = "pathwise", search: Any = (), startup: int = 10, **numbers: Any) -> Plan:
    return make_plan("serial", algo, 0, search, {}, None, None, startup, True, numbers)


# spaces -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("log:1e-5..1e-3", Range(1e-5, 1e-3, True)),
        ("0.9..1", Range(0.9, 1.0)),
        ("2..10", Range(2, 10)),
        ("-2.0 .. 0", Range(-2.0, 0.0)),
        ("[64, 128]", Choices((64, 128))),
        ("[[64,64],[128]]", Choices(([64, 64], [128]))),
        ("[1e-3, lin_1e-3, null]", Choices((1e-3, "lin_1e-3", None))),
    ],
)
def test_a_range_is_read_as_it_is_written(text: str, expected: Any) -> None:
    found = dimension("x", text)
    assert found == expected and type(found.ends[0]) is type(expected.ends[0])
    assert dimension("x", str(found)) == found


@pytest.mark.parametrize(
    ("search", "words"),
    [
        (["gamma"], "not NAME=RANGE"),
        (["gamma=0.9"], "neither a range nor a list"),
        (["gamma=1.0..0.9"], "this range is empty"),
        (["gamma=0.9..0.9"], "this range is empty"),
        (["gamma=a..b"], "'a' is no number"),
        (["gamma=0..inf"], "'inf' is no number"),
        (["learning_rate=log:0..1"], "begins above 0"),
        (["batch_size=[]"], "nothing to choose from"),
        (["batch_size=[64,64]"], "given twice"),
        (["gamma=0.9..1", "gamma=0.8..1"], "given twice"),
        (["steps=10..20"], "the same of every trial"),
        (["n_epochs=2..4"], "settled by --set"),
        (["@nowhere.yml"], "there is no such file"),
        (["gama=0.9..1.0"], "Did you mean 'gamma'?"),
        (["recent=0..100"], "100 cannot be trained with: must be at most 64"),
        (["action=[normalized,discret]"], "cannot be trained with"),
        (["network.hiden=[[8]]"], "hiden"),
    ],
)
def test_a_space_that_does_not_hold_is_told(search: list[str], words: str) -> None:
    if "hiden" in words:
        with pytest.raises(InvalidInput, match="hiden"):
            plan_of("pathwise", search)
        return
    with pytest.raises(InvalidInput, match=re.escape(words)) as told:
        plan_of("ppo", search, n_epochs=3)
    assert "--search" in told.value.field or told.value.field == "file"


def test_a_file_replaces_the_usual_space_and_what_is_settled_is_not_searched(tmp_path: Path) -> None:
    file = tmp_path / "space.yml"
    file.write_text("gamma: 0.9..1.0\nbatch_size: [60, 120]\n")
    found = space_of("ppo", [f"@{file}", "n_epochs=1..3"], ["batch_size"])
    assert found == {"gamma": Range(0.9, 1.0), "n_epochs": Range(1, 3)}
    assert set(space_of("ppo", [], ["gamma"])) == set(SPACES["ppo"]) - {"gamma"}
    with pytest.raises(InvalidInput, match="nothing to search"):
        space_of("ppo", [], list(SPACES["ppo"]))
    with pytest.raises(InvalidInput, match="Known: pathwise"):
        space_of("bc", [], [])


@pytest.mark.parametrize("algo", ALGORITHMS)
def test_the_usual_space_begins_at_the_preset_and_can_be_trained_in(algo: str) -> None:
    plan = plan_of(algo)
    assert read_plan(json.loads(json.dumps(plan.described()))) == plan
    first = plan.config(plan.first())

    def plain(config: Any) -> Any:
        numbers = dict(config["training"].get("numbers", config["training"]))
        rate = numbers.pop("learning_rate", None)
        return {**config, "training": numbers}, float(str(rate).removeprefix("lin_")) if rate else None

    base, rate = plain(plan.base)
    found, same = plain(first)
    added = set(found["training"]) - set(base["training"])
    assert added <= set(plan.space), "numbers that the preset leaves to the algorithm"
    found["training"] = {name: value for name, value in found["training"].items() if name not in added}
    assert found == base and same == rate
    if algo != "pathwise":
        falls = str(plan.base["training"]["numbers"]["learning_rate"]).startswith("lin_")
        assert str(first["training"]["numbers"]["learning_rate"]).startswith("lin_") == falls


def test_every_algorithm_is_tuned_and_the_page_says_in_which_space() -> None:
    assert set(ALGORITHMS) == {"pathwise", *presets.ALGORITHMS}
    text = DOCS.read_text(encoding="utf-8")
    for algo, space in SPACES.items():
        section = text.split(f"\n### {algo}\n", 1)[1].split("\n#", 1)[0]
        rows = dict(re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", section, re.M))
        assert rows == space, algo


def test_evaluations_are_compared_at_the_same_share() -> None:
    plan = plan_of("pathwise", steps=250, evaluate_every=100, restarts=2)
    assert [plan.place(r, s) for r in (0, 1) for s in (100, 200, 250)] == [1, 2, 3, 4, 5, 6] and plan.evaluations == 6
    plan = plan_of("ppo", steps=1000, n_envs=8)
    assert plan.place(0, 57) == 1 and plan.place(0, 1040) == 20 and plan.evaluations == 20


# presets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algo", ALGORITHMS)
def test_a_preset_that_was_written_is_read_as_the_same_numbers(algo: str, tmp_path: Path) -> None:
    changed = {"peak_rate": 1e-5} if algo == "pathwise" else {"learning_rate": 1e-5, "recent": 3}
    config = configuration("serial", algo, 0, {"hidden": [16]}, None, changed)
    file = tmp_path / "best.yml"
    file.write_text(presets.written(config, restock.load_problem("serial"), ["a comment"]))
    assert configuration("serial", algo, 0, {}, None, {}, file) == config
    assert configuration("serial", algo, 0, {}, None, {"steps": 77}, file)["training"]["steps"] == 77


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("default: {clip_rang: 0.2}", "Did you mean 'clip_range'"),
        ("default: 3", "must be a mapping of names to numbers"),
        ("CartPole-v1: {gamma: 0.9}", "no entry for restock/Serial-v0"),
        ("default: {n_timesteps: 1.5}", "integer"),
        ("default: {env_wrapper: [some.Other]}", "no other wrapper"),
        ("", "the file is empty"),
    ],
)
def test_a_preset_that_does_not_hold_is_told_with_its_file(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    file.write_text(text)
    done = run("train", "serial", "--algo", "ppo", "--preset", str(file), "--out", str(tmp_path / "run"))
    assert done.code == 2 and words in done.err and "mine.yml" in done.err
    assert not (tmp_path / "run").exists()


# trials: a stand-in for training ----------------------------------------------------------------------------


def curve(values: dict[str, Any]) -> list[float]:
    """What six evaluations find; best at a rate of 0.005."""
    worth = -abs(math.log(values["peak_rate"] / 0.005)) + (0.1 if values["batch"] == 8 else 0.0)
    return [worth * (2.0 - k / 5.0) for k in range(6)]


def played(study: Study, trials: int, stop_at: int | None = None) -> None:
    """Trials one after the other; the last is left in the middle where it is told to."""
    while (ended := sum(trial.ended for trial in study.trials())) < trials:
        number, values, _ = study.begin()
        profits = curve(values)
        for k in range(len(profits)):
            lags = study.report(number, k + 1, max(profits[: k + 1]))
            if ended == stop_at:
                return
            if lags:
                study.prune(number, 1.0)
                break
        else:
            study.complete(number, max(profits), 0.0, 1.0)


def told(study: Study) -> list[tuple[str, Any, float, Any]]:
    return [(t.state, t.values, t.value, t.evaluations) for t in study.trials() if t.ended]


@pytest.fixture(scope="module")
def small() -> Plan:
    return plan_of("pathwise", SEARCH, startup=4, steps=6, evaluate_every=1, restarts=1)


def test_a_stopped_search_tries_what_it_would_have_tried(small: Plan, tmp_path: Path) -> None:
    whole = Study(tmp_path / "whole", small)
    played(whole, 20)
    for stop in (0, 3, 9):
        played(Study(tmp_path / "cut", small), 20, stop)
        with (tmp_path / "cut").open("ab") as file:
            file.write(b'{"op_code": 5, "half a li')
        (tmp_path / "cut.lock").touch()
    cut = Study(tmp_path / "cut", small)
    played(cut, 20)
    assert told(cut) == told(whole) and len(told(whole)) == 20
    assert sum(trial.state == "interrupted" for trial in cut.trials()) == 3
    assert cut.importance() == whole.importance()


def test_another_seed_makes_other_trials(small: Plan, tmp_path: Path) -> None:
    other = make_plan("serial", "pathwise", 1, SEARCH, {}, None, None, 4, True, {"steps": 6})
    firsts = []
    for plan in (small, other):
        study = Study(tmp_path / str(plan.seed), plan)
        played(study, 3)
        firsts.append([trial.values for trial in study.trials()])
    assert firsts[0][0] == firsts[1][0] == small.first()
    assert firsts[0][1:] != firsts[1][1:]


def test_lagging_trials_are_pruned_and_good_ones_are_not(small: Plan, tmp_path: Path) -> None:
    study = Study(tmp_path / "study", small)
    played(study, 30)
    trials = study.trials()
    assert [trial.state for trial in trials[:2]] == ["complete", "complete"], "half of the first four are whole"
    pruned = [trial for trial in trials if trial.state == "pruned"]
    whole = [trial for trial in trials if trial.state == "complete"]
    assert len(pruned) >= 5 and all(len(trial.evaluations) < 6 for trial in pruned)
    assert all(len(trial.evaluations) == 6 for trial in whole)
    assert max(whole, key=lambda trial: trial.value).value > max(max(curve(t.values)) for t in pruned)
    calm = Study(tmp_path / "calm", Plan(small.base, small.space, small.startup, False))
    played(calm, 30)
    assert {trial.state for trial in calm.trials()} == {"complete"}


def test_the_search_finds_what_matters(small: Plan, tmp_path: Path) -> None:
    study = Study(tmp_path / "study", Plan(small.base, small.space, 5, False))
    played(study, 4)
    assert study.importance() is None, "too few to tell"
    played(study, 40)
    found = study.importance()
    assert found is not None and next(iter(found)) == "peak_rate" and sum(found.values()) == pytest.approx(1.0)
    best = best_of(study.trials())
    assert best is not None and 0.004 < best.values["peak_rate"] < 0.0065


def test_a_damaged_journal_is_told(small: Plan, tmp_path: Path) -> None:
    (tmp_path / "study").write_text("no journal\n")
    with pytest.raises(InvalidInput, match="damaged"):
        Study(tmp_path / "study", small)


# the loop: a stand-in for processes ---------------------------------------------------------------------------


class Answers:
    """A pool whose workers say what a function makes of the task."""

    tasks: list[Any]

    def __init__(self, says: Callable[[Any], Any]) -> None:
        self.says, self.tasks, self.waiting = says, [], []

    def __call__(self, module: str, log: Path) -> Answers:
        return self

    def start(self, task: Any) -> Any:
        self.tasks.append(task)
        worker = type("W", (), {"say": lambda self, data: None})()
        self.waiting.append((worker, task))
        return worker

    def next(self) -> Any:
        worker, task = self.waiting.pop(0)
        return worker, self.says(task)

    def free(self, worker: Any) -> None:
        pass

    def close(self) -> None:
        pass


def searched(monkeypatch: Any, folder: Path, says: Callable[[Any], Any], **options: Any) -> tuple[Answers, list[Trial]]:
    pool = Answers(says)
    monkeypatch.setattr(tuning, "Pool", pool)
    monkeypatch.setattr(tuning._Search, "_better", lambda self, number: None)
    ended: list[Trial] = []
    options = {"trials": 4, "search": SEARCH, "startup": 2, **options}
    try:
        tune("serial", folder, "pathwise", tell=lambda progress: ended.append(progress.trial), **options)
    finally:
        monkeypatch.undo()
    return pool, ended


def test_a_trial_whose_training_breaks_counts_and_is_not_repeated(monkeypatch: Any, tmp_path: Path) -> None:
    def says(task: Any) -> Any:
        bad = task["run"].endswith("0002")
        return {"failed": "it went astray", "field": ""} if bad else {"complete": {"value": 1.0, "fresh": 1.0}}

    pool, ended = searched(monkeypatch, tmp_path / "a", says)
    assert [trial.state for trial in ended] == ["complete", "complete", "failed", "complete"]
    assert ended[2].problem == "it went astray" and len(pool.tasks) == 4


@pytest.mark.parametrize("often", [1, 3])
def test_a_process_that_vanishes_is_replaced_until_it_vanishes_too_often(
    often: int, monkeypatch: Any, tmp_path: Path
) -> None:
    def says(task: Any) -> Any:
        vanishes = 1 <= int(task["run"][-4:]) <= often
        return None if vanishes else {"complete": {"value": 1.0, "fresh": 1.0}}

    pool, ended = searched(monkeypatch, tmp_path / "a", says)
    configs = [task["config"] for task in pool.tasks]
    assert len(ended) == 4 and all(config == configs[1] for config in configs[1 : often + (often < 3)])
    if often == 3:
        assert ended[1].state == "failed" and "vanished 3 times" in ended[1].problem and len(configs) == 6
    else:
        assert {trial.state for trial in ended} == {"complete"} and configs[2] == configs[1] != configs[3]


def test_a_search_in_which_all_fails_ends_with_the_reason(monkeypatch: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="the first 3 trials failed: no luck"):
        searched(monkeypatch, tmp_path / "a", lambda task: {"failed": "no luck", "field": ""})


def test_a_full_disk_ends_the_search_and_no_trial_fails_by_it(monkeypatch: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="the same command resumes"):
        searched(monkeypatch, tmp_path / "a", lambda task: {"halted": "no space left on device"})
    _, ended = searched(monkeypatch, tmp_path / "a", lambda task: {"complete": {"value": 1.0, "fresh": 1.0}})
    assert [trial.state for trial in ended] == ["complete"] * 4


def test_a_folder_of_another_search_or_of_something_else_is_refused(monkeypatch: Any, tmp_path: Path) -> None:
    whole = {"complete": {"value": 1.0, "fresh": 1.0}}
    folder = tmp_path / "a"
    searched(monkeypatch, folder, lambda task: whole, trials=1)
    before = (folder / "trials.jsonl").read_text()
    for options, words in (
        ({"seed": 1}, "its seed is not the same: 0"),
        ({"search": [SEARCH[0]]}, "another search in this folder (its space"),
        ({"startup": 3}, "its startup: 2"),
        ({"batch": 16, "search": [SEARCH[0]]}, "another search"),
    ):
        with pytest.raises(InvalidInput, match=re.escape(words)):
            searched(monkeypatch, folder, lambda task: whole, **options)
    assert (folder / "trials.jsonl").read_text() == before
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.txt").touch()
    with pytest.raises(InvalidInput, match="something else in this folder"):
        searched(monkeypatch, tmp_path / "b", lambda task: whole)
    with TuningFolder(folder).held_by(TuningFolder(folder).plan()):
        with pytest.raises(InvalidInput, match=r"process \d+ is at work in this folder"):
            searched(monkeypatch, folder, lambda task: whole)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--trials", "0"), "trials"),
        (("--jobs", "0"), "jobs"),
        (("--startup", "0"), "startup"),
        (("--algo", "pathwis"), "Did you mean 'pathwise'?"),
        (("--algo", "dagger"), "must be an algorithm that can be tuned"),
        (("--search", "batch=8..4"), "this range is empty"),
        (("--set", "steps=5", "--steps", "6"), "given twice"),
        (("--preset", "nowhere.yml"), "there is no such file"),
    ],
)
def test_bad_input_is_told_in_one_line_and_nothing_is_written(
    arguments: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    done = run("tune", "serial", "--out", str(tmp_path / "out"), *arguments)
    assert done.code == 2
    errors = [line for line in done.err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1 and words in errors[0]
    assert not (tmp_path / "out").exists()


# with processes that train ------------------------------------------------------------------------------------

TINY = [f"--set={name}={'null' if value is None else value}" for name, value in FRAME.items()]
TINY += ["--set=network.hidden=[8]", "--set=network.start=null", "--startup=2", "--seed=3"]


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("space") / "space.yml"
    file.write_text("peak_rate: log:1e-3..2e-1\nbatch: [4, 8]\n")
    return file


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, space: Path) -> Iterator[tuple[Path, list[Any]]]:
    """A search of four trials in one go."""
    folder, seen = tmp_path_factory.mktemp("whole") / "search", []
    tune(
        "serial", folder, trials=4, seed=3, search=[f"@{space}"], architecture=NETWORK, startup=2,
        tell=seen.append, **FRAME,
    )  # fmt: skip
    yield folder, seen


def test_what_a_search_leaves(whole: tuple[Path, list[Any]], tmp_path: Path) -> None:
    folder, seen = whole
    found = read_tuning(folder)
    assert [progress.ended for progress in seen] == [1, 2, 3, 4] and seen[-1].seconds_left == 0.0
    assert found.best is not None and found.best == max(
        (trial for trial in found.trials if trial.state == "complete"), key=lambda trial: trial.value
    )
    assert found.trials[0].values == found.plan.first() | {"peak_rate": 0.006}
    assert found.fresh is not None and found.fresh.mean == pytest.approx(found.best.fresh)
    for trial in found.trials:
        left = TuningFolder(folder).run(trial.number)
        assert (left / "metrics.jsonl").is_file() and not (left / "checkpoints").exists()
    assert restock.simulate("serial", str(folder / "best"), episodes=3, seed=1).policy.name == "best"

    again = train("serial", tmp_path / "again", seed=3, preset=folder / "best.yml")
    assert again["profit"] == found.best.value, "the best numbers train the best policy again"

    page = write_tuning_report(found, command="restock tune serial").read_text(encoding="utf-8")
    assert page.count("<svg") == 2 + len(found.plan.space)
    assert "restock tune serial" in page and found.command().replace("&", "&amp;") in page
    assert not re.search(r"(src|href)=\"(?!#)", page) and "nan" not in page.lower().split("</style>")[1]


def test_pruning_saves_steps(whole: tuple[Path, list[Any]]) -> None:
    pruned = [trial for trial in read_tuning(whole[0]).trials if trial.state == "pruned"]
    assert pruned
    for trial in pruned:
        lines = RunFolder(TuningFolder(whole[0]).run(trial.number)).metrics()
        assert len(lines) == len(trial.evaluations) < FRAME["steps"]


def test_killed_and_gone_on_with_it_is_the_same_search(
    whole: tuple[Path, list[Any]], space: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    command = ["tune", "serial", "--out", str(folder), "--search", f"@{space}", "--trials", "4", *TINY]
    started = subprocess.Popen([*COMMAND, *command], stderr=subprocess.PIPE, text=True, env=environment())
    second = folder / "trials" / "0001"
    # A trial is short, and drops its checkpoints when it ends: the next one will do as well.
    wait_for(lambda: (second / "checkpoints" / "last.pt").exists() or (folder / "trials" / "0002").exists())
    started.kill()
    started.communicate()
    wait_for(lambda: nobody_works_in(second))  # whoever trained has ended too
    done = run(*command, "--json")
    assert done.code == 0 and done.document["trials"]["interrupted"] >= 1
    lines = [[trial.to_dict() for trial in read_tuning(path).trials if trial.ended] for path in (folder, whole[0])]
    for trial in (trial for path in lines for trial in path):
        del trial["number"], trial["seconds"]
    assert lines[0] == lines[1]
    best = f"best {done.document['best']['value']:.2f} by {done.document['best']['number']}"
    assert re.search(rf"^trial +\d+ +(complete|pruned at \d+%) +-?[\d.]+ +{best} +\d+ s  4/4  done$", done.err, re.M)
    unchanged = (folder / "trials.jsonl").read_text()
    assert run(*command, "-q").code == 0 and (folder / "trials.jsonl").read_text() == unchanged


def test_two_at_a_time_until_ctrl_c(space: Path, tmp_path: Path) -> None:
    folder = tmp_path / "two"
    command = ["tune", "serial", "--out", str(folder), "--search", f"@{space}", "--jobs", "2", "--no-prune", *TINY]
    started = subprocess.Popen([*COMMAND, *command], stderr=subprocess.PIPE, text=True, env=environment())
    wait_for(lambda: (folder / "trials.jsonl").is_file() and '"complete"' in (folder / "trials.jsonl").read_text())
    refused = run(*command)
    assert refused.code == 2 and f"process {started.pid} is at work" in refused.err
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert started.returncode == 130 and "The same command resumes it" in said
    assert "Traceback" not in said
    found = read_tuning(folder)
    assert found.count("complete") >= 1 and found.count("running") >= 1
    assert {"0000", "0001"} <= {path.name for path in (folder / "trials").iterdir()}
    assert (folder / "report.html").is_file() and (folder / "best.yml").is_file()
    assert all(nobody_works_in(path) for path in (folder / "trials").iterdir())


def nobody_works_in(folder: Path) -> bool:
    try:
        with held(folder, "out"):
            return True
    except InvalidInput:
        return False


def wait_for(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 200.0
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_pool_that_has_ended_leaves_no_pipe_open(tmp_path: Path) -> None:
    pool = Pool(tuning.WORKER, tmp_path / "log.txt")
    worker = pool.add()
    pool.close()
    pipes = (worker._process.stdin, worker._process.stdout)
    assert worker._process.poll() is not None and all(pipe is not None and pipe.closed for pipe in pipes)
