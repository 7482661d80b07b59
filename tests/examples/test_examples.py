"""Each example runs as it stands, from any folder, and is short enough to be read in one sitting."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.report.markup import Page

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
SHORT = {"05": ["4096"], "06": ["2000"]}  # steps of training, which would take minutes as they stand


def run(example: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, str(example), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        check=False,
    )


def test_there_are_examples_in_order() -> None:
    assert [int(path.name[:2]) for path in EXAMPLES] == list(range(1, len(EXAMPLES) + 1))
    assert len(EXAMPLES) >= 3


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(example: Path, tmp_path: Path) -> None:
    ended = run(example, tmp_path, *SHORT.get(example.name[:2], []))
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stdout.splitlines()) >= 3
    assert "Warning" not in ended.stderr
    text = example.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert f"python examples/{example.name}" in text  # how to start it


def test_the_report_on_own_demand(tmp_path: Path) -> None:
    days = [12 + day % 7 for day in range(320)]
    (tmp_path / "sales.csv").write_text("day,units\n" + "".join(f"{k},{n}\n" for k, n in enumerate(days)), "utf-8")
    example = next(path for path in EXAMPLES if "report" in path.stem)
    ended = run(example, tmp_path, "sales.csv", "units", "out.html")
    assert ended.returncode == 0, ended.stderr
    page = Page((tmp_path / "out.html").read_text(encoding="utf-8"))
    assert "Which policy suits units?" in page.headings
    assert "sales.csv units out.html" in page.text


def test_the_page_shows_what_the_evaluation_loop_prints(tmp_path: Path) -> None:
    ended = run(next(path for path in EXAMPLES if "evaluation_loop" in path.stem), tmp_path)
    assert ended.stdout in (ROOT / "docs" / "how-to" / "own-evaluation.md").read_text(encoding="utf-8")
