"""The page of attacks claims nothing that no test holds."""

from __future__ import annotations

import re

import pytest

from tests.shared_material import REPOSITORY

PAGE = (REPOSITORY / "docs/background/security.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| attack")]
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


@pytest.mark.parametrize(("file", "name"), TESTS)
def test_each_attack_has_its_test(file: str, name: str) -> None:
    assert f"def {name}(" in (REPOSITORY / file).read_text(encoding="utf-8")


def test_no_attack_is_claimed_without_one() -> None:
    assert len(ROWS) > 20
    assert [row for row in ROWS if "`tests/" not in row.rsplit(" | ", 1)[-1]] == []
