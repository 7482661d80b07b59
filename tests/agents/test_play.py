"""Models at the table, through the real client against a server on this machine."""

from __future__ import annotations

import json

import pytest

import restock
from restock.agents.judge import judge
from restock.agents.modes import Mode, mode_of
from restock.agents.run import run_agent
from restock.agents.standins.speakers import speaker
from restock.core.errors import InvalidInput
from restock.problems import template
from restock.problems.manifest import manifest_of
from restock.problems.minimal.problem import MinimalProblem
from restock.problems.minimal.spec import MinimalSpec
from tests.agents.helping import TOOL, Script, played

PROBLEMS = ["serial", "divergent", "restock/Sharing-v0", "retail-easy", "retail-hard", "minimal"]


def counted(transcript):
    counts = transcript.lines[-1]["counts"]
    return {
        name: value for name, value in counts.items() if value and name not in ("tokens_in", "tokens_out", "seconds")
    }


@pytest.mark.parametrize(
    ("name", "stand_in"),
    [*((name, "base-stock") for name in PROBLEMS), ("serial", "sloppy"), ("retail-easy", "sloppy")],
)
def test_the_speaker_of_a_rule_earns_exactly_what_the_rule_earns(name, stand_in):
    problem = restock.load_problem(name)
    transcript, _ = played(name, speaker(stand_in, problem.prior()), seed=4)
    rule = restock.simulate(problem, manifest_of(problem.family).rule, episodes=1, seed=4)
    assert transcript.lines[-1]["returns"] == rule.profit.tolist()
    periods = problem.horizon
    if stand_in == "base-stock":
        assert counted(transcript) == {"replies": periods, "requests": periods}
    else:
        assert counted(transcript)["repairs"]["code fence"] == periods


def test_the_plant_is_played_too():
    problem = restock.load_problem("production", max_steps=40)
    transcript, _ = played(problem, speaker("base-stock", problem), seed=3)
    assert transcript.lines[-1]["returns"] == restock.simulate(problem, "buy-buy-convert", 1, 3).profit.tolist()


@pytest.mark.parametrize("name", ["serial", "retail-easy"])
def test_a_malformed_model_ends_with_counted_fallbacks(name):
    problem = restock.load_problem(name, horizon=12)
    transcript, _ = played(problem, speaker("malformed", problem), retries=1)
    counts = counted(transcript)
    assert (counts["replies"], counts["retries"], counts["fallbacks"]) == (24, 12, 12)
    assert counts["unreadable"] + counts["rejected"] == 24
    assert {line["by"] for line in transcript.of("turn")} == {"nothing"}
    assert all(line["error"] for line in transcript.of("turn"))


def test_a_policy_may_decide_in_its_place():
    transcript, _ = played("serial", Script("no"), fallback="base-stock", retries=0)
    assert transcript.lines[-1]["returns"] == restock.simulate("serial", "base-stock", 1, 7).profit.tolist()
    assert counted(transcript)["fallbacks"] == 30


def test_the_error_is_told_and_the_answer_then_taken():
    wrong, right = '{"orders": {"2->1": -4}}', '{"orders": {"2->1": 4}}'
    transcript, requests = played(restock.load_problem("serial", horizon=2), Script(wrong, right), retries=1)
    assert counted(transcript) == {"replies": 3, "requests": 3, "rejected": 1, "retries": 1}
    *_, said, complaint = requests[1]["messages"]
    assert said == {"role": "assistant", "content": wrong}
    assert "action.orders.2->1 = -4" in complaint["content"] and "Nothing has changed" in complaint["content"]
    assert [line["action"] for line in transcript.of("turn")] == [json.loads(right)] * 2


def test_only_the_last_turns_are_sent_again():
    answer = '{"orders": {}}'
    _, requests = played(restock.load_problem("serial", horizon=6), Script(answer), history=2)
    sent = [len(request["messages"]) for request in requests]
    assert sent == [2, 4, 6, 6, 6, 6]
    roles = [message["role"] for message in requests[-1]["messages"]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]


def test_what_went_wrong_last_time_is_told():
    greedy = '{"buy_quantities": {"electronics": 500}}'
    transcript, requests = played(restock.load_problem("retail-easy", horizon=3), Script(greedy))
    assert counted(transcript)["faults"] == {"unaffordable_order": 3}
    assert "unaffordable_order" in requests[1]["messages"][-1]["content"]
    _, requests = played(restock.load_problem("serial", horizon=2), Script("no"), retries=0)
    last = requests[1]["messages"][-1]["content"]
    assert "decided without you (nothing)" in last and "no JSON object" in last


