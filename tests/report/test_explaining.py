"""The page that explains a policy: self-contained, well formed, and it says what was found."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import restock
from restock.evaluation.explain import Explanation, explain
from restock.policies.registry import make_policy
from restock.report.explaining import parts, sentences, write_explanation
from restock.report.heat import LEVELS, edges, heat_map, shade
from restock.report.numbers import amount, places_for
from tests.policies.homes import shop
from tests.report.markup import Page


@pytest.fixture(scope="module")
def found() -> Explanation:
    problem = restock.load_problem(shop(2, horizon=20), discount=1.0)
    level = make_policy("base-stock", problem, levels=17)
    return explain(problem, level, 30, 1, beside={"the <best>": "optimal"})


@pytest.fixture(scope="module")
def page(found: Explanation, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "new" / "explained.html"
    return write_explanation(found, path, "restock evaluate run --explain").read_text(encoding="utf-8")


def test_it_needs_nothing_else(page: str) -> None:
    read = Page(page)
    assert len(read.ids) == len(set(read.ids))
    assert all(link.startswith("#") for link in read.links)
    assert "script" not in read.tags and "http" not in re.sub(r'xmlns="[^"]*"', "", page)


def test_it_says_what_was_found(page: str, found: Explanation) -> None:
    read = Page(page)
    for sentence in sentences(found):
        assert " ".join(sentence.split()) in read.text
    for one in found.influences:
        assert one.name in read.text
        if one.change.mean:
            assert amount(one.loss.mean, places_for(one.loss)) in read.text
    assert [h for h in read.headings if "period 10" in h] and "the <best>" in read.headings + read.words
    assert "It pays no attention to sales just lost, last demand and earlier demand." in sentences(found)
    assert "restock evaluate run --explain" in read.text
    # Three policies' worth of maps, and every picture is told in words.
    assert page.count("<svg") == page.count("aria-label=") - 1  # and the links between the parts
    assert page.count("Orders of base-stock on") // 2 == 2  # label and title of two maps


def test_its_parts_fit_into_another_page(found: Explanation) -> None:
    assert [heading for heading, _ in parts(found)] == ["What it orders", "What it looks at", "How it was explained"]
    for _, text in parts(found):
        Page(text)


def test_without_observations_and_with_several_links(tmp_path: Path) -> None:
    found = explain("serial", "constant-order", 6, beside={}, observations=False)
    text = write_explanation(found, tmp_path / "page.html").read_text(encoding="utf-8")
    assert [heading for heading, _ in parts(found)] == ["What it orders", "How it was explained"]
    assert Page(text).tags.count("details") == 3


def test_a_policy_that_always_does_the_same(tmp_path: Path) -> None:
    problem = restock.load_problem(shop(0, horizon=6, demand={"series": [3] * 6, "noise_scale": 0}))
    found = explain(problem, make_policy("constant-order", problem, quantity=3), 4, beside={})
    text = write_explanation(found, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "nothing to map" in text


# heat maps ------------------------------------------------------------------------------------------


def test_cells_stand_where_their_values_are_and_blank_ones_are_not_drawn() -> None:
    values = np.array([[0.0, 0.0, 4.0], [np.nan, 4.0, 4.0]])
    picture = str(heat_map(np.array([1.0, 2.0, 3.0]), np.array([5.0, 6.0]), values, 4.0, np.empty((0, 2)),
                           ("across", "up"), "alt"))  # fmt: skip
    tiles = {colour: way for way, colour in re.findall(r'<path d="([^"]*)" fill="(#\w+)" shape', picture)}
    assert set(tiles) == {shade(0.0), shade(1.0)}
    boxes = {c: [tuple(map(float, re.split("[ hv]", box.rstrip("z").rsplit("h-", 1)[0])))
                 for box in way.split("M")[1:]] for c, way in tiles.items()}  # fmt: skip
    (low,) = boxes[shade(0.0)]
    upper, lower = sorted(boxes[shade(1.0)], key=lambda box: box[1])
    assert low[2] == pytest.approx(2 * lower[2], abs=0.2) and upper[2] == pytest.approx(2 * lower[2], abs=0.2)
    assert low[1] == lower[1] > upper[1]  # the first row is the lowest
    assert lower[0] == pytest.approx(low[0] + low[2], abs=0.2)  # the third column is to the right
    assert upper[0] == pytest.approx(low[0] + lower[2], abs=0.2)


def test_colours_get_darker() -> None:
    light = [sum(int(shade(k / (LEVELS - 1))[a : a + 2], 16) for a in (1, 3, 5)) for k in range(LEVELS)]
    assert light == sorted(light, reverse=True) and len(set(light)) == LEVELS
    assert shade(-1.0) == shade(0.0) and shade(7.0) == shade(1.0)
    np.testing.assert_allclose(edges(np.array([1.0, 3.0, 5.0])), [0.0, 2.0, 4.0, 6.0])
