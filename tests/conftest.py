"""What all tests share: property-test settings and the recorded material beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

from tests.shared_material import SHARED, why_missing

# No deadline: the first example of a problem compiles. In CI the examples are the same in every run,
# so a red run is about the change; elsewhere they are new each time, and failures are remembered.
hypothesis.settings.register_profile(
    "suite", deadline=None, max_examples=50, print_blob=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("ci", parent=hypothesis.settings.get_profile("suite"), derandomize=True)
hypothesis.settings.register_profile("thorough", parent=hypothesis.settings.get_profile("suite"), max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "suite"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded material; tests that read it are skipped, with the reason, where it is not."""
    reason = why_missing()
    if reason is not None:
        pytest.skip(reason)
    return SHARED
