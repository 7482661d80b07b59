"""Where the recorded material of a project lies that is not part of this repository."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("RESTOCK_SHARED", REPOSITORY.parent / "shared"))


def why_missing(part: str = "") -> str | None:
    """What to tell whoever runs the tests when a file or folder of `shared` is not there."""
    place = SHARED / part
    return None if place.exists() else f"recorded material {place} is missing: set RESTOCK_SHARED to where it lies"
