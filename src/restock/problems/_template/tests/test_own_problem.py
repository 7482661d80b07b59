"""The conformance tests for this problem."""

from pathlib import Path
from typing import Any, ClassVar

from restock.conformance import Conformance

FOLDER = str(Path(__file__).parents[1])


class TestOwnProblem(Conformance):
    """The conformance tests; add a case for every setting that matters."""

    cases: ClassVar[dict[str, tuple[str, dict[str, Any]]]] = {
        "as it is": ("restock/Problem-v0", {"problem": FOLDER, "horizon": 8}),
        "a longer lead time": ("restock/Problem-v0", {"problem": FOLDER, "horizon": 9, "lead_time": 4}),
    }
    policies = (f"{FOLDER}/policies/base_stock.py:BaseStock",)
