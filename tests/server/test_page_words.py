"""What pages say, as a planner reads it: numbers add up and have units, mistakes lead back, sentences are English."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from restock.agents.modes import Mode
from restock.agents.play import Settings as Playing
from restock.agents.run import run_agent
from restock.core.errors import InvalidInput
from restock.problems.load import load_problem
from restock.report.numbers import alike, apart, units
from restock.server.dashboard import fields
from restock.server.dashboard.contests import Clock, Contest
from tests.server.browsing import SEED, Browser, words
from tests.server.serving import Running, serving
from tests.server.test_watching import watched


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    runs: Path = tmp_path_factory.mktemp("runs")
    asks = Playing(Mode("tool", ("base-stock",), calls=1), price_in=0.15, price_out=0.6)
    run_agent("serial", "stand-in:follower", seed=SEED, settings=asks, out=runs / "priced.jsonl")
    run_agent("serial", "stand-in:malformed", seed=SEED, out=runs / "malformed.jsonl")
    tuned = runs / "tuned"
    tuned.mkdir()
    (tuned / "tuning.yaml").write_text("base: {problem: serial, algo: pathwise}\nspace: {}\n")
    trials = [{"number": k, "state": "complete", "value": value} for k, value in enumerate((1007.38, 1007.42, 1006.9))]
    (tuned / "trials.jsonl").write_text("".join(json.dumps(one) + "\n" for one in trials))
    shutil.copytree(tuned, runs / "untrained")
    (tuned / "best").mkdir()
    (tuned / "best" / "config.yaml").write_text("algo: pathwise\n")
    with serving(problem="serial", runs=runs) as running:
        yield running


def numbers(said: str, pattern: str) -> list[float]:
    """The numbers that a sentence has in these places."""
    found = re.search(pattern.replace("N", r"[\d,]+(?:\.\d+)?"), said)
    assert found, said[:800]
    return [float(one.replace(",", "")) for one in found.groups()]


def test_the_numbers_at_the_end_add_up_as_they_are_shown(browser: Browser):
    address = browser.game("serial")
    said = words(browser.post(f"{address}/several", {"period": "0", "periods": "30", "how": "policy"}))
    own, bound, regret = numbers(said, r"Your reward is (N) ; .* no more than (N) was possible: your regret is (N)")
    assert bound - own == pytest.approx(regret, abs=1e-6)
    address = browser.game("serial")
    sent = {box.name: "20" for box in fields.form_of(load_problem("serial")).boxes()}
    browser.post(f"{address}/period", {"period": "0", **sent})
    said = words(browser.post(f"{address}/several", {"period": "1", "periods": "29", "how": "policy"}))
    own, rival, behind = numbers(said, r"Your reward is (N) ; base-stock reached (N) .*you are \w+ by (N)")
    assert abs(rival - own) == pytest.approx(behind, abs=1e-6)


def test_numbers_get_the_decimals_that_tell_them_apart():
    assert alike([988.4, 995.6, 7.2]) == 2 and alike([29_320.0, 8_047.0]) == 0
    assert apart([1007.38, 1007.42, 1006.9]) == 2 and apart([1007.0, 1012.0]) == 0 and apart([5.0, 5.0]) == 2
    assert [units(one) for one in (0.0, 0.6, 1.0, 2.0, 1500.0)] == [
        "0 units",
        "0.6 units",
        "1 unit",
        "2 units",
        "1,500 units",
    ]


def test_trials_that_differ_are_shown_different(browser: Browser):
    said = words(browser.get("/runs/tuned"))
    assert "1,007.42" in said and "1,007.38" in said


def test_a_search_tells_how_its_best_policy_is_evaluated(browser: Browser):
    assert "restock evaluate" not in words(browser.get("/runs/untrained"))
    assert "Evaluate its best policy restock evaluate" in words(browser.get("/runs/tuned"))


def test_a_price_has_its_unit(browser: Browser):
    page = browser.get(f"{watched(browser, 'priced.jsonl')}?turn=3")
    assert re.search(r"price 0\.\d+ money", words(page))


def test_who_decided_is_told_in_words(browser: Browser):
    said = words(browser.get(f"{watched(browser, 'malformed.jsonl')}?turn=3"))
    assert "Decided without the model (nothing)" in said and "Decided by: nothing" not in said


def test_a_comparison_says_what_each_policy_knows_and_its_answer_before_its_caveats(browser: Browser):
    asked = {"task": "divergent", "seed": "7", "episodes": "30", "policy": ["constant-order", "newsvendor"]}
    page = browser.post("/comparisons", asked)
    said = words(page)
    assert "policy knows profit" in said and "newsvendor blind" in said and "hindsight clairvoyant" in said
    if "95% intervals may be off" in said:
        assert said.index("earned most") < said.index("95% intervals may be off")


def test_an_error_leads_back_to_where_a_form_was_filled_in(browser: Browser):
    asked = {"task": "nope", "seed": "3", "episodes": "20", "policy": ["base-stock"]}
    came = f"{browser.client.base_url}/pick/serial?x=1".replace("//pick", "/pick")
    reply = browser.post("/comparisons", asked, headers={"referer": came})
    assert 400 <= reply.status_code < 500
    assert '<a href="/pick/serial?x=1">Back</a>' in reply.text
    for other in (
        "http://elsewhere.example/pick/serial",
        "nothing",
        "http://[",
        came.replace("/pick", "//elsewhere.example"),
    ):
        away = browser.post("/comparisons", asked, headers={"referer": other})
        assert 400 <= away.status_code < 500 and ">Back<" not in away.text


@pytest.mark.parametrize("path", ["/pick/nope", "/again", "/runs/none"])
def test_errors_are_sentences(browser: Browser, path: str):
    told = re.search(r"</h1>\s*<p>(.*?)</p>", browser.get(path).text, re.S)
    assert told and told[1][0].isupper() and told[1].endswith(".")


@pytest.mark.parametrize(("periods", "said"), [("99", "Periods must be an integer, 1 to 30."), ("1.5", "Periods must")])
def test_a_number_out_of_range_is_told_in_a_sentence(browser: Browser, periods: str, said: str):
    address = browser.game("serial")
    reply = browser.post(f"{address}/several", {"period": "0", "periods": periods, "how": "policy"})
    assert f"Nothing was played. {said}" in words(reply)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("1,000", "Write it without a comma: 1000."),
        ("2,5", "Write it with a point: 2.5."),
        ("1,000,000", "Write it without a comma: 1000000."),
        ("many", "Write for instance 12."),
        ("1,2,x", "Write for instance 12."),
    ],
)
def test_a_comma_in_a_number_is_explained(written: str, said: str):
    with pytest.raises(InvalidInput) as caught:
        fields.number(written, "orders")
    assert caught.value.mend == said


def test_errors_at_a_field_name_ways_and_limits_as_the_page_does(browser: Browser):
    address, form = browser.game("serial"), fields.form_of(load_problem("serial"))
    name = form.boxes()[0].name
    too_much = words(browser.post(f"{address}/period", {"period": "0", name: "1e99"}))
    assert "at most 1,000,000,000" in too_much and "1e+09" not in too_much
    too_little = browser.post(f"{address}/period", {"period": "0", name: "-1"}).text
    wrong = re.search(rf'id="{re.escape(name)}-wrong">(.*?)</t?[dp]', too_little, re.S)
    assert wrong and "-&gt;" not in wrong[1] and "\N{RIGHTWARDS ARROW}" in wrong[1]


def test_progress_is_told_as_percentages_are_elsewhere():
    contest = Contest("serial", ["base-stock"], 10, 3)
    clock = Clock(contest, 100.0)
    clock.turn("base-stock", 5, 10)
    assert contest.progress == "base-stock: 50% of the work."


@pytest.mark.parametrize(
    ("task", "called"), [("retail-medium", "products"), ("serial", "nodes"), ("sharing", "locations")]
)
def test_what_is_drawn_is_called_as_everywhere_else(browser: Browser, task: str, called: str):
    shown = browser.get(browser.show(task, "random")).text
    for text in (browser.get(f"/pick/{task}").text, shown):
        assert f'<h2 id="places">The {called}</h2>' in text and f'aria-label="The {called}"' in text


def test_idle_seconds_have_the_same_decimals(browser: Browser, pages: Running):
    browser.game("minimal")
    idle = re.findall(r"<td>([^<]*)</td></tr>", browser.get("/live?part=rows").text)
    assert idle and all(re.fullmatch(r"[\d,]+\.\d", one) for one in idle)
