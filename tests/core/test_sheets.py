"""What is written as CSV is data in a spreadsheet, too."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from restock.benchmark import table
from restock.core.sheets import write_rows
from restock.learning import metrics
from restock.learning.evaluation import evaluate
from restock.learning.train import train
from tests.cli.running import run
from tests.shared_material import REPOSITORY

FORMULA = "=HYPERLINK(A1)"


def read(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_no_cell_is_carried_out_and_numbers_stay_numbers(tmp_path: Path) -> None:
    rows = [
        [FORMULA, -1.5, None],
        ["+1", 2, "-"],
        ["@x", True, "a=1"],
        ["\tx", float("inf"), "\rx"],
        ["x\r=1", "y\r\n=1", "z\n=1"],
    ]
    write_rows(tmp_path / "a.csv", ["=name", "n", ""], rows)
    assert read(tmp_path / "a.csv") == [
        ["'=name", "n", ""], [f"'{FORMULA}", "-1.5", ""], ["'+1", "2", "'-"], ["'@x", "True", "a=1"],
        ["'\tx", "inf", "'\nx"], ["x\n=1", "y\n=1", "z\n=1"],
    ]  # fmt: skip


def test_names_in_a_run_that_was_sent_are_text(tmp_path: Path) -> None:
    metrics.to_csv(tmp_path / "m.csv", [{"step": 1, FORMULA: FORMULA}])
    assert read(tmp_path / "m.csv") == [["step", f"'{FORMULA}"], ["1", f"'{FORMULA}"]]


def test_nor_is_the_name_of_a_problem_in_an_evaluation(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    small = {"steps": 4, "batch": 4, "restarts": 1, "evaluate_every": 2, "held_out": 4, "architecture": {"hidden": [4]}}
    text = run("show", "serial", "--yaml").out.replace("name: serial", f"name: {json.dumps(FORMULA)}")
    (tmp_path / "sent.yaml").write_text(text)
    train(str(tmp_path / "sent.yaml"), tmp_path / "run", **small)
    evaluate(tmp_path / "run", 2)
    assert {row[0] for row in read(tmp_path / "run" / "evaluation" / "episodes.csv")[1:]} == {f"'{FORMULA}"}


def test_every_table_is_written_by_what_takes_care_of_that() -> None:
    assert not hasattr(table, "csv")
    found = {
        str(path.relative_to(REPOSITORY / "src/restock"))
        for path in (REPOSITORY / "src/restock").rglob("*.py")
        if re.search(r"csv\.(writer|DictWriter)", path.read_text(encoding="utf-8"))
    }
    assert found == {"core/sheets.py", "core/trajectory.py", "report/documents.py"}
