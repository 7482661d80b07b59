"""The leaderboard, where it has been generated: `{leaderboard}`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

GENERATED = Path(__file__).resolve().parents[1] / "_generated" / "leaderboard.md"
COMMAND = "restock leaderboard runs/gym-invmgmt --markdown docs/_generated/leaderboard.md"


class Leaderboard(SphinxDirective):
    """What the command wrote, or which command writes it."""

    def run(self) -> list[nodes.Node]:
        """The page's contents."""
        self.env.note_dependency(str(GENERATED))
        if GENERATED.is_file():
            _, _, text = GENERATED.read_text(encoding="utf-8").partition("\n")  # this page has a title already
            return self.parse_text_to_nodes(text, allow_section_headings=True)
        first = "restock bench --suite gym-invmgmt"
        return self.parse_text_to_nodes(f"It was not generated for this build: `{first}`, then `{COMMAND}`.")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("leaderboard", Leaderboard)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
