"""What somebody needs who plans with the pages: when things happen, what they cost, and what was really played."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from restock.agents.prompt import system_prompt
from restock.envs.structured import StructuredEnvironment
from restock.problems.load import load_problem
from restock.problems.retail.sources import factors
from tests.server.browsing import Browser
from tests.server.serving import Running, serving


@pytest.fixture(scope="module")
def pages() -> Iterator[Running]:
    with serving(problem="serial", max_sessions=200) as running:
        yield running


# Black Friday raises the demand of days 6 and 7 of this store, Christmas that of 12 and 13. The page before the first
# period asks for the decision of day 1.
WHEN = {
    1: ("in 5 days", "in 11 days"), 5: ("in 1 day", "in 7 days"), 6: ("begins today", "in 6 days"),
    7: ("last day", "in 5 days"), 8: ("over", "in 4 days"), 11: ("over", "in 1 day"), 12: ("over", "begins today"),
}  # fmt: skip


def test_events_are_dated_from_the_day_that_is_decided(browser: Browser):
    address = browser.game("retail-medium")
    reply = browser.get(address)
    for day in range(1, 13):
        if day in WHEN:
            for event, when in zip(("Black Friday", "Christmas"), WHEN[day], strict=True):
                assert f'<th scope="row">{event}</th><td>{when}</td>' in reply.text, day
            ahead, when = ("Black Friday", WHEN[day][0]) if day <= 7 else ("Christmas", WHEN[day][1])
            assert f"<dt>{ahead}</dt><dd>{when}</dd>" in reply.text, day
        reply = browser.post(f"{address}/several", {"period": str(day - 1), "periods": "1", "how": "policy"})


def test_the_words_of_the_observation_date_events_as_they_act():
    """Demand of day d has the events whose field said 1 or 0 in the evening before, as its words say."""
    store = StructuredEnvironment("retail-medium")
    seen = store.reset(seed=1)
    first = store.problem.spec.events["black_friday"]
    told = []
    for _ in range(first + 1):
        told.append(seen.updated_events["black_friday"])
        seen = store.step({})
    days = (factors(store.problem.spec)[1] != 1.0).any(axis=1).nonzero()[0] + 1
    assert [told[day - 1] for day in days] == [1, 0] and days[0] == first
    said = re.sub(r"\s+", " ", system_prompt(load_problem("retail-medium").prior()))
    assert "1 if the next day, the one to decide for, is its first, 0 if it is its second and last" in said
    assert "0 on its first day" not in said
