"""What holds for every problem, whoever wrote it, holds for those that are shipped."""

from __future__ import annotations

import pytest

from restock.conformance import Conformance
from restock.conformance.suite import refuses_the_unknown
from restock.problems.load import IDS, families, family_of_id
from tests.conformance.cases import CASES


class TestEveryProblem(Conformance):
    cases = CASES
    elsewhere = ("rolling", "stochastic", "published-dlp", "published-mssp", "optimal")


def test_there_is_a_case_of_every_kind() -> None:
    assert {family_of_id(id) for id, _ in CASES.values()} == set(families()) == {family_of_id(id) for id in IDS}


@pytest.mark.filterwarnings("ignore:.*not in the possible render_modes")
@pytest.mark.parametrize("id", [*IDS])
def test_no_id_takes_the_unknown(id: str) -> None:
    refuses_the_unknown(id, {})