def test_parameters_are_chosen_and_the_policy_decides():
    given = json.dumps({"parameters": {"levels": [130, 120, 140]}})
    mode = Mode("parameters", ("base-stock",))
    transcript, requests = played("serial", Script(given), mode=mode)
    policy = restock.make_policy("base-stock", "serial", levels=[130, 120, 140])
    assert transcript.lines[-1]["returns"] == restock.simulate("serial", policy, 1, 7).profit.tolist()
    assert len(requests) == 1 and {line["by"] for line in transcript.of("turn")} == {"policy"}
    _, requests = played("serial", Script(given), mode=Mode("parameters", ("base-stock",), every=10))
    assert len(requests) == 3


@pytest.mark.parametrize(
    "given",
    ['{"levels": 100}', '{"parameters": 3}', '{"parameters": {"problem": "x"}}',
     '{"parameters": {"information": "informed"}}', '{"parameters": {"levels": -5}}',
     '{"parameters": {"levels": [1, 2]}}'],
)  # fmt: skip
def test_parameters_that_do_not_hold_leave_the_defaults(given):
    transcript, _ = played("serial", Script(given), mode=Mode("parameters", ("base-stock",)))
    assert transcript.lines[-1]["returns"] == restock.simulate("serial", "base-stock", 1, 7).profit.tolist()
    assert counted(transcript) == {"replies": 3, "requests": 3, "rejected": 3, "retries": 2, "fallbacks": 1}


def test_a_model_may_ask_policies():
    problem = restock.load_problem("serial")
    transcript, requests = played(problem, speaker("follower", problem), mode=TOOL)
    assert transcript.lines[-1]["returns"] == restock.simulate("serial", "base-stock", 1, 7).profit.tolist()
    assert counted(transcript) == {"replies": 60, "requests": 60, "suggestions": 30}
    assert requests[0]["tools"][0]["function"]["name"] == "suggest"


def test_it_may_ask_so_often_and_no_more():
    ask = {"suggest": {"policy": "s-S", "parameters": {"levels": 9}}}
    transcript, requests = played(
        restock.load_problem("serial", horizon=1),
        Script(ask, {"suggest": {"policy": "hindsight"}}, '{"orders": {}}'),
        mode=TOOL,
    )
    told = [line["told"]["error"] for line in transcript.of("tool")]
    assert "s-S has no such parameter" in told[0] and "not offered" in told[1]
    assert [request["tool_choice"] for request in requests] == ["auto", "auto", "none"]
    assert "suggestions" not in counted(transcript)


@pytest.mark.parametrize(
    ("kind", "policies", "more", "why"),
    [
        ("loud", (), {}, "no such mode"),
        ("alone", ("base-stock",), {}, "decides alone"),
        ("parameters", ("base-stock", "s-S"), {}, "of one policy"),
        ("tool", ("nobody",), {}, "no such policy"),
        ("tool", (), {"every": 3}, "only parameters"),
        ("tool", (), {"calls": 0}, ">= 1"),
    ],
)
def test_modes_that_cannot_be(kind, policies, more, why):
    with pytest.raises(InvalidInput, match=why):
        mode_of(restock.load_problem("serial"), kind, policies, **more)


@pytest.mark.parametrize(("name", "why"), [("hindsight", "the future"), ("optimal", "mean demand of every period")])
def test_no_policy_knows_more_than_the_model(name, why):
    for settings in ({"fallback": name}, {"mode": Mode("tool", (name,))}):
        with pytest.raises(InvalidInput, match=why):
            played("serial", Script("{}"), **settings)
    seasonal = restock.load_problem("serial", demand={"mean": 20, "effects": ["seasonal"]}, horizon=6)
    earned = {}
    for level in ("blind", "informed"):
        transcript, _ = played(seasonal, Script("no"), fallback="rolling", information=level, retries=0)
        policy = restock.make_policy("rolling", seasonal, information=level)
        earned[level] = transcript.lines[-1]["returns"]
        assert earned[level] == pytest.approx(restock.simulate(seasonal, policy, 1, 7).profit.tolist())
    assert earned["blind"] != earned["informed"]


@pytest.mark.parametrize(
    "said", ["\ud800", '{"orders": {"\ud800": 1}}', '{"orders": {"2->1": 1' + "0" * 400 + "}}", "\x00\u2028{]}"]
)
def test_nothing_that_is_said_stops_an_episode(said):
    transcript, _ = played(restock.load_problem("serial", horizon=2), Script(said))
    assert counted(transcript)["fallbacks"] == 2


@pytest.mark.parametrize(
    ("policy", "given"),
    [
        ("base-stock", '{"multiples": 1e300}'),
        ("s-S", '{"batches": [1e300, 1, 1]}'),
        ("newsvendor", '{"memory": 1' + "0" * 400 + "}"),
        ("stochastic", '{"paths": 1000000000000}'),
        ("rolling", '{"jobs": 1000}'),
    ],
)
@pytest.mark.parametrize("kind", ["parameters", "tool"])
def test_no_parameters_stop_an_episode(kind, policy, given):
    call = {"suggest": {"policy": policy, "parameters": json.loads(given)}}
    sayings = [f'{{"parameters": {given}}}'] if kind == "parameters" else [call, '{"orders": {}}']
    problem = restock.load_problem("serial", horizon=15)
    transcript, _ = played(problem, Script(*sayings), mode=Mode(kind, (policy,)), retries=0)
    told = [line["told"] for line in transcript.of("tool")] if kind == "tool" else transcript.of("turn")
    assert told[0]["error"]


