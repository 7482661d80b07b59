"""What the documentation says of the code holds: every policy has its page, every snippet runs as it stands."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from restock.cli.main import app
from restock.policies.registry import families_of, list_policies

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if not {"_build", "_generated"} & set(page.relative_to(DOCS).parts))
POLICIES = DOCS / "reference" / "policies"
REGISTERED = [name for name in list_policies() if families_of(name)]
FENCE = re.compile(
    r"^```(?P<kind>\{code-block\} )?(?P<language>[a-z]+)\n(?P<options>(?::[^\n]*\n)*)(?P<body>.*?)^```$", re.M | re.S
)


class Snippet(NamedTuple):
    """A fenced block: its language, its options, and what it says."""

    language: str
    options: dict[str, str]
    body: str


def snippets(page: Path) -> list[Snippet]:
    found = []
    for match in FENCE.finditer(page.read_text(encoding="utf-8")):
        options = dict(re.findall(r"^:(\w+): (.*)$", match["options"], re.M))
        found.append(Snippet(match["language"], options, match["body"]))
    return found


WITH_SNIPPETS = [page for page in PAGES if any(s.language in ("python", "console") for s in snippets(page))]


@pytest.mark.parametrize("page", WITH_SNIPPETS, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_snippets_run_in_order_and_print_what_is_printed(page: Path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    printed = ""
    for snippet in snippets(page):
        if "caption" in snippet.options:  # a file to save
            (tmp_path / snippet.options["caption"]).write_text(snippet.body, encoding="utf-8")
        elif snippet.language == "python":
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                exec(compile(snippet.body, str(page), "exec"), names)
            printed = out.getvalue()
        elif snippet.options.get("class") == "prints":
            assert printed == snippet.body
        elif snippet.language == "console":
            for line in snippet.body.splitlines():
                assert line.startswith("$ restock ")
                ended = CliRunner().invoke(app, shlex.split(line)[2:])
                assert ended.exit_code == 0, (line, ended.output)


def test_there_are_snippets_of_each_kind():
    assert {page.name for page in WITH_SNIPPETS} >= {
        "index.md",
        "first-network.md",
        "own-policy.md",
        "compare-fairly.md",
    }
    found = [snippet for page in PAGES for snippet in snippets(page)]
    assert {"python", "console", "yaml"} <= {snippet.language for snippet in found}
    assert sum(snippet.options.get("class") == "prints" for snippet in found) >= 8


def test_every_registered_policy_has_its_page():
    assert {page.stem for page in POLICIES.glob("*.md")} - {"index"} == set(REGISTERED)


@pytest.mark.parametrize("name", REGISTERED)
def test_a_page_of_a_policy_says_what_it_should(name: str):
    text = (POLICIES / f"{name}.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, re.M)
    assert headings == ["Idea", "Formula", "When it is good", "Parameters", "Source"]
    assert text.startswith(f"# {name}\n")
    for directive in ("policy-facts", "policy-parameters"):
        assert f"```{{{directive}}} {name}\n" in text
    assert text.count("$$") % 2 == 0 and text.count("$$") >= 2
    assert re.search(rf"^{re.escape(name)}$", (POLICIES / "index.md").read_text(encoding="utf-8"), re.M)


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert "://" not in target, (page, target)  # readable without a network
            written = DOCS / "reference" / "generated"  # when the site is built
            if not (page.parent / target).resolve().is_relative_to(written.resolve()):
                assert (page.parent / target).is_file(), (page, target)


def test_an_own_problem_is_trained_on_in_less_than_a_hundred_lines():
    text = (DOCS / "tutorial" / "build-your-own.md").read_text(encoding="utf-8")
    page = text[text.index("## Train, and compare") : text.index("## A step that lasts")]
    written = [match["body"] for match in FENCE.finditer(page) if match["language"] in ("python", "console")]
    lines = [line for body in written for line in body.splitlines()]
    for command in ("train", "compare"):
        assert any(line.startswith(f"$ restock {command} newsvendor ") for line in lines)
    assert len(lines) < 100
