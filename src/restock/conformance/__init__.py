"""What holds for every problem, whoever wrote it: tests to run over one's own, with pytest."""

import pytest

# Failures show the values that were compared, as they do in a test file.
pytest.register_assert_rewrite("restock.conformance.suite", "restock.conformance.lockstep")

from restock.conformance.suite import Conformance  # noqa: E402 - after pytest knows of it

__all__ = ["Conformance"]
