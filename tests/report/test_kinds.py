"""Reports of every kind of problem: each speaks of what it is about, and of nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from restock.core.errors import InvalidInput
from restock.evaluation.compare import Comparison, compare
from restock.evaluation.explain import explain
from restock.policies.registry import usual_policies
from restock.problems import template
from restock.problems.load import load_problem
from restock.report import tables
from restock.report import words as say
from restock.report.html import write_report
from tests.report.markup import Page

KINDS = {
    "serial": ("network", {}),
    "sharing": ("pool", {}),
    "production": ("plant", {"max_steps": 40}),
    "minimal": ("shelf", {}),
    "retail-medium": ("store", {}),
    "retail-easy": ("store", {"reward": "decomposed"}),
}


@pytest.fixture(scope="module")
def compared() -> dict[str, Comparison]:
    found = {}
    for name, (_, changes) in KINDS.items():
        problem = load_problem(name, **changes)
        policies = [policy for policy in usual_policies(problem.family) if not policy.startswith("tuned")]
        found[name] = compare(problem, policies[:4], episodes=4, seed=1)
    return found


def page_of(comparison: Comparison, folder: Path) -> str:
    return write_report(comparison, folder / "r.html", title="Which policy?").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", KINDS)
def test_a_page_speaks_of_its_own_kind(name: str, compared: dict[str, Comparison], tmp_path: Path) -> None:
    comparison, system = compared[name], KINDS[name][0]
    page = page_of(comparison, tmp_path)
    parsed = Page(page)
    spoken = parsed.text.partition("How to repeat this Made with")[0].lower()
    assert f"the {system} in numbers" in spoken
    for other in {"network", "pool", "plant"} - {system}:
        assert re.search(rf"\b{other}s?\b", spoken) is None, other
    if system != "network":
        assert "node" not in spoken and "links" not in spoken
    words = comparison.problem.wording
    assert f"{words.worth} minus that of" in spoken
    assert ("profit per" in spoken) == (words.worth == "profit")
    assert "a episode" not in spoken
    assert not {"nan", "inf"} & set(spoken.split())
    assert {"script", "link", "img"}.isdisjoint(parsed.tags) and len(parsed.ids) == len(set(parsed.ids))


@pytest.mark.parametrize("name", KINDS)
def test_pictures_have_text_alternatives(name: str, compared: dict[str, Comparison], tmp_path: Path) -> None:
    page = page_of(compared[name], tmp_path)
    pictures = re.findall(r"<svg[^>]*>", page)
    assert len(pictures) > 5
    for picture in pictures:
        label = re.search(r'aria-label="([^"]+)"', picture)
        assert 'role="img"' in picture and label and len(label[1]) > 20
    assert page.count("<figure") == page.count("<figcaption")
    assert page.count("<table") == page.count("<caption")


@pytest.mark.parametrize("name", KINDS)
def test_parts_add_up_to_the_reward(name: str, compared: dict[str, Comparison]) -> None:
    comparison = compared[name]
    for row in comparison.rows:
        every = row.simulation.parts
        assert tuple(every) == comparison.problem.parts
        assert np.allclose(sum(every.values()), row.simulation.profit, rtol=1e-9, atol=1e-9)
        assert sum(say.parts_of(comparison)[row.name].values()) == pytest.approx(row.profit.mean)
    table = tables.gaps(comparison)
    assert table is not None and len(table.rows) == len(comparison.rows) - 1
    named = {kpi for _, group in tables.key_figures(comparison) for kpi, *_ in group.rows}
    assert {say.kpi_name(part, comparison.problem.wording) for part in say.parts_of(comparison)[row.name]} <= named


def test_a_lack_is_told_by_its_sign(compared: dict[str, Comparison]) -> None:
    sentences = {one.split(" lacks ")[0]: one for one in say.losses(compared["sharing"])}
    assert re.search(r"fewer missions served and .* more stock-outs", sentences["Nothing"])


def test_the_first_episode_is_drawn(compared: dict[str, Comparison], tmp_path: Path) -> None:
    page = page_of(compared["sharing"], tmp_path)
    assert "depot, 100,000 units" in page and page.count(">depot") == 1
    assert "20 units" in page and ">0 units" not in page


def test_the_depot_is_left_out_of_the_scale(compared: dict[str, Comparison]) -> None:
    problem = compared["sharing"].problem
    stock = problem.curves()[0]
    assert len(stock.chosen(4)) == 3
    assert "It starts with 60 units in stock (without location 2); an episode" in say.facts(compared["sharing"])


def test_a_problem_from_outside(tmp_path: Path) -> None:
    folder = tmp_path / "my-shop"
    for path, text in template.texts("my-shop").items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    comparison = compare(str(folder), ["random", "nothing"], episodes=3)
    text = Page(page_of(comparison, tmp_path)).text
    assert "The problem in numbers" in text and "network" not in text and "nan" not in text.lower().split()
    assert "Where each policy loses" in text and "shortage cost" in text


def test_other_words_replace_those_of_the_problem(compared: dict[str, Comparison], tmp_path: Path) -> None:
    other = say.Words(episode="trial", episodes="trials")
    write_report(compared["sharing"], tmp_path / "r.html", words=other)
    text = Page((tmp_path / "r.html").read_text(encoding="utf-8")).text
    assert "per trial of 49 days" in text and "Sharing pool" in text


def test_only_networks_are_explained() -> None:
    with pytest.raises(InvalidInput, match="not a supply network") as caught:
        explain("minimal", "random", episodes=4)
    assert caught.value.field == "problem"
