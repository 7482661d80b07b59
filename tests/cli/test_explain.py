"""`restock evaluate --explain`: what a trained policy does, in words, in the document and on the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import run
from tests.report.markup import Page

pytest.importorskip("torch")
FEW = ("--set", "steps=10", "--set", "batch=4", "--set", "held_out=4", "--set", "evaluate_every=5")
SMALL = (*FEW, "--set", "network.hidden=[4]", "--set", "restarts=1", "--quiet")


def test_a_run_is_explained(tmp_path: Path) -> None:
    folder, page = str(tmp_path / "run"), tmp_path / "page.html"
    assert run("train", "serial", "--out", folder, *SMALL, "--horizon", "12").code == 0
    done = run("evaluate", folder, "-n", "4", "--explain", "--report", str(page), "--json")
    assert done.code == 0
    explained = done.document["explained"]
    assert explained["policy"] == "run" and explained["episodes"] == 4
    assert {one["link"] for one in explained["maps"]} == {"2->1", "3->2", "4->3"}
    assert {"stock at 1", "last demand", "period"} <= {one["name"] for one in explained["influences"]}
    assert {"What it orders", "What it looks at"} <= set(Page(page.read_text(encoding="utf-8")).headings)
