"""Recorded episodes in `tests/golden`, one compressed JSON object a file."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def cases(kind: str, begins: str = "") -> list[str]:
    """Names of the recorded cases of a kind of problem."""
    return sorted(path.name.removesuffix(".json.gz") for path in (FOLDER / kind).glob(f"{begins}*.json.gz"))


def recorded(kind: str, name: str) -> dict[str, Any]:
    """What was recorded in a case."""
    with gzip.open(FOLDER / kind / f"{name}.json.gz", "rt", encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found
