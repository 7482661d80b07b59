"""Suites: the published one is the published one, definitions are frozen, bad ones are told."""

from __future__ import annotations

import copy
import csv
import json
from pathlib import Path

import numpy as np
import pytest

import restock
from restock.benchmark.published import load_published
from restock.benchmark.suite import list_suites, load_suite
from tests.problems.network.peer import our_demand

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "gym_invmgmt_scenarios.json").read_text())
DISTINCT = [scenario for scenario in GOLDEN["scenarios"] if not scenario["marl_label"]]
# A suite whose definition changes is another suite: give it another name, and leave this as it is.
FROZEN = {"gym-invmgmt": "621b3db77e2b", "smoke": "f818940ca235"}
# Mean ratio to the Oracle over the 22 distinct scenarios, to the digits of the published table.
PUBLISHED = {
    "MSSP-I": 0.949, "PPO-Transformer": 0.745, "Residual": 0.732, "EchelonApprox-I": 0.724, "(s,S)-I": 0.711,
    "Newsvendor-I": 0.703, "MSSP": 0.657, "PPO-MLP": 0.617, "LLM-Policy-C": 0.598, "DLP-I": 0.584, "SAC": 0.399,
}  # fmt: skip

SMALL = {"name": "small", "seeds": [1, 2], "scenarios": [{"name": "a", "instance": "serial", "demand": {"mean": 9}}]}


def test_shipped_suites_are_what_they_were():
    assert {name: load_suite(name).mark for name in list_suites()} == FROZEN


def test_the_published_suite_has_the_22_scenarios_and_ten_seeds():
    suite = load_suite("gym-invmgmt")
    assert suite.seeds == GOLDEN["seeds"]
    assert len(suite.scenarios) == len(DISTINCT) == 22


@pytest.mark.parametrize("number", range(22), ids=[scenario["scenario_key"] for scenario in DISTINCT])
def test_a_scenario_is_the_published_one(number):
    config = DISTINCT[number]["core_env_kwargs"]
    theirs = restock.load_problem(
        {"network": "divergent", "serial": "serial"}[config["scenario"]],
        demand=our_demand(config["demand_config"]),
        horizon=config["num_periods"],
        backlog=config["backlog"],
    )
    scenario = load_suite("gym-invmgmt").scenarios[number]
    ours = scenario.problem()
    assert ours.spec == theirs.spec
    np.testing.assert_array_equal(ours.demand.mean, theirs.demand.mean)
    assert ("goodwill" in scenario.groups) == ours.demand.state_dependent == ours.sequential
    assert ("backlog" in scenario.groups) == ours.spec.backlog
    assert scenario.instance in scenario.groups


def test_the_published_means_are_the_shared_ones(shared):
    with (shared / "published" / "gym_invmgmt_means.csv").open(encoding="utf-8", newline="") as file:
        rows = {(row["scenario_key"], row["agent"]): row for row in csv.DictReader(file)}
    table = load_published("gym-invmgmt")
    names = [scenario.name for scenario in load_suite("gym-invmgmt").scenarios]
    known = 0
    for row in table.rows:
        for name, scenario in zip(names, DISTINCT, strict=True):
            published = rows.get((scenario["scenario_key"], row.name))
            assert (published is None) == (name not in row.profit)
            if published is not None:
                assert row.profit[name] == float(published["profit"])
                assert row.seconds[name] == pytest.approx(float(published["time_sec"]), rel=1e-5)
                known += 1
    assert known == 649 and {agent for _, agent in rows} == {row.name for row in table.rows}


@pytest.mark.parametrize("agent", PUBLISHED)
def test_published_ratios(agent):
    table = load_published("gym-invmgmt")
    row = next(row for row in table.rows if row.name == agent)
    assert len(row.profit) == 22
    ratio = np.mean([profit / table.oracle[name] for name, profit in row.profit.items()])
    assert round(float(ratio), 3) == PUBLISHED[agent]


