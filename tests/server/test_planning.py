"""What somebody needs who plans with the pages: when things happen, what they cost, and what was really played."""

from __future__ import annotations

import csv
import io
import json
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
    assert [turn["reward"] for turn in own] == pytest.approx([turn["reward"] for turn in rival], abs=1e-10)
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


def named(task: str) -> dict[str, str]:
    """The name of each field of a form by its path."""
    return {box.path.removeprefix("action."): box.name for box in fields.form_of(load_problem(task)).boxes()}


def refused(browser: Browser, address: str, sent: dict[str, str]) -> dict[str, str]:
    """What is said at each field of a form that was not played; the form is kept."""
    t = re.search(r'name="period" value="(\d+)"', browser.get(address).text)
    assert t is not None
    reply = browser.post(f"{address}/period", {"period": t[1], **sent})
    assert reply.status_code == 422 and "Nothing was played" in words(reply)
    assert {name: boxes(reply)[name] for name in sent} == sent, "the form keeps what was typed"
    assert f'name="period" value="{t[1]}"' in browser.get(address).text
    told = re.findall(r'<(?:td|p)[^>]*id="(f[\d.]+)-wrong"[^>]*>(.*?)</(?:td|p)>', reply.text, re.S)
    assert len(told) == len(dict(told)) == reply.text.count('aria-invalid="true"')
    return {name: re.sub("<[^>]*>", "", said) for name, said in told}


def test_a_store_refuses_what_cannot_be_carried_out_at_each_field(browser: Browser):
    name = named("retail-easy")
    address = browser.game("retail-easy")
    sent = {
        name["buy_quantities.electronics"]: "9",  # 918 of the 1000 in cash
        name["buy_quantities.clothing"]: "4",  # 108, of which 82 are left
        name["buy_quantities.groceries"]: "1.5",
        name["buy_quantities.furniture"]: "x",
        name["liquidate.toys"]: "11",  # of 10
        name["liquidate.groceries"]: "-1",
        name["price_multipliers.electronics"]: "9",
    }
    told = refused(browser, address, sent)
    assert set(told) == set(sent) - {name["buy_quantities.electronics"]}
    assert "This costs 108.00 with delivery, and 82.00" in told[name["buy_quantities.clothing"]]
    assert "Buy at most 3." in told[name["buy_quantities.clothing"]]
    assert "There are 10 units of it in the morning" in told[name["liquidate.toys"]]
    assert "Must be 0.5 to 1.5" in told[name["price_multipliers.electronics"]]
    good = {name["buy_quantities.electronics"]: "9", name["buy_quantities.clothing"]: "3", name["liquidate.toys"]: "1"}
    played = browser.post(f"{address}/period", {"period": "0", **good})
    assert played.status_code == 200 and "What went wrong" not in words(played)


def test_what_arrives_and_expires_in_the_morning_counts_for_a_liquidation(browser: Browser):
    name, address = named("retail-easy"), browser.game("retail-easy")
    fast = {name["delivery_method"]: "fast", name["buy_quantities.toys"]: "5"}
    browser.post(f"{address}/period", {"period": "0", **fast, name["price_multipliers.toys"]: "1.5"})
    seen = browser.get(f"{address}/turns?format=json").json()["episodes"][0]["end"]
    toys = sum(units for units, _ in seen["updated_inventory"]["toys"])
    told = refused(browser, address, {name["liquidate.toys"]: str(toys + 6)})
    assert f"There are {toys + 5} units of it in the morning" in told[name["liquidate.toys"]]


def test_a_plant_refuses_a_choice_that_cannot_be_carried_out(browser: Browser):
    told = refused(browser, browser.game("production"), {"f0": "convert"})
    assert "2 units of raw material are needed" in told["f0"]


