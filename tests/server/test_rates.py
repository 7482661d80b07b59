"""The page of a game says enough to work out the reward of a period by hand: its words, its rates, its numbers."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from restock.problems.load import load_problem
from tests.server.browsing import Browser
from tests.server.serving import Running, serving

Seen = Mapping[str, Any]
Told = dict[str, tuple[str, dict[str, float]]]


@pytest.fixture(scope="module")
def pages() -> Iterator[Running]:
    with serving(problem="serial", max_sessions=200) as running:
        yield running


def told(text: str) -> list[tuple[str, str, dict[str, float]]]:
    """Part, words and rates by name, as the page shows them."""
    shown = re.search(r'<details id="counts">.*?<dl>(.*?)</dl>', text, re.S)
    assert shown, "the page says what the reward counts"
    found = []
    for part, about in re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", shown[1], re.S):
        rates = [
            html.unescape(one).rstrip(",").rpartition(" ") for one in re.findall(r'class="item">(.*?)</span>', about)
        ]
        words = html.unescape(re.sub(r"<span.*", "", about, flags=re.S)).replace("\N{MINUS SIGN}", "-")
        found.append(
            (part, words.replace("\N{MULTIPLICATION SIGN}", "*"), {name: float(rate) for name, _, rate in rates})
        )
    return found


def parts(text: str) -> dict[str, float]:
    """The reward by its parts, as the page shows them."""
    table = re.search(r'<table class="parts">(.*?)</table>', text, re.S)
    assert table
    rows = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', table[1])
    return {name: float(value.replace("\N{MINUS SIGN}", "-").replace(",", "")) for name, value in rows}


def numbers(words: str) -> list[float]:
    return [float(one) for one in re.findall(r"\d+(?:\.\d+)?", words)]


def plainly(label: str) -> str:
    """A label of a network as the page calls it, without the roles."""
    return " \N{RIGHTWARDS ARROW} ".join(label.split("->"))


def of_network(rules: Told, before: Seen, after: Seen, action: Seen) -> dict[str, float]:
    def by(part: str, field: Mapping[str, float]) -> float:
        rates = {re.sub(r"[a-z]+ (?=\d)", "", name): rate for name, rate in rules.get(part, ("", {}))[1].items()}
        return sum(rate * field[label] for label in field if (rate := rates.get(plainly(label))) is not None)

    sent = {node: 0.0 for node in after["on_hand"]}
    for field in (after["shipped"], after["sold"]):
        for label, units in field.items():
            start = label.partition("->")[0]
            sent[start] = sent.get(start, 0.0) + units
    return {
        "revenue": by("revenue", after["sold"]),
        "purchases": -by("purchases", after["shipped"]),
        "operating": -by("operating", sent),
        "holding": -by("holding", after["on_hand"]),
        "pipeline holding": -by("pipeline holding", after["in_transit"]),
        "shortage": -by("shortage", after["unmet"]),
    }


def of_sharing(rules: Told, before: Seen, after: Seen, action: Seen) -> dict[str, float]:
    return {"filled": sum(after["filled"].values()), "stockouts": -sum(after["stockouts"].values())}


def of_plant(rules: Told, before: Seen, after: Seen, action: Seen) -> dict[str, float]:
    held, short = numbers(rules["holding"][0])[0], numbers(rules["shortage"][0])[0]
    bonus, fine = numbers(rules["conversion"][0])[0], numbers(rules["impossible"][0])[0]
    done = after["carried_out"] and action["choice"] == "convert"
    return {
        "revenue": after["sold"] * before["product_price"],
        "conversion": bonus if done else 0.0,
        "holding": -held * (after["raw_material"] + after["product"]),
        "shortage": -short * after["unmet"],
        "impossible": 0.0 if after["carried_out"] else -fine,
    }


def of_shelf(rules: Told, before: Seen, after: Seen, action: Seen) -> dict[str, float]:
    fine, room = numbers(rules["overflow"][0])
    return {
        "served": 0.0 if after["unmet"] else 1.0,
        "short": -1.0 if after["unmet"] else 0.0,
        "overflow": -fine if before["on_hand"] + after["arrived"] > room else 0.0,
    }


def of_store(rules: Told, before: Seen, after: Seen, action: Seen) -> dict[str, float]:
    """By the decomposed reward; nothing is liquidated and nothing bought above the capacity."""
    prices, day = rules["revenue score"][1], after["current_day"]
    stock, sold, asked, whole, taken, gone = {}, {}, after["demand_today"], 0.0, 0.0, 0
    for name in prices:
        due = sum(lot[name][0] for lot in before["updated_deliveries"] if name in lot and lot[name][1] == day)
        batches = before["updated_inventory"][name]
        gone += sum(units for units, left in batches if left == 0)
        stock[name] = sum(units for units, left in batches if left != 0) + due
        sold[name] = min(asked[name], stock[name])
        charged = prices[name] * action.get("price_multipliers", {}).get(name, 1.0)
        taken += charged * sold[name]
        whole += charged * asked[name]
    handled = sum(stock.values()) + gone
    room = rules["capacity score"][1]
    filled = sum((stock[name] - sold[name]) / room[name] for name in prices) / len(prices)
    cash0 = numbers(rules["cash score"][0])[1]
    return {
        "revenue score": 0.25 * (2.0 * taken / whole - 1.0),
        "fulfilment score": 0.2 * (2.0 * sum(sold.values()) / sum(asked.values()) - 1.0),
        "waste score": 0.15 * (1.0 - 2.0 * min(3.0 * gone / handled, 1.0)),
        "cash score": 0.15 * max(-1.0, min(after["total_cash"] / cash0 - 0.3, 1.0)),
        "capacity score": 0.15 * max(-1.0, min(2.0 * filled - 1.0, 1.0)),
        "profit score": 0.1 if after["day_profit"] > 0 else -0.05 if after["day_profit"] < 0 else 0.0,
    }


FAMILIES = {
    "serial": of_network, "divergent": of_network, "sharing": of_sharing, "production": of_plant, "minimal": of_shelf,
    "retail-easy": of_store,
}  # fmt: skip


@pytest.mark.parametrize("task", FAMILIES)
def test_the_reward_of_a_period_can_be_worked_out_from_the_page(browser: Browser, task: str):
    address = browser.game(task)
    for t in range(8):
        reply = browser.post(f"{address}/several", {"period": str(t), "periods": "1", "how": "policy"})
        shown = parts(reply.text)
        episode = browser.get(f"{address}/turns?format=json").json()["episodes"][0]
        turn = episode["turns"][-1]
        rules = {part: (words, rates) for part, words, rates in told(reply.text)}
        found = FAMILIES[task](rules, turn["seen"], episode["end"], turn["action"])
        for part, value in found.items():
            assert value == pytest.approx(shown.get(part, 0.0), abs=0.0051), (t, part)
        assert sum(found.values()) == pytest.approx(shown["reward"], abs=0.0051), t
        assert sum(found.values()) == pytest.approx(turn["reward"], abs=1e-9), t


@pytest.mark.parametrize("reward", ["profit", "readme", "decomposed"])
def test_every_part_of_every_reward_is_told(reward: str):
    for task in ("serial", "sharing", "production", "minimal", "retail-easy"):
        problem = load_problem(task, **({"reward": reward} if task.startswith("retail") else {}))
        said = {one.part for one in problem.records().counted()}
        weighed = set(problem.parts)
        if task.startswith("retail"):
            weighed = {
                part
                for part in weighed
                if (part.endswith("_score") or part == "hard_failures") == (reward == "decomposed")
            }
            weighed -= {"revenue", "purchases"} if reward != "profit" else weighed - {"revenue", "purchases"}
        assert weighed - {"fixed_orders"} <= said, (task, reward)


def test_the_words_of_a_network_have_all_rates_and_say_what_cancels():
    said = load_problem("serial").explain()
    assert "purchases from outside sources" in said and "what own nodes pay each other cancels" in said
    assert "2 -> 1 (lead time 4, price 1.5, in transit 0.01)" in said
    assert "capacity 100, operating 0.01 per unit of stock used)" in said


def test_the_file_says_what_the_reward_counts_as_the_page_does(browser: Browser):
    address = browser.game("serial")
    counts = browser.get(f"{address}/turns?format=json").json()["counts"]
    assert {one["part"] for one in counts} >= {"revenue", "purchases", "operating", "pipeline_holding"}
    assert next(one for one in counts if one["part"] == "purchases")["rates"] == {"4->3": 0.5}
