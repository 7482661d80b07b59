"""`restock demo`: terminal, JSON and page say the same; nothing is left behind when it does not end well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from restock.cli import demo as command
from restock.cli.main import app
from restock.report.numbers import amount
from tests.report.markup import Page


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    with pytest.raises(SystemExit) as end:
        app(list(words))
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


def test_terminal_document_and_page_agree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    path = tmp_path / "report.html"
    code, out, _ = ran(capsys, "demo", "--every", "59", "--out", str(path))
    assert code == 0
    again, text, _ = ran(capsys, "demo", "--every", "59", "--out", str(path), "--json")
    document = json.loads(text)
    assert again == 0
    page = Page(path.read_text(encoding="utf-8")).text
    assert str(path) in out
    terminal = " ".join(out.split())
    for sentence in [*document["answer"], *(s for table in document["comparisons"] for s in table["answer"])]:
        assert sentence in terminal
        assert sentence in page
    for table in document["comparisons"]:
        for entry in table["policies"]:
            for place in (terminal, page):
                assert entry["name"] in place
                assert amount(entry["profit"]["mean"]) in place
                assert f"{amount(entry['profit']['low'])} to {amount(entry['profit']['high'])}" in place
            assert repr(entry["profit"]["mean"]) in page
    for assumption in document["assumptions"]:
        assert assumption in page
    assert document["command"] in page
    assert document["demand"]["planned_with"]["days"] == 182
    assert document["demand"]["windows"][0] == "2014-04-04"
    # Of ten windows the interval of a skewed difference may be off, and that is said; nothing else is wrong.
    assert all("rare large values" in warning for warning in document["warnings"])
    assert all(warning in terminal for warning in document["warnings"])


def test_the_command_repeats_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a b.html"
    _, text, _ = ran(capsys, "demo", "--every", "200", "--ingredient", "steak", "--out", str(path), "--json")
    document = json.loads(text)
    assert document["command"] == f"restock demo --out '{path}' --ingredient steak --every 200"
    assert document["demand"]["ingredient"] == "steak"


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (["--ingredient", "stake"], "Did you mean 'steak'?"),
        (["--every", "0"], "every"),
        (["--every", "x"], "every"),
        (["--out", "{folder}"], "this is a folder"),
        (["--out", "{file}/r.html"], "cannot be written"),
    ],
)
def test_bad_input_is_told_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], mend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / "report.html").write_text("an older report", encoding="utf-8")
    before = sorted(str(entry) for entry in tmp_path.rglob("*"))
    given = [word.format(folder=tmp_path / "folder", file=tmp_path / "file") for word in words]
    code, out, err = ran(capsys, "demo", *given)
    assert code == 2
    assert out == ""
    assert mend in err
    assert "Traceback" not in err
    assert sorted(str(entry) for entry in tmp_path.rglob("*")) == before
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "an older report"


def test_ctrl_c_keeps_the_older_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("restock.evaluation.restaurant.restaurant_study", interrupted)
    path = tmp_path / "report.html"
    path.write_text("an older report", encoding="utf-8")
    code, out, err = ran(capsys, "demo", "--out", str(path))
    assert code == 130
    assert out == ""
    assert "interrupted" in err
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text(encoding="utf-8") == "an older report"


def test_a_beaten_bound_fails_aloud(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    from restock.evaluation import restaurant

    real = restaurant.restaurant_study

    def wrong(*args: object, **kwargs: object) -> restaurant.Study:
        study = real(every=200)
        first, *rest = study.comparisons
        return dataclasses.replace(study, comparisons=(dataclasses.replace(first, exceeded=("random",)), *rest))

    monkeypatch.setattr(restaurant, "restaurant_study", wrong)
    code, out, _ = ran(capsys, "demo", "--out", str(tmp_path / "r.html"))
    assert code == 1
    assert "Warning: On serial, random earned more than a proven bound." in " ".join(out.split())
    assert "Warning. On serial, random earned more than a proven bound." in (tmp_path / "r.html").read_text("utf-8")


def test_defaults_are_those_of_make_demo() -> None:
    assert (command.OUT, command.INGREDIENT, command.EVERY) == ("report.html", "koefte", 5)
