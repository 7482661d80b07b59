"""A family of an installed package is a family like restock's own, by its manifest and one entry point alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from restock.problems import template
from tests.cli.running import COMMAND, Ran, environment
from tests.shared_material import REPOSITORY

FAMILY = '''
"""The family of corner shops."""

from restock.problems.manifest import POLICIES, Manifest

FAMILY = Manifest(
    name="corner-shop",
    package="corner_shop",
    title="Corner shops",
    words="Buy ahead what is asked for around the corner.",
    noun="shop",
    policies={
        **POLICIES,
        "base-stock": "corner_shop.policies.base_stock:BaseStock",
        "hindsight": "corner_shop.foresight:Foresight",
    },
    usual=("nothing", "base-stock"),
    to_beat="base-stock",
    rule="base-stock",
    bound="hindsight",
)
'''
FORESIGHT = '''
"""Who knows the demand to come orders just that, where it pays."""

import numpy as np

from restock.policies import Policy


class Foresight(Policy):
    name = "hindsight"
    summary = "orders what is going to be asked for"
    may_know = ("clairvoyant",)

    def begin(self, episodes, seed, chance):
        self.demand = self.problem.exogenous_of(chance.vectors, chance.vectors)["demand"]

    def act(self, view):
        arrives = view.t + self.problem.spec.lead_time
        last = arrives >= self.problem.horizon
        wanted = np.zeros(len(self.demand)) if last else self.demand[:, arrives]
        return np.minimum(wanted, self.problem.spec.most_order)[:, None]
'''
POINTS = """[restock.families]
corner-shop = corner_shop.family:FAMILY
broken = corner_shop.nowhere:FAMILY
network = corner_shop.family:FAMILY
another = corner_shop.family:FAMILY
"""
SUITE = """name: shops
seeds: [1, 2]
policies: base-stock
scenarios:
  - {name: usual, instance: corner-shop, horizon: 12}
"""
IN_PYTHON = """
import json, sys, warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import gymnasium as gym
    import restock
    loaded = "corner_shop" in sys.modules
    from restock.problems.load import load_problem, shipped
    from restock.problems.manifest import ids
    names = [shipped()["corner-shop"], shipped()["serial"]]
    shipped()
env = gym.make("restock/CornerShop-v0", horizon=7)
env.reset(seed=3)
steps, over = 0, False
while not over:
    _, _, terminated, truncated, _ = env.step(env.action_space.sample())
    steps, over = steps + 1, terminated or truncated
problem = load_problem("corner-shop")
from restock.learning.describe import described, description
from restock.learning.held_out import learning_of
again = described(description(problem))
print(json.dumps({
    "warnings": sorted(str(one.message) for one in caught if "left out" in str(one.message)),
    "loaded": loaded, "ids": list(ids()), "names": names, "steps": steps,
    "again": [again.family, again.spec == problem.spec], "algorithm": learning_of(problem).algorithm,
    "policies": restock.list_policies("corner-shop"),
}))
"""
SERVED = """
import json, urllib.request
from restock.server.run import in_background
from restock.server.settings import Settings

