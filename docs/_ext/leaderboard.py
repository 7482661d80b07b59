"""The leaderboard, where it has been generated: `{leaderboard}`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

GENERATED = Path(__file__).resolve().parents[1] / "_generated" / "leaderboard.md"
COMMAND = "restock leaderboard --out docs/_generated/leaderboard.md"


class Leaderboard(SphinxDirective):
    """What the command wrote, or which command writes it."""

    def run(self) -> list[nodes.Node]:
        """The page's contents."""
        self.env.note_dependency(str(GENERATED))
        if GENERATED.is_file():
            return self.parse_text_to_nodes(GENERATED.read_text(encoding="utf-8"), allow_section_headings=True)
        return self.parse_text_to_nodes(f"It was not generated for this build. `{COMMAND}` writes it.")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("leaderboard", Leaderboard)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