@pytest.mark.parametrize("call", [{"suggest": []}, {"suggest": 3}, {"\ud800": {}}, {"suggest": {"policy": ["s-S"]}}])
def test_nothing_that_is_called_stops_an_episode(call):
    transcript, _ = played(restock.load_problem("serial", horizon=1), Script(call, call, '{"orders": {}}'), mode=TOOL)
    assert all("error" in line["told"] for line in transcript.of("tool")) and "fallbacks" not in counted(transcript)


def test_tokens_are_counted_and_cost_money():
    transcript, _ = played(restock.load_problem("serial", horizon=3), Script("{}"), price_in=2.0, price_out=10.0)
    result, replies = transcript.lines[-1], transcript.of("reply")
    assert result["counts"]["tokens_in"] == sum(reply["tokens_in"] for reply in replies) > 1000
    assert result["cost"] == pytest.approx((2.0 * result["counts"]["tokens_in"] + 10.0 * 0) / 1e6)


def test_agents_are_judged_on_the_same_episodes():
    mean, rule = (run_agent("serial", f"stand-in:{name}", 3, 5) for name in ("mean-anchoring", "base-stock"))
    found = judge([mean, rule])
    apart = found.differences("stand-in:base-stock")
    assert apart["base-stock"] == {"mean": 0.0, "low": 0.0, "high": 0.0, "p": 1.0}
    assert apart["stand-in:mean-anchoring"]["mean"] == pytest.approx(rule.lines[-1]["mean"] - mean.lines[-1]["mean"])
    assert {row.name for row in found.comparison.rows} == {
        "hindsight", "base-stock", "stand-in:mean-anchoring", "stand-in:base-stock",
    }  # fmt: skip
    assert 0.0 < found.comparison.row("stand-in:base-stock").gap < 1.0
    assert json.dumps(found.to_dict(), default=str)


def test_a_store_is_graded():
    found = judge([run_agent("retail-easy", "stand-in:base-stock", 1, 5)], ["tuned-price-and-cover"])
    (grade,) = found.grades["stand-in:base-stock"]
    assert grade.profit == found.agents["stand-in:base-stock"].lines[-1]["mean"]
    assert (grade.floor, grade.ceiling) == (2200.0, 16225.0)
    assert found.comparison.bound is None  # nobody asked for it


def test_a_problem_of_ones_own_is_played_and_judged_by_its_place(tmp_path):
    place = tmp_path / "corner-shop"
    for inside, text in template.texts("corner-shop").items():
        (place / inside).parent.mkdir(parents=True, exist_ok=True)
        (place / inside).write_text(text, encoding="utf-8")
    rule = f"{place}/policies/base_stock.py:BaseStock"
    transcript = run_agent(str(place), f"stand-in:{rule}", 2, 5, changes={"horizon": 9})
    assert transcript.run["described"]["place"] == str(place)
    assert transcript.run["described"]["arguments"]["instance"]["horizon"] == 9
    assert "bounds_of_the_decision" in transcript.run["system"]
    assert judge([transcript], [rule]).differences(f"stand-in:{rule}")[rule]["mean"] == 0.0

    class Here(MinimalProblem):
        family = "here"

    own = Here(MinimalSpec())
    with pytest.raises(InvalidInput, match="exists only in the Python process that made it"):
        judge([run_agent(own, "stand-in:malformed", 1, 5)])


def test_a_model_that_is_called_like_a_policy_keeps_apart_from_it():
    transcript, _ = played("minimal", Script("{}"))
    for name, value in {"model": "random", "described": {"problem": "minimal"}}.items():
        transcript.run[name] = value
    assert {row.name for row in judge([transcript], ["random"]).comparison.rows} == {"random (agent)", "random"}


def test_runs_on_other_episodes_are_not_compared():
    one = run_agent("minimal", "stand-in:base-stock", 1, 5)
    other = run_agent("minimal", "stand-in:base-stock", 1, 6)
    with pytest.raises(InvalidInput, match=r"of other episodes than the first one \(another seed\)"):
        judge([one, other])


def test_a_transcript_that_says_other_rewards_is_found_out():
    transcript = run_agent("minimal", "stand-in:base-stock", 1, 5)
    transcript.of("turn")[4]["reward"] += 1.0
    with pytest.raises(InvalidInput, match="in period 4 of episode 0 its decision brings"):
        judge([transcript])
