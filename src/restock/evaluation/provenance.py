"""The versions of everything that could change a digit of a result."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import metadata

import restock


def versions() -> dict[str, str]:
    """Return the versions by name; packages that are not installed are left out."""
    found = {"restock": restock.__version__, "Python": platform.python_version()}
    for package in ("numpy", "numba", "gymnasium", "highspy"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def in_words(found: Mapping[str, str]) -> str:
    """Return versions by name as a list in words."""
    return ", ".join(f"{name} {version}" for name, version in found.items())
