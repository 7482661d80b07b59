"""Tests that every problem must pass, to be run with pytest over problems of your own."""

import pytest

# Failures show the values that were compared, as they do in a test file.
pytest.register_assert_rewrite("restock.conformance.suite", "restock.conformance.lockstep")

from restock.conformance.suite import Conformance  # noqa: E402 - after pytest knows of it

__all__ = ["Conformance"]
