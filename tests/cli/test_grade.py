"""`restock grade`: the published scale of each store, and what a policy or a profit is worth on it."""

from __future__ import annotations

import pytest

from tests.cli.running import run

SCALES = {"retail-easy": (2200, 16225), "retail-medium": (4550, 30002), "retail-hard": (2425, 42099)}


def test_it_prints_floor_ceiling_and_score_of_each_store():
    told = run("grade", "--json").document
    assert told["policy"] == "tuned-price-and-cover"
    assert {name: (one["floor"], one["ceiling"]) for name, one in told["stores"].items()} == SCALES
    for one in told["stores"].values():
        assert one["score"] == 0.998 < one["unclamped"] and one["profit"] < one["bound"]
    words = run("grade")
    for name, (floor, ceiling) in SCALES.items():
        assert f"{name}" in words.out and f"{floor}" in words.out and f"{ceiling}" in words.out
    assert "tuned-price-and-cover" in words.err


def test_a_profit_is_graded_as_the_server_grades_it():
    one = run("grade", "retail-easy", "--profit", "5000", "--json").document["stores"]["retail-easy"]
    assert one["score"] == pytest.approx(0.19964349376114082)  # the recorded reply of /grader
    assert run("grade", "retail-easy", "--profit", "-1e9", "--json").document["stores"]["retail-easy"]["score"] == 0.002


def test_a_policy_plays_the_published_episode():
    one = run("grade", "retail-hard", "--policy", "passive", "--json").document["stores"]["retail-hard"]
    assert (one["profit"], one["unclamped"], one["score"]) == (2425.0, 0.0, 0.002)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["serial"], "problem"),
        (["retail-easy", "--profit", "nan"], "profit"),
        (["--profit", "1", "--policy", "passive"], "--policy"),
        (["retail-easy", "--policy", "base-stock"], "policy"),
        (["restock/Retail-v0x"], "id"),
    ],
)
def test_what_cannot_be_graded_is_told(arguments, field):
    told = run("grade", *arguments, "--json")
    assert told.code == 2 and told.document["error"]["field"] == field
