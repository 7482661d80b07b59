"""Policies from outside the package: named by module, by file, by entry point."""

from __future__ import annotations

import re
import sys
from importlib import metadata

import numpy as np
import pytest

import restock
from restock.policies import outside, registry
from tests.cli.running import REPOSITORY, process, run

MINE = """
import numpy as np
from restock.policies import Policy

class Mine(Policy):
    name = "mine"

    def __init__(self, problem, quantity=10.0, information=None):
        super().__init__(problem, information)
        self.quantity = quantity

    def act(self, view):
        return np.full((len(view["on_hand"]), len(self.problem.links)), self.quantity)

class Nameless(Policy):
    def act(self, view):
        return None

SOMETHING = 3
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A file with a policy in it, in the working folder."""
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "mine.py"
    sys.modules.pop("mine", None)


@pytest.fixture
def installed(mine, monkeypatch):
    """An installed package that offers the policy under a name."""
    points = [metadata.EntryPoint("my-policy", "mine:Mine", outside.GROUP)]
    monkeypatch.setattr(metadata, "entry_points", lambda group: points if group == outside.GROUP else [])
    monkeypatch.syspath_prepend(str(mine.parent))


@pytest.mark.parametrize("place", ["mine.py:Mine", "./mine.py:Mine", "mine:Mine"])
def test_one_line_names_an_own_policy_everywhere(mine, place):
    made = restock.make_policy(place, "serial", quantity=20.0)
    assert (made.name, made.quantity) == ("mine", 20.0)
    alone = restock.simulate("serial", made, episodes=3, seed=1)
    known = restock.simulate("serial", restock.make_policy("constant-order", "serial"), episodes=3, seed=1)
    assert alone.profit.shape == known.profit.shape
    assert restock.simulate("serial", place, episodes=2).policy.name == "mine"
    table = restock.compare("serial", [place, "base-stock"], episodes=2)
    assert {"mine", "base-stock"} < {row.name for row in table.rows}


def test_a_class_will_do(mine):
    kind = registry.policy_class("mine.py:Mine")
    by_class = restock.simulate("serial", kind, episodes=2, seed=3)
    np.testing.assert_array_equal(by_class.profit, restock.simulate("serial", "mine:Mine", episodes=2, seed=3).profit)


def test_an_installed_package_offers_its_policy_by_name(installed):
    assert registry.list_policies()[-1] == "my-policy"
    assert restock.make_policy("my-policy", "serial").name == "mine"
    with pytest.raises(restock.InvalidInput, match="Did you mean 'my-policy'"):
        restock.make_policy("my-policies", "serial")


def test_the_command_line_takes_them(mine):
    told = run("compare", "serial", "mine.py:Mine:quantity=20", "base-stock", "-n", "2", "--json").document
    rows = {row["name"]: row for row in told["policies"]}
    assert {"mine.py:Mine:quantity=20", "base-stock"} < set(rows)
    by_module = process("simulate", "serial", "mine:Mine", "-n", "2", "--set", "quantity=20", "--json", cwd=mine.parent)
    assert by_module.document["kpis"]["profit"]["mean"] == rows["mine.py:Mine:quantity=20"]["profit"]["mean"]


def test_an_edited_file_is_read_again(mine):
    before = restock.make_policy("mine.py:Mine", "serial")
    mine.write_text(MINE.replace("quantity=10.0", "quantity=11.0"), encoding="utf-8")
    assert (before.quantity, restock.make_policy("mine.py:Mine", "serial").quantity) == (10.0, 11.0)


def test_a_file_may_import_its_neighbours(mine):
    (mine.parent / "helper_of_mine.py").write_text("LEVEL = 7.0\n", encoding="utf-8")
    mine.write_text("from helper_of_mine import LEVEL\n" + MINE.replace("=10.0", "=LEVEL"), encoding="utf-8")
    assert restock.make_policy("mine.py:Mine", "serial").quantity == 7.0
    assert str(mine.parent) not in sys.path


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("nowhere.py:Mine", "there is no such file"),
        ("mine.py:Mien", "mine.py has no Mien. Did you mean 'Mine'?"),
        ("mine.py:SOMETHING", "must be a policy"),
        ("mine.py:Nameless", "the policy has no name"),
        ("broken.py:Mine", r"it cannot be imported \(SyntaxError"),
        ("quits.py:Mine", r"it cannot be imported \(SystemExit: 3\)"),
        ("no_such_module:Mine", r"it cannot be imported \(ModuleNotFoundError"),
        ("json:dumps", "must be a policy"),
        ("mine.py", "there is no such policy"),
        ("mine.py:Mine:level", "there is no such policy"),
    ],
)
def test_what_cannot_be_used_is_told(mine, place, told):
    (mine.parent / "broken.py").write_text("def (:\n", encoding="utf-8")
    (mine.parent / "quits.py").write_text("raise SystemExit(3)\n", encoding="utf-8")
    with pytest.raises(restock.InvalidInput, match=told):
        restock.make_policy(place, "serial")
    assert not any(name.startswith(("restock_outside_broken", "restock_outside_quits")) for name in sys.modules)


def test_parameters_are_checked_as_of_any_policy(mine):
    with pytest.raises(restock.InvalidInput, match=r"no such parameter\. Did you mean 'quantity'"):
        restock.make_policy("mine.py:Mine", "serial", quantty=3.0)


def test_the_policy_in_the_readme_runs(tmp_path, monkeypatch):
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(# mine\.py\n.*?)```", readme, flags=re.DOTALL)
    assert example is not None
    (tmp_path / "mine.py").write_text(example[1], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for problem in ("serial", "divergent"):
        told = run("compare", problem, "mine.py:Mine", "base-stock", "-n", "3", "--json")
        assert told.code == 0 and "mine.py:Mine" in {row["name"] for row in told.document["policies"]}
