"""The report: complete, self-contained, well formed, safe to write."""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path

import pytest

from restock.core.errors import InvalidInput
from restock.evaluation.compare import Comparison, compare
from restock.evaluation.restaurant import Study, restaurant_study
from restock.problems.load import load_problem
from restock.report import html
from restock.report.html import Section, write_report
from restock.report.numbers import amount
from restock.report.restaurant import write_restaurant_report
from restock.report.tables import key_figures
from tests.report.markup import Page


@pytest.fixture(scope="module")
def study() -> Study:
    return restaurant_study(every=59)


@pytest.fixture(scope="module")
def page(study: Study, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    return write_restaurant_report(study, path, "restock demo --every 59").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compare("serial", ["base-stock", "constant-order"], episodes=12, seed=3)


def numbers_of(data: object) -> list[float]:
    if isinstance(data, dict):
        return [n for key, value in data.items() if key != "seconds" for n in numbers_of(value)]
    if isinstance(data, list):
        return [n for value in data for n in numbers_of(value)]
    return [float(data)] if isinstance(data, (int, float)) and not isinstance(data, bool) else []


def test_it_holds_every_policy_and_every_number(page: str, study: Study) -> None:
    text = Page(page).text
    for table in study.comparisons:
        for row in table.rows:
            assert row.name in text
        for number in numbers_of(json.loads(json.dumps(table.to_dict()))):
            assert repr(number) in text or repr(int(number)) in text
        for _, group in key_figures(table):
            for cells in group.rows:
                for cell in cells:
                    assert cell in text or cell.replace("period", "day") in text


def test_rounded_numbers_are_those_of_the_comparison(page: str, study: Study) -> None:
    text = Page(page).text
    for table in study.comparisons:
        for row in table.rows:
            assert amount(row.profit.mean) in text
            assert f"{amount(row.profit.low)} to {amount(row.profit.high)}" in text


def test_the_answer_comes_first(page: str, study: Study) -> None:
    text = Page(page).text
    best = study.comparisons[0].reference
    assert text.index("earned most") < text.index("The policies")
    assert text.index(best) < 1500


def test_it_has_all_parts(page: str) -> None:
    parsed = Page(page)
    for part in ("The policies", "Serial network", "Divergent network", "The data", "What was assumed"):
        assert part in parsed.headings
    for part in ("What the figures mean", "How to repeat this", "Key figures", "Where each policy loses"):
        assert part in parsed.headings
    for words in ("restock demo --every 59", "BSD 3-Clause", "ddop", "Copyright (c) 2007-2020", "YAZ", "restock 0."):
        assert words in parsed.text


def test_it_is_well_formed_and_loads_nothing(page: str) -> None:
    parsed = Page(page)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert {"script", "link", "iframe", "img", "object"}.isdisjoint(parsed.tags)
    for link in parsed.links:
        assert link.startswith("#") and link[1:] in parsed.ids
    assert "@import" not in page and "url(" not in page
    addresses = set(re.findall(r"https?://[^\s\"'<>)]*", page))
    assert addresses <= {"http://www.w3.org/2000/svg"}  # a name in the SVG standard, not a place to load from


def test_it_speaks_to_those_who_do_not_see(page: str) -> None:
    assert '<html lang="en">' in page
    for picture in re.findall(r"<svg[^>]*>", page):
        label = re.search(r'aria-label="([^"]+)"', picture)
        assert 'role="img"' in picture and label and len(label[1]) > 20
    assert page.count("<table") == page.count("<caption")
    assert page.count("<figure") == page.count("<figcaption")
    assert re.search(r"<th(?![a-z])(?![^>]*scope=)", page) is None


def test_it_is_small_and_has_no_private_place(page: str) -> None:
    assert len(page.encode()) < 2_000_000
    assert "/tmp" not in page and str(Path.home()) not in page


def test_equal_input_gives_an_equal_page(study: Study, page: str, tmp_path: Path) -> None:
    again = write_restaurant_report(restaurant_study(every=59), tmp_path / "again.html", "restock demo --every 59")
    stamp = re.compile(r"Written by restock on [^<]*")
    assert stamp.sub("", again.read_text(encoding="utf-8")) == stamp.sub("", page)


def test_names_are_escaped(tmp_path: Path) -> None:
    table = compare("serial", {'<b>&"x"': "base-stock", "o'p": "constant-order"}, episodes=3)
    write_report(
        table, tmp_path / "r.html", title="<i>", lead="a < b", assumptions=["1 < 2"], command="restock <x>",
        sections=[Section("<s>", ("<p>",), quote="<q>")],
    )  # fmt: skip
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    parsed = Page(page)
    assert not {"b", "i", "s", "q", "x"} & (set(parsed.tags) - {"b"})
    assert escape('<b>&"x"') in page
    assert '<b>&"x"' in parsed.text


@pytest.mark.parametrize(
    ("instance", "changes", "policies", "more"),
    [
        ("serial", {}, ["base-stock"], {"episodes": 1}),
        ("serial", {}, ["base-stock"], {"episodes": 2, "bound": False}),
        ("serial", {}, ["hindsight"], {"episodes": 3}),
        ("serial", {"horizon": 1}, ["random", "base-stock"], {"episodes": 3}),
        ("serial", {"demand": {"mean": 0.0}}, ["constant-order", "base-stock"], {"episodes": 3}),
        ("serial", {"demand": {"goodwill": True}}, ["constant-order"], {"episodes": 2}),
        ("w-network", {"backlog": False, "discount": 0.97}, ["base-stock", "random"], {"episodes": 5}),
        ("distribution-tree", {}, ["base-stock", "constant-order"], {"episodes": 700, "bound": False}),
    ],
)
def test_any_comparison_can_be_reported(
    instance: str, changes: dict, policies: list[str], more: dict, tmp_path: Path
) -> None:
    table = compare(load_problem(instance, **changes), policies, **more)
    parsed = Page(write_report(table, tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "nan" not in parsed.text.lower().split()
    assert "inf" not in parsed.text.lower().split()
    for row in table.rows:
        assert row.name in parsed.text


def test_a_beaten_bound_is_told_before_the_answer(comparison: Comparison, tmp_path: Path) -> None:
    import dataclasses

    wrong = dataclasses.replace(comparison, exceeded=("base-stock",))
    text = Page(write_report(wrong, tmp_path / "r.html").read_text(encoding="utf-8")).text
    assert text.index("base-stock earned more than a proven bound") < text.index("earned most")
    fine = Page(write_report(comparison, tmp_path / "r.html").read_text(encoding="utf-8")).text
    assert "Warning" not in fine


def test_a_report_is_whole_or_not_there(
    comparison: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("an older report", encoding="utf-8")

    def stop(*args: object, **kwargs: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(html, "render", stop)
    with pytest.raises(KeyboardInterrupt):
        write_report(comparison, path)
    monkeypatch.undo()
    monkeypatch.setattr("os.replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write_report(comparison, path)
    assert path.read_text(encoding="utf-8") == "an older report"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("where", ["folder", "file/inside", "file/far/inside", "a\0b", ""])
def test_unwritable_places(comparison: Comparison, tmp_path: Path, where: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("", encoding="utf-8")
    before = sorted(str(entry) for entry in tmp_path.rglob("*"))
    with pytest.raises(InvalidInput) as caught:
        write_report(comparison, tmp_path / where)
    assert caught.value.field == "path"
    assert sorted(str(entry) for entry in tmp_path.rglob("*")) == before


def test_missing_folders_are_made(comparison: Comparison, tmp_path: Path) -> None:
    assert write_report(comparison, tmp_path / "a" / "b" / "r.html").exists()


def test_bad_arguments(comparison: Comparison, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nothing to report"):
        write_report([], tmp_path / "r.html")
    with pytest.raises(InvalidInput, match="12 are needed"):
        write_report(comparison, tmp_path / "r.html", labels=["a", "b"])
    assert not (tmp_path / "r.html").exists()