def get(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(server.url + path, data, {"content-type": "application/json"})
    return urllib.request.urlopen(asked, timeout=240).read().decode()

with in_background(Settings()) as server:
    print(json.dumps({
        "home": get("/"), "pick": get("/pick/corner-shop"), "example": get("/examples/corner-shop"),
        "reset": get("/reset", {"task": "corner-shop", "seed": 1}),
    }))
"""
DOCUMENTED = f"""
import json, sys
sys.path.insert(0, {str(REPOSITORY / "docs" / "_ext")!r})
from families import page
print(json.dumps(page()))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as of site-packages, in which such a package is installed."""
    folder = tmp_path_factory.mktemp("site")
    package, said = folder / "corner_shop", folder / "corner_shop-1.0.dist-info"
    files = {package / path: text for path, text in template.texts("corner-shop").items() if "tests" not in path}
    files |= {package / "__init__.py": "", package / "family.py": FAMILY, package / "foresight.py": FORESIGHT}
    files |= {said / "METADATA": "Metadata-Version: 2.1\nName: corner-shop\nVersion: 1.0\n"}
    files |= {said / "entry_points.txt": POINTS, folder / "suite.yaml": SUITE}
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def began(folder: Path, command: list[str]) -> Ran:
    paths = os.pathsep.join((environment()["PYTHONPATH"], str(folder)))
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment(PYTHONPATH=paths), cwd=folder, timeout=400
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def told(folder: Path, *arguments: str) -> Any:
    ran = began(folder, [*COMMAND, *arguments])
    assert ran.code == 0, ran.err
    return ran.document


def printed(folder: Path, script: str) -> Any:
    ran = began(folder, [sys.executable, "-c", script])
    assert ran.code == 0, ran.err
    return json.loads(ran.out.splitlines()[-1])


def test_it_is_found_loaded_and_played(installed: Path) -> None:
    found = printed(installed, IN_PYTHON)
    assert not found["loaded"]  # to register its id takes the name of its entry point alone
    assert found["ids"][-1] == "restock/CornerShop-v0" and found["ids"].count("restock/Network-v0") == 1
    assert found["names"] == ["corner-shop", "network"]
    assert found["steps"] == 7
    assert found["again"] == ["corner-shop", True] and found["algorithm"] == "ppo"
    assert found["policies"] == ["nothing", "random", "base-stock", "hindsight"]


def test_what_cannot_be_read_is_left_out_with_one_warning(installed: Path) -> None:
    another, broken, network = printed(installed, IN_PYTHON)["warnings"]
    assert "another of corner_shop.family:FAMILY" in another and "must name the Manifest of another" in another
    assert "broken of corner_shop.nowhere:FAMILY" in broken and "No module named 'corner_shop.nowhere'" in broken
    assert "network of corner_shop.family:FAMILY" in network and "there is a family of this name already" in network


def test_the_command_line_knows_it(installed: Path) -> None:
    listed = told(installed, "list", "--json")
    about = {row["name"]: row for row in listed["environments"]}
    assert about["restock/CornerShop-v0"]["summary"].startswith("any shop:")
    assert {"name": "corner-shop", "problem": "corner-shop"}.items() <= next(
        row for row in listed["instances"] if row["name"] == "corner-shop"
    ).items()
    assert "corner-shop" in next(row for row in listed["policies"] if row["name"] == "base-stock")["summary"]
    alone = told(installed, "simulate", "corner-shop", "base-stock", "-n", "4", "--json")
    table = told(installed, "compare", "restock/CornerShop-v0", "-n", "4", "--json")
    rows = {row["name"]: row for row in table["policies"]}
    assert set(rows) == {"hindsight", "nothing", "base-stock"}
    assert rows["hindsight"]["profit"]["mean"] > rows["base-stock"]["profit"]["mean"]
    assert alone["kpis"]["profit"]["mean"] == rows["base-stock"]["profit"]["mean"]


def test_agents_meet_its_rule_and_its_bound(installed: Path) -> None:
    ran = told(installed, "agent", "--env", "corner-shop", "--model", "stand-in:base-stock", "-n", "1", "--json")
    assert {"base-stock", "hindsight"} <= {row["name"] for row in ran["policies"]}


def test_the_benchmark_runs_it(installed: Path) -> None:
    ran = told(installed, "bench", "--suite", "suite.yaml", "--jobs", "1", "--json")
    assert (ran["done"], ran["failed"]) == (2, {})
    board = told(installed, "leaderboard", ran["run"], "--json")
    assert "base-stock" in json.dumps(board)


def test_the_page_and_the_server_offer_it(installed: Path) -> None:
    seen = printed(installed, SERVED)
    assert "Corner shops" in seen["home"] and "Buy ahead what is asked for around the corner." in seen["home"]
    assert "base-stock" in seen["pick"] and "hindsight" in seen["pick"]
    assert "<svg" in seen["example"]
    assert "on_hand" in seen["reset"]


def test_the_docs_have_a_page_of_it(installed: Path) -> None:
    page = printed(installed, DOCUMENTED)
    told_of = page[page.index("Corner shops") :]
    assert "restock/CornerShop-v0" in told_of and "base-stock" in told_of and "hindsight" in told_of
