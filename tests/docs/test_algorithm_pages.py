"""The pages of the algorithms are complete: every number of a preset, every metric that a run logs, and no others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("stable_baselines3")
pytest.importorskip("sb3_contrib")

from restock.learning import presets
from restock.learning.config import Pathwise
from restock.learning.events import TAGS
from restock.learning.imitation import Imitation
from restock.learning.metrics import FIELDS
from restock.learning.run_folder import RunFolder
from restock.learning.train import ALGORITHMS, train
from restock.problems.load import load_problem

PAGES = Path(__file__).parents[2] / "docs" / "reference" / "algorithms"
PAGE = {algo: {"bc": "behaviour-cloning"}.get(algo, algo) for algo in ALGORITHMS}
HEADINGS = ["Objective", "Forms", "Preset", "Metrics", "When to choose it", "Source"]
FRAME = {"steps": 120, "n_envs": 4, "evaluate_every": 120, "held_out": 2}
ROUNDS = FRAME | {"n_steps": 15, "batch_size": 60, "n_epochs": 1}
STORED = FRAME | {"learning_starts": 40, "batch_size": 16, "train_freq": 1, "gradient_steps": 2}
TAUGHT = {"teacher": "base-stock", "episodes": 2, "steps": 2, "held_out": 2}
SMALL: dict[str, dict[str, Any]] = {
    "pathwise": {"steps": 2, "batch": 4, "restarts": 1, "held_out": 2, "architecture": {"start": None}},
    "bc": TAUGHT,
    "dagger": TAUGHT | {"rounds": 1},
    "a2c": FRAME | {"n_steps": 15},
    **dict.fromkeys(("ppo", "recurrent-ppo", "maskable-ppo"), ROUNDS),
    **dict.fromkeys(("sac", "td3", "dqn", "tqc"), STORED),
}


def text_of(stem: str) -> str:
    return (PAGES / f"{stem}.md").read_text(encoding="utf-8")


def rows_of(text: str, heading: str) -> dict[str, list[str]]:
    """The table below a heading: the first cell, a name in backticks, and the others."""
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in re.findall(r"^\| `.*\|$", section, re.M)
    ]
    return {row[0].strip("` "): row[1:] for row in rows}


def numbers_of(algo: str) -> dict[str, Any]:
    """The numbers of an algorithm's preset, or its defaults."""
    if algo in presets.ALGORITHMS:
        forms, entry = presets.preset(algo, load_problem("serial"))
        keywords = entry.pop("policy_kwargs", {})
        return forms | entry | keywords
    fields = (Pathwise if algo == "pathwise" else Imitation).model_fields
    defaults = {name: field.get_default(call_default_factory=True) for name, field in fields.items()}
    return defaults | ({"rounds": 1} if algo == "bc" else {})


def written(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_every_algorithm_has_its_page() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} - {"index"} == set(PAGE.values())
    for algo, stem in PAGE.items():
        assert f"| [{stem}]({stem}.md) | `{algo}` |" in text_of("index")


@pytest.mark.parametrize("algo", ALGORITHMS)
def test_a_page_says_what_it_should(algo: str) -> None:
    text = text_of(PAGE[algo])
    assert text.startswith(f"# {PAGE[algo]}\n")
    assert re.findall(r"^## (.*)$", text, re.M) == HEADINGS
    assert text.count("$$") % 2 == 0 and text.count("$$") >= 2
    told = {name: cells[0].strip("`") for name, cells in rows_of(text, "Preset").items()}
    assert told == {name: written(value) for name, value in numbers_of(algo).items()}
    assert all(reason for _, reason in rows_of(text, "Preset").values())


@pytest.mark.parametrize("algo", ALGORITHMS)
def test_every_metric_of_a_run_is_explained_and_no_other(algo: str, tmp_path: Path) -> None:
    train("serial", tmp_path / "run", algo, **SMALL[algo])
    logged = {name for line in RunFolder(tmp_path / "run").metrics() for name in line}
    own = rows_of(text_of(PAGE[algo]), "Metrics")
    assert set(own) == {name for name in logged if name not in FIELDS}
    assert all(len(cells) == 3 and all(cells) for cells in own.values())


def test_the_metrics_of_every_run_are_explained_once() -> None:
    rows = rows_of(text_of("index"), "Metrics of every run")
    assert set(rows) == {*FIELDS, "curriculum/periods"}
    for name, (tag, *cells) in rows.items():
        assert tag.strip("`") == (name if "/" in name else TAGS.get(name, "-"))
        assert len(cells) == 3 and all(cells)