def test_every_mistake_of_a_network_and_of_shared_stock_is_told(browser: Browser):
    for task in ("serial", "sharing"):
        names = list(named(task).values())[:3]
        told = refused(browser, browser.game(task), dict(zip(names, ("-1", "many", "1e99"), strict=True)))
        assert list(told) == names


def test_agents_still_pay_for_what_cannot_be():
    """The refusals are the page's: a store that an agent plays rejects the order and fines it, as published."""
    store = StructuredEnvironment("retail-easy")
    store.reset(seed=1)
    seen = store.step({"buy_quantities": {"electronics": 100_000}})
    assert store.records.metadata(store.played)["hard_fails"]["unaffordable_order"] and seen.current_day == 1


def test_a_comparison_that_cannot_be_used_is_kept_with_every_mistake_at_its_field(browser: Browser):
    sent = {"task": "serial", "seed": "-1", "episodes": "5000", "policy": ["newsvendor", "random"]}
    reply = browser.post("/comparisons", sent)
    assert reply.status_code == 422
    assert "Episodes must be an integer, 1 to 1000." in words(reply) and "Seed must be an integer" in words(reply)
    kept = re.search(r'<form method="post" action="/comparisons">(.*?)</form>', reply.text, re.S)
    assert kept and reply.text.count('aria-invalid="true"') == 2
    assert set(re.findall(r'name="policy" value="([^"]*)" checked', kept[1])) == {"newsvendor", "random"}
    assert re.search(r'name="episodes"[^>]*value="5000"', kept[1]) and re.search(r'name="seed"[^>]*value="-1"', kept[1])
    for other in ("/games", "/shows"):
        form = re.search(rf'action="{other}">(.*?)</form>', reply.text, re.S)
        assert form and "aria-invalid" not in form[1] and 'value="-1"' not in form[1], "only this form is at fault"


def test_the_other_forms_of_a_problem_are_kept_too(browser: Browser):
    for form, sent in (("/games", {"seed": "seven"}), ("/shows", {"seed": "1e9", "policy": "newsvendor"})):
        reply = browser.post(form, {"task": "serial", **sent})
        assert reply.status_code == 422 and f'value="{sent["seed"]}"' in reply.text
        assert "Seed must be" in words(reply) and reply.text.count('aria-invalid="true"') == 1
    assert "<option selected>newsvendor" in reply.text


def test_nothing_chosen_or_too_much_is_told_at_the_choice(browser: Browser):
    reply = browser.post("/comparisons", {"task": "serial", "seed": "3", "episodes": "20"})
    assert reply.status_code == 422 and "choose at least one policy" in words(reply)
    assert re.search(r'name="episodes"[^>]*value="20"', reply.text)


@pytest.mark.parametrize(
    ("task", "wanted"),
    [
        ("serial", {"on_hand: 1", "demand: 1->0", "backlog: 1->0", "arriving: 2->1", "shipped: 4->3"}),
        ("retail-easy", {"updated_inventory: toys", "demand_today: toys", "updated_deliveries", "total_cash"}),
        ("sharing", {"on_hand: 0", "demand: 0", "arrived: 0", "stockouts: 0"}),
        ("production", {"raw_material", "product", "demand", "unmet"}),
        ("minimal", {"on_hand", "demand", "unmet", "arrived"}),
    ],
)
def test_the_file_of_a_game_has_stock_demand_and_arrivals_at_the_games_own_address(
    browser: Browser, task: str, wanted: set[str]
):
    address = browser.game(task)
    reply = browser.post(f"{address}/several", {"period": "0", "periods": "3", "how": "policy"})
    assert f'href="{address}?format=csv"' in reply.text and f'href="{address}?format=json"' in reply.text
    rows = list(csv.DictReader(io.StringIO(browser.get(f"{address}?format=csv").text)))
    assert len(rows) == 3 and wanted <= set(rows[0])
    turns = browser.get(f"{address}?format=json").json()["episodes"][0]["turns"]
    assert turns[0]["after"] == turns[1]["seen"], "what is seen after a period is decided by in the next"
    for row, turn in zip(rows, turns, strict=True):
        for name in wanted:
            value = turn["after"]
            for part in name.split(": "):
                value = value[part]
            assert row[name] == (json.dumps(value) if isinstance(value, (list, dict)) else str(value)), name


