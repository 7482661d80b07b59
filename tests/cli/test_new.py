"""`restock new`, and problems from outside the package."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

import gymnasium as gym
import pytest

import restock
from restock.problems.template import FOLDER
from tests.cli.running import environment, run

MINE = """
from restock.problems.minimal import MinimalProblem, MinimalSpec

class Mine(MinimalProblem):
    def __init__(self, horizon=9):
        super().__init__(MinimalSpec(horizon=horizon))
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with a new problem in it."""
    monkeypatch.chdir(tmp_path)
    told = run("new", "corner-shop", "--json")
    assert told.code == 0 and told.document["folder"] == "corner-shop"
    assert sorted(told.document["files"]) == sorted(
        path.relative_to(tmp_path / "corner-shop").as_posix()
        for path in (tmp_path / "corner-shop").rglob("*")
        if path.is_file()
    )
    return tmp_path


def test_a_new_problem_passes_the_conformance_tests_unchanged(here):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "corner-shop"]
    done = subprocess.run(command, cwd=here, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "passed" in done.stdout and "skipped" not in done.stdout


def test_it_has_the_files_of_every_problem_and_nothing_of_the_template(here):
    files = {path.name for path in (FOLDER.parent / "minimal").rglob("*.*") if "__pycache__" not in path.parts}
    there = {path.name for path in (here / "corner-shop").rglob("*.*")}
    # What agents that speak are told is made of what is recorded, unless a folder has a structured.py that says more.
    # A folder is named by its path; a manifest is for families that are installed.
    assert files - {"__init__.py", "family.py", "minimal.yaml", "structured.py"} <= there
    for path in (here / "corner-shop").rglob("*.*"):
        text = path.read_text(encoding="utf-8").lower() if path.is_file() else ""
        assert "own-problem" not in text and "ownproblem" not in text and "own_problem" not in text, path


def span(node):
    """Return the lines of a node."""
    return range(node.lineno, node.end_lineno + 1)


def test_it_is_at_most_110_lines_of_code_in_four_files(here):
    lines = 0
    for name in ("spec.py", "dynamics.py", "problem.py", "load.py"):
        tree = ast.parse((here / "corner-shop" / name).read_text(encoding="utf-8"))
        told = [node for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))]
        words = {line for node in told if ast.get_docstring(node) for line in span(node.body[0])}
        text = (here / "corner-shop" / name).read_text(encoding="utf-8").splitlines()
        code = [k for k, line in enumerate(text, 1) if line.strip() and not line.strip().startswith("#")]
        lines += len(set(code) - words)
    assert lines <= 110
    assert sorted(path.name for path in (here / "corner-shop").glob("*.py")) == [
        "dynamics.py", "load.py", "problem.py", "spec.py",
    ]  # fmt: skip


def test_it_can_be_used_wherever_a_problem_is_named(here):
    policy = "corner-shop/policies/base_stock.py:BaseStock"
    told = run("compare", "corner-shop", policy, "random", "-n", "3", "--json").document
    assert {row["name"] for row in told["policies"]} == {policy, "random"}
    assert run("simulate", "./corner-shop", policy, "-n", "2", "--horizon", "4", "--json").document["horizon"] == 4
    assert "lead_time: 2" in run("show", "corner-shop", "--yaml").out
    (here / "corner-shop" / "instances" / "slow.yaml").write_text("problem: corner-shop\nlead_time: 5\n")
    problem = restock.load_problem("corner-shop/instances/slow.yaml", horizon=3)
    assert (problem.spec.lead_time, problem.horizon) == (5, 3)
    assert restock.load_problem("corner-shop", instance="slow").spec == problem.spec.model_copy(update={"horizon": 30})
    assert restock.load_problem(problem, horizon=7).spec.lead_time == 5
    env = gym.make("restock/Problem-v0", problem="corner-shop", lead_time=3, action="normalized")
    assert env.reset(seed=1)[0].shape == (4,)
    assert gym.make_vec("restock/Problem-v0", num_envs=2, problem="corner-shop").reset(seed=1)[0].shape == (2, 3)


def test_an_edited_folder_is_read_again(here):
    assert restock.load_problem("corner-shop").spec.price == 5.0
    spec = here / "corner-shop" / "spec.py"
    spec.write_text(spec.read_text(encoding="utf-8").replace("Field(5.0", "Field(6.0"), encoding="utf-8")
    assert restock.load_problem("corner-shop").spec.price == 6.0


def test_a_class_in_a_file_is_a_problem_too(here):
    (here / "mine.py").write_text(MINE, encoding="utf-8")
    assert restock.load_problem("mine.py:Mine", horizon=4).horizon == 4
    assert gym.make("restock/Problem-v0", problem="mine.py:Mine").reset(seed=0)[0].shape == (1,)
    assert run("simulate", "mine.py:Mine", "nothing", "-n", "2", "--json").document["horizon"] == 9


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("mine.py:Mien", "has no problem of that name. Did you mean 'Mine'"),
        ("mine.py:MinimalSpec", "has no problem of that name"),
        ("nowhere.py:Mine", "there is no such file"),
        ("broken", r"it cannot be imported \(SyntaxError"),
        ("poor", "load.py has no load"),
        ("empty/", "this is a folder"),
    ],
)
def test_what_is_no_problem_is_told(here, place, told):
    (here / "mine.py").write_text(MINE, encoding="utf-8")
    for folder, text in {"broken": "def (:\n", "poor": "", "empty": None}.items():
        (here / folder).mkdir()
        if text is not None:
            (here / folder / "load.py").write_text(text, encoding="utf-8")
    with pytest.raises(restock.InvalidInput, match=told):
        restock.load_problem(place)
    assert not any(name.startswith("restock_outside_broken") for name in sys.modules)


def test_keywords_are_checked(here):
    for keywords, field in (({}, "problem"), ({"problem": "corner-shop", "leadtime": 3}, "leadtime")):
        with pytest.raises(restock.InvalidInput) as found:
            gym.make("restock/Problem-v0", **keywords)
        assert found.value.field == field


@pytest.mark.parametrize(
    "name", ["corner-shop", "My Problem", "../up", "serial", "class", "a" * 70, "", "-x-", "é", "corner-shop"]
)
def test_a_name_that_will_not_do_writes_nothing(here, name):
    before = sorted(here.rglob("*"))
    told = run("new", "--json", "--", name)
    assert told.code == 2 and told.document["error"]["field"] == "NAME" and told.document["error"]["mend"]
    assert sorted(here.rglob("*")) == before


def test_a_folder_that_cannot_be_written_is_told(here, monkeypatch):
    def refuse(*arguments, **more):
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    told = run("new", "another", "--json")
    assert told.code == 2 and "Permission denied" in told.document["error"]["problem"]
    assert not (here / "another").exists()
