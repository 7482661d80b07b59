"""What somebody needs who plans with the pages: when things happen, what they cost, and what was really played."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from restock.agents.prompt import system_prompt
from restock.envs.structured import StructuredEnvironment
from restock.problems.load import load_problem
from restock.problems.retail.sources import factors
from restock.report.numbers import MINUS, amount, exact
from restock.server.dashboard import fields
from tests.server.browsing import Browser, words
from tests.server.serving import Running, serving
from tests.server.test_by_hand import boxes


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


def filled(browser: Browser, address: str) -> dict[str, str]:
    """What the form of a game is filled in with as the policy to beat would."""
    return boxes(browser.post(f"{address}/filled", headers={"hx-request": "true"}))


@pytest.mark.parametrize("task", ["serial", "sharing", "retail-easy", "divergent"])
def test_who_plays_what_is_filled_in_plays_as_the_policy_does(browser: Browser, task: str):
    address, beside = browser.game(task), browser.game(task)
    for t in range(3):
        browser.post(f"{address}/period", {"period": str(t), **filled(browser, address)})
    browser.post(f"{beside}/several", {"period": "0", "periods": "3", "how": "policy"})
    own, rival = (browser.get(f"{one}/turns?format=json").json()["episodes"][0]["turns"] for one in (address, beside))
    assert [turn["reward"] for turn in own] == [turn["reward"] for turn in rival]
    count = str(load_problem(task).horizon)
    over = browser.post(f"{address}/several", {"period": "3", "periods": count, "how": "policy"})
    assert "you are ahead by" not in words(over) and "you are behind by" not in words(over)


def test_halves_are_rounded_one_way():
    assert [amount(value) for value in (44.5, 11.5, -0.5, -2.5, 0.49)] == [
        "45", "12", f"{MINUS}1", f"{MINUS}3", "0",
    ]  # fmt: skip
    assert [amount(value, 1) for value in (20.25, 20.35, 1.05)] == ["20.3", "20.4", "1.1"]
    assert amount(1e300).startswith("1,000") and amount(2.675, 2) == "2.68"


def test_a_table_of_decisions_shows_what_was_played(browser: Browser):
    assert [exact(value) for value in (20.25, 44.5, 3.0, 97.3817460192, 1e9, 0.1 + 0.2)] == [
        "20.25", "44.5", "3", "97.381746\N{HORIZONTAL ELLIPSIS}", "1,000,000,000", "0.3",
    ]  # fmt: skip
    address = browser.game("serial")
    names = [box.name for box in fields.form_of(load_problem("serial")).boxes()]
    sent = dict(zip(names, ("12.5", "44.5", "20.25"), strict=True))
    reply = browser.post(f"{address}/period", {"period": "0", **sent})
    said = words(reply)
    happened, _, after = said.partition("What happened in period 1")
    for value in ("12.5", "44.5", "20.25"):
        assert f": {value}" in after.partition("The reward")[0], value
        assert f": {value}" in after.partition("All periods so far")[2], value
    assert "20.25" in happened or "20.25" in after.partition("What is known now")[2], "what is coming, as it is"


def test_box_and_table_and_picture_round_alike(browser: Browser):
    address = browser.game("serial")
    names = [box.name for box in fields.form_of(load_problem("serial")).boxes()]
    browser.post(f"{address}/period", {"period": "0", **dict.fromkeys(names, "144.5")})
    reply = browser.get(address)
    said = words(reply)
    assert "144 " not in said and "145" not in said.partition("The text that")[0]
    assert "factory 3 244.5 units" in said and "244.5 in stock" in said and "Orders over 1 of 30 periods: 144.5" in said