@pytest.mark.parametrize(
    ("task", "policy"), [("serial", "newsvendor"), ("retail-easy", "random"), ("minimal", "random")]
)
def test_a_turn_shows_what_the_rival_and_the_plan_decided_and_earned_in_it(browser: Browser, task: str, policy: str):
    address = browser.show(task, policy)
    data = browser.get(f"{address}?format=json").json()["episodes"][0]
    t = data["worst"]["turn"]
    page = browser.get(f"{address}?turn={t}")
    table = re.search(r'<h2 id="abreast">In the same period</h2>.*?<tbody>(.*?)</tbody>', page.text, re.S)
    assert table
    rows = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>.*?<td class="words">(.*?)</td>', table[1], re.S)
    told = data["turns"][t - 1]["abreast"]
    assert [name for name, _, _ in rows] == [one["name"] for one in told]
    assert rows[0][0] == policy and rows[1][0] == data_rival(browser, address)
    for (_, earned, _), one in zip(rows, told, strict=True):
        if "reward" in one["earned"]:
            assert earned == amount(one["earned"]["reward"], 2, True)
    assert told[1]["earned"]["reward"] == data["turns"][t - 1]["rival"]
    if data["turns"][t - 1]["plan"] is not None:
        assert (
            told[2]["name"] == "hindsight"
            and told[2]["earned"][list(told[2]["earned"])[-1]] == data["turns"][t - 1]["plan"]
        )


def data_rival(browser: Browser, address: str) -> str:
    return str(browser.get(f"{address}?format=json").json()["rival"])


def test_what_the_plan_decides_is_not_told_while_a_game_is_played(browser: Browser):
    address = browser.game("serial")
    browser.post(f"{address}/several", {"period": "0", "periods": "3", "how": "policy"})
    turns = browser.get(f"{address}?format=json").json()["episodes"][0]["turns"]
    assert all(turn["plan"] is None for turn in turns)
    assert "hindsight" not in json.dumps(turns)


def test_a_game_is_played_to_the_end_at_once(browser: Browser):
    address = browser.game("serial")
    browser.post(f"{address}/several", {"period": "0", "periods": "3", "how": "policy"})
    assert "Play to the end" in words(browser.get(address))
    reply = browser.post(f"{address}/several", {"period": "3", "periods": "", "how": "policy", "to_end": "yes"})
    assert reply.status_code == 200 and "over after 30 periods" in words(reply)


def test_the_words_of_a_comparison_are_explained_without_a_mouse(browser: Browser):
    asked = {"task": "serial", "seed": "3", "episodes": "5", "policy": ["base-stock", "newsvendor"]}
    reply = browser.post("/comparisons", asked)
    found = re.search(r'<details id="meanings"><summary>(.*?)</summary>(.*?)</details>', reply.text, re.S)
    assert found
    meant = set(re.findall(r"<dt>(.*?)</dt>", found[2]))
    assert {"profit", "knows: blind", "knows: clairvoyant", "joint 95% interval", "adjusted p", "difference"} <= meant


@pytest.mark.parametrize("task", ["serial", "retail-easy", "minimal"])
def test_reward_profit_return_and_regret_are_explained_where_they_are_shown(browser: Browser, task: str):
    address, shown = browser.game(task), browser.show(task, "random")
    for reply in (browser.get(address), browser.get(f"{shown}?turn=1")):
        found = re.search(r'<details id="counts">(.*?)</details>', reply.text, re.S)
        assert found and "the return of the episode" in found[1] and "<dt>regret</dt>" in found[1]
        assert ("<dt>profit</dt>" in found[1]) == task.startswith("retail")
