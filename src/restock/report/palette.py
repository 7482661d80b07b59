"""Colours: one per policy, the same on every picture and page."""

from __future__ import annotations

from collections.abc import Sequence

FIXED = {
    "hindsight": "#1f2a36",
    "optimal": "#c0392b",
    "base-stock": "#2f6fb0",
    "base-stock (formula)": "#2f6fb0",
    "base-stock (tuned)": "#14776a",
    "base-stock (fitted)": "#14776a",
    "constant-order": "#b06009",
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
    """Return a colour for each policy: its own, or the next spare one."""
    spare = iter(SPARE * (1 + len(names) // len(SPARE)))
    return {name: FIXED.get(name) or next(spare) for name in names}


def part_colours(parts: Sequence[str]) -> dict[str, str]:
    """Return a colour for each part of the reward."""
    spare = iter(OTHER_PARTS * (1 + len(parts) // len(OTHER_PARTS)))
    return {part: PARTS.get(part) or next(spare) for part in parts}


# On dark paper: what the colours of pictures become. Words and lines get light, areas that words stand on get dark.
DARK = {
    "#1f2a36": "#e6ebf0", "#5d6873": "#a3afba", "#c9cfd6": "#4a5560", "#e9ecef": "#28313a", "#ffffff": "#12181f",
    "#14776a": "#4cc3b0", "#2f6fb0": "#74b0ea", "#b3412f": "#ef8a78", "#c0392b": "#f08a7e", "#b06009": "#e8a04e",
    "#78716c": "#b0a8a2", "#8a4f9e": "#c792dc", "#b03a5b": "#ec86a3", "#4d7c0f": "#9ccc5a", "#0e7490": "#56bcd6",
    "#7c5c2e": "#cfa972", "#4f46a5": "#a59cf2", "#7fa7a0": "#5f9389",
    "#f1f3f5": "#232b34", "#ece6f4": "#302a3e", "#e3edf7": "#1f3044", "#e2f1ec": "#1b3833", "#fdf1dc": "#3d321d",
    "#f6efe2": "#2c2616",
    "#6fc0b4": "#2c6f66", "#e39a8e": "#8a4a40", "#8fb0d1": "#3f6690", "#c5b3dc": "#655183", "#f0c987": "#80611f",
    "#a8d2b9": "#3d6f52", "#c7c2b8": "#5c574e", "#d9a5c0": "#7d4762", "#b7c68b": "#5d6b2f", "#9cc9d6": "#34707f",
    "#d8c3a5": "#6b5838",
}  # fmt: skip


def dark_rules() -> str:
    """Return the style rules that turn the colours of pictures to `DARK` if a browser asks for dark pages."""
    rules = "".join(
        f' svg [{what}="{light}"] {{ {what}: {dark}; }}\n'
        for light, dark in DARK.items()
        for what in ("fill", "stroke")
    )
    return f"@media screen and (prefers-color-scheme: dark) {{\n{rules}}}\n"