def test_the_hash_is_of_what_is_said_and_not_of_how():
    mark = load_suite(SMALL).mark
    same = copy.deepcopy(SMALL)
    same["scenarios"][0] = {"demand": {"mean": 9.0}, "instance": "serial", "groups": ["x"], "name": "a"}
    assert load_suite({**same, "description": "words", "policies": "look-ahead"}).mark == mark
    written_out = copy.deepcopy(SMALL)
    import yaml

    from restock.problems.network.load import instance_text

    written_out["scenarios"][0]["instance"] = yaml.safe_load(instance_text("serial"))
    assert load_suite(written_out).mark == mark
    for change in ({"seeds": [1, 3]}, {"name": "other"}):
        assert load_suite({**SMALL, **change}).mark != mark
    for change in ({"horizon": 29}, {"instance": "divergent"}, {"demand": {"mean": 10}}, {"name": "b"}):
        assert load_suite({**SMALL, "scenarios": [{**SMALL["scenarios"][0], **change}]}).mark != mark


def test_the_hash_follows_what_is_referred_to(tmp_path):
    (tmp_path / "demand.csv").write_text("d\n" + "3\n" * 30, encoding="utf-8")
    series = {"series": {"file": str(tmp_path / "demand.csv"), "column": "d"}}
    suite = {**SMALL, "scenarios": [{"name": "a", "instance": "serial", "demand": series}]}
    mark = load_suite(suite).mark
    (tmp_path / "demand.csv").write_text("d\n" + "3\n" * 29 + "4\n", encoding="utf-8")
    assert load_suite(suite).mark != mark


def test_a_suite_of_your_own_names_networks_beside_it(tmp_path):
    from restock.problems.network.load import instance_text

    (tmp_path / "net.yaml").write_text(instance_text("serial"), encoding="utf-8")
    path = tmp_path / "suite.yaml"
    path.write_text("name: own\nseeds: [1]\nscenarios: [{name: a, instance: net.yaml}]\n", encoding="utf-8")
    suite = load_suite(path)
    assert suite.scenarios[0].problem().name == "serial"
    assert suite.scenario("a").instance == str(tmp_path / "net.yaml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file is empty"),
        ("name: [", "this is not valid YAML"),
        ("- a", "must be a mapping"),
        ("name: own", "bad.yaml: seeds = None: this is required"),
        ("name: own\nseeds: []\nscenarios: [{name: a, instance: serial}]", "bad.yaml: seeds = []: this is empty"),
        ("name: own\nseeds: [-1]\nscenarios: [{name: a, instance: serial}]", "seeds[0] = -1: must be an integer"),
        ("name: own\nseeds: [1, 1]\nscenarios: [{name: a, instance: serial}]", "seeds[1] = 1: this seed is in the"),
        ("name: own\nseeds: [1.5]\nscenarios: [{name: a, instance: serial}]", "seeds[0] = 1.5"),
        ("name: own\nseeds: [1]\nscenarios: []", "bad.yaml: scenarios = []: this is empty"),
        ("name: o/n\nseeds: [1]\nscenarios: [{name: a, instance: serial}]", "bad.yaml: name = 'o/n'"),
        (
            "name: own\nseeds: [1]\nscenarios: [{name: a, instance: serial}, {name: a, instance: serial}]",
            "bad.yaml: scenarios[1].name = 'a': this name is taken",
        ),
        ("name: own\nseeds: [1]\nscenarios: [{name: a, instance: serail}]", "bad.yaml: scenarios[0].instance"),
        ("name: own\nseeds: [1]\nscenarios: [{name: a, instance: gone.yaml}]", "there is no such file"),
        ("name: own\nseeds: [1]\nscenarios: [{name: a, instance: serial, demand: {men: 3}}]", "Did you mean 'mean'?"),
        ("name: own\nseeds: [1]\nscenarios: [{name: a, instance: serial, horizn: 3}]", "Did you mean 'horizon'?"),
        ("name: own\nseeds: [1]\nscenario: [{name: a, instance: serial}]", "Did you mean 'scenarios'?"),
    ],
)
def test_a_bad_suite_is_told(tmp_path, text, told):
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(restock.InvalidInput) as refused:
        load_suite(path)
    assert told in str(refused.value)
