"""Colours: one for each policy, the same on every picture and page."""

from __future__ import annotations

from collections.abc import Sequence

FIXED = {
    "hindsight": "#1f2a36",
    "optimal": "#c0392b",
    "base-stock": "#2f6fb0",
    "base-stock (formula)": "#2f6fb0",
    "base-stock (tuned)": "#14776a",
    "base-stock (fitted)": "#14776a",
    "constant-order": "#b3620a",
    "random": "#78716c",
}
SPARE = ("#8a4f9e", "#b03a5b", "#4d7c0f", "#0e7490", "#7c5c2e", "#4f46a5")
PARTS = {
    "revenue": "#6fc0b4",
    "filled": "#6fc0b4",
    "served": "#6fc0b4",
    "stockouts": "#e39a8e",
    "short": "#e39a8e",
    "purchases": "#8fb0d1",
    "operating": "#c5b3dc",
    "holding": "#f0c987",
    "pipeline_holding": "#a8d2b9",
    "shortage": "#e39a8e",
    "fixed_orders": "#c7c2b8",
}
OTHER_PARTS = ("#d9a5c0", "#b7c68b", "#9cc9d6", "#d8c3a5")


def colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for each policy: its own, or the next spare one."""
    spare = iter(SPARE * (1 + len(names) // len(SPARE)))
    return {name: FIXED.get(name) or next(spare) for name in names}


def part_colours(parts: Sequence[str]) -> dict[str, str]:
    """A colour for each part of the costs."""
    spare = iter(OTHER_PARTS * (1 + len(parts) // len(OTHER_PARTS)))
    return {part: PARTS.get(part) or next(spare) for part in parts}
