"""Each command: what it says, in words and as JSON, and that both say the same."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path
from typing import Any

import gym_invmgmt
import numpy as np
import pytest
import yaml

import restock
from restock.benchmark.entries import list_policy_sets
from restock.benchmark.suite import list_suites
from restock.cli import doctor
from restock.core.kpis import KPIS
from restock.policies.registry import usual_policies
from restock.problems.load import IDS, shipped
from restock.problems.network.load import instance_text, instances
from tests.cli.running import REPOSITORY, run
from tests.problems.network.networks import small

USUAL = usual_policies("network")


@pytest.fixture
def network(tmp_path) -> str:
    """The path of a YAML file of a small network."""
    path = tmp_path / "corner-shop.yaml"
    path.write_text(yaml.safe_dump(small(name="corner-shop"), sort_keys=False))
    return str(path)


# every command --------------------------------------------------------------------------------------

EVERY = (
    ("list",),
    ("show", "divergent"),
    ("simulate", "serial", "base-stock", "-n", "3"),
    ("compare", "serial", "base-stock", "random", "-n", "3"),
    ("fit", "serial", "s-S", "-n", "4", "--budget", "30"),
    ("grade", "retail-easy", "--profit", "5000"),
    ("doctor",),
)


@pytest.mark.parametrize("arguments", EVERY, ids=lambda a: a[0])
def test_json_is_one_document_and_nothing_else(arguments):
    ran = run(*arguments, "--json", "--quiet")
    assert ran.code == 0 and ran.err == ""
    assert isinstance(ran.document, dict)
    assert ran.out == json.dumps(ran.document, indent=2) + "\n"


@pytest.mark.parametrize("arguments", EVERY, ids=lambda a: a[0])
@pytest.mark.parametrize("width", [80, 140])
def test_words_fit_the_terminal(arguments, width):
    ran = run(*arguments, "--quiet", width=width)
    assert ran.code == 0 and ran.err == ""
    lines = ran.out.splitlines()
    assert all(len(line) <= width and line == line.rstrip() for line in lines)
    assert "\x1b" not in ran.out and "…" not in ran.out


@pytest.mark.parametrize("name", [a[0] for a in EVERY] + ["demo"])
def test_help_tells_every_option(name):
    ran = run(name, "--help")
    assert ran.code == 0
    for option in ("--json", "--quiet", "--help"):
        assert option in ran.out


def test_help_and_version():
    assert run("--version").out == f"restock {restock.__version__}\n"
    for arguments in ((), ("--help",), ("-h",)):
        ran = run(*arguments)
        assert ran.code == 0 and ran.err == ""
        for name in ("list", "show", "simulate", "compare", "bench", "leaderboard", "demo", "doctor"):
            assert f"\n  {name} " in ran.out


# list -----------------------------------------------------------------------------------------------


def test_list_names_everything_that_can_be_named():
    document = run("list", "--json").document
    names = {kind: [entry["name"] for entry in entries] for kind, entries in document.items()}
    assert names["environments"] == list(IDS)
    assert names["instances"] == list(shipped())
    assert names["policies"] == restock.list_policies()
    assert {"poisson", "normal", "negative_binomial", "uniform", "deterministic", "empirical"} <= set(
        names["distributions"]
    )
    assert names["datasets"] == ["restaurant"]
    assert names["suites"] == list_suites() and names["policy_lists"] == list_policy_sets()
    text = run("list", "-q").out
    for entries in names.values():
        assert all(name in text for name in entries)
    divergent = next(entry for entry in document["instances"] if entry["name"] == "divergent")
    assert divergent["size"] == {"nodes": 6, "links": 11, "markets": 1} and divergent["horizon"] == 30
    levels = {entry["name"]: entry["information"] for entry in document["policies"]}
    assert levels["base-stock"] == ["blind", "informed"] and levels["hindsight"] == ["clairvoyant"]
    assert "koefte" in document["datasets"][0]["columns"]


# show -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*instances(), "restock/Serial-v0", "restock/Divergent-v0", "restock/Network-v0"])
def test_show_has_every_number_of_the_spec(name):
    problem = restock.load_problem(name)
    document = run("show", name, "--json").document
    assert document["name"] == problem.name and document["horizon"] == problem.horizon
    assert [(link["from"], link["to"]) for link in document["links"]] == [(str(s), str(b)) for s, b in problem.links]
    assert [link["lead_time"] for link in document["links"]] == [k.lead_time for k in problem.spec.ordered_links]
    assert [node["node"] for node in document["nodes"]] == [str(node.id) for node in problem.spec.nodes]
    assert [node["initial_inventory"] for node in document["nodes"]] == [
        node.initial_inventory for node in problem.spec.nodes
    ]
    np.testing.assert_allclose(document["demand"]["mean"], problem.demand.mean)
    roles = {node["node"]: node["role"] for node in document["nodes"]}
    assert {role for node, role in roles.items() if node in {str(s.id) for s in problem.spec.sources}} == {
        "outside source"
    }


def test_show_in_words(network):
    text = run("show", network, "-q").out
    for words in ("corner-shop", "Each period, in this order:", "outside source", "factory", "retailer", "0.25"):
        assert words in text


@pytest.mark.parametrize("name", instances())
def test_show_yaml_is_the_file_itself(name):
    ran = run("show", name, "--yaml")
    assert ran.code == 0 and ran.out == instance_text(name)


def test_show_yaml_can_be_copied_and_changed(tmp_path, network):
    changes = ["--demand", "mean=31", "--demand", "effects.trend.slope=0.5", "--horizon", "7", "--lost-sales"]
    for name in ("serial", "restock/Serial-v0", network):
        ran = run("show", name, "--yaml", *changes)
        copy = tmp_path / "copy.yaml"
        copy.write_text(ran.out)
        problem = restock.load_problem(str(copy))
        assert (problem.horizon, problem.spec.backlog) == (7, False)
        np.testing.assert_allclose(problem.demand.mean[:, 0], 31 * (1 + 0.5 * np.arange(7)))
        assert run("show", str(copy), "--json").document == run("show", name, "--json", *changes).document


def test_the_mend_of_an_empty_file_works(tmp_path):
    empty = tmp_path / "empty.yaml"
    empty.write_text("")
    ran = run("show", str(empty))
    assert ran.code == 2 and "Copy an instance: restock show serial --yaml." in ran.err
    assert run("show", "serial", "--yaml").code == 0


# simulate -------------------------------------------------------------------------------------------


def test_simulate_is_what_python_computes():
    arguments = ("--episodes", "12", "--seed", "5", "--set", "service=0.95", "--set", "mean=22")
    document = run("simulate", "serial", "base-stock", *arguments, "--json").document
    problem = restock.load_problem("serial")
    policy = restock.make_policy("base-stock", problem, service=0.95, mean=22)
    result = restock.simulate(problem, policy, episodes=12, seed=5)
    assert {key: figure["mean"] for key, figure in document["kpis"].items()} == {
        key: pytest.approx(estimate.mean) for key, estimate in result.estimates().items()
    }
    assert document["kpis"]["profit"]["mean"] == pytest.approx(float(np.mean(result.profit)))
    assert set(KPIS) <= set(document["kpis"])
    interval = document["kpis"]["profit"]
    assert interval["low"] < interval["mean"] < interval["high"]
    assert document["parameters"] == policy.parameters_in_words()
    assert (document["episodes"], document["seed"], document["information"]) == (12, 5, "blind")
    inline = run("simulate", "serial", "base-stock:service=0.95,mean=22", *arguments[:4], "--json").document
    assert inline["kpis"] == document["kpis"]


def test_simulate_changes_the_problem():
    def profit(*arguments: str) -> float:
        document = run("simulate", "serial", "constant-order", "-n", "4", "--json", *arguments).document
        return float(document["kpis"]["profit"]["mean"])

    def expected(**changes: Any) -> Any:
        problem = restock.load_problem("serial", **changes)
        return pytest.approx(restock.simulate(problem, "constant-order", episodes=4).profit.mean())

    assert profit("--demand", "mean=25") == profit("--demand", "25") == expected(demand={"mean": 25})
    assert profit("--demand", "{mean: 25, effects: [trend]}") == expected(demand={"mean": 25, "effects": ["trend"]})
    assert profit("--demand", "goodwill=true", "--demand", "sampler=inverse") == expected(
        demand={"goodwill": True, "sampler": "inverse"}
    )
    assert profit("--demand", "distribution.name=normal", "--demand", "distribution.sd=2") == expected(
        demand={"distribution": {"name": "normal", "sd": 2}}
    )
    assert profit("--horizon", "12") == expected(horizon=12)
    assert profit("--lost-sales") == expected(backlog=False)
    assert profit("--backlog") == expected(backlog=True)
    assert profit("--discount", "0.9") == expected(discount=0.9)
    assert profit("--set", "quantity=[1, 2, 3]") != profit()


def test_simulate_in_words():
    text = run("simulate", "serial", "base-stock", "-n", "5", "-q").out
    assert "base-stock (blind) on serial: 5 episodes of 30 periods, seed 0." in text
    assert "level 1: 109" in text
    for figure in ("profit", "fill rate", "ready rate", "sales revenue", "bullwhip"):
        assert figure in text
    assert "fixed order costs" not in text  # there are none in this network
    assert "units asked for" in run("simulate", "serial", "base-stock", "-n", "5", width=130).out


def test_one_episode_has_null_for_its_interval():
    document = run("simulate", "serial", "random", "-n", "1", "--json").document
    assert document["kpis"]["profit"]["low"] is None and document["kpis"]["profit"]["mean"] is not None


def test_a_figure_that_is_infinite_is_null(tmp_path):
    # Nothing is ever in stock: inventory turns are infinite.
    bare = small(horizon=3)
    for node in bare["nodes"]:
        if "initial_inventory" in node:
            node["initial_inventory"] = 0
    path = tmp_path / "bare.yaml"
    path.write_text(yaml.safe_dump(bare))
    document = run("simulate", str(path), "constant-order", "--set", "quantity=0", "-n", "3", "--json").document
    assert document["kpis"]["inventory_turns"] == {"mean": None, "low": None, "high": None}
    assert "\N{EN DASH}" in run("simulate", str(path), "constant-order", "--set", "quantity=0", "-n", "3").out


@pytest.mark.parametrize("ending", ["csv", "npz", "parquet"])
def test_simulate_writes_the_trajectory(ending, tmp_path):
    out = tmp_path / "new" / f"episodes.{ending}"
    ran = run("simulate", "serial", "base-stock", "-n", "3", "--seed", "8", "--out", str(out))
    assert ran.code == 0 and f"Wrote {out}." in ran.err
    trajectory = restock.simulate("serial", "base-stock", episodes=3, seed=8).trajectory
    if ending == "npz":
        with np.load(out) as arrays:
            np.testing.assert_array_equal(arrays["demand"], trajectory["demand"])
            np.testing.assert_array_equal(arrays["on_hand"], trajectory["on_hand"])
        return
    if ending == "csv":
        with out.open() as file:
            rows = list(csv.DictReader(file))
        demand = [float(row["demand[1->0]"]) for row in rows]
    else:
        import polars

        demand = polars.read_parquet(out)["demand[1->0]"].to_list()
    np.testing.assert_array_equal(demand, trajectory["demand"].ravel())
    assert sorted(path.name for path in out.parent.iterdir()) == [out.name]


# compare --------------------------------------------------------------------------------------------


def test_compare_is_what_python_computes():
    document = run("compare", "serial", "base-stock", "random", "--episodes", "10", "--seed", "3", "--json").document
    table = restock.compare("serial", ["base-stock", "random"], episodes=10, seed=3).to_dict()
    for rows in (document["policies"], table["policies"]):
        for row in rows:
            del row["seconds"]
    assert {key: document[key] for key in table} == json.loads(json.dumps(table))
    assert document["bound_proven"] is True and document["warnings"] == []
    assert any("Base-stock" in sentence for sentence in document["answer"])


def test_compare_in_words():
    ran = run("compare", "serial", "base-stock", "constant-order", "-n", "10", "-q")
    assert ran.code == 0
    for words in ("policy", "knows", "mean profit", "difference", "gap to", "fill", "clairvoyant", "blind", "the best"):
        assert words in ran.out
    assert "The bound is proven: no policy can earn more in these episodes." in ran.out
    assert "earned most" in ran.out and "95% interval" in ran.out
    order = [ran.out.index(f"\n {name} ") for name in ("hindsight", "base-stock", "constant-order")]
    assert order == sorted(order)


def test_compare_with_a_reference_named_beforehand():
    arguments = ("compare", "serial", "base-stock", "constant-order", "random", "-n", "8")
    document = run(*arguments, "--reference", "random", "--json").document
    assert document["reference"] == "random" and document["reference_named"] is True
    assert document["differences_judged"] == 2
    assert "the reference" in run(*arguments, "--reference", "random", "-q", width=130).out
    refused = run(*arguments, "--reference", "rando")
    assert refused.code == 2 and "reference" in refused.err and "random" in refused.err


def test_compare_counts_wins_ties_and_losses():
    ran = run("compare", "serial", "base-stock", "random", "-n", "8", "-q", width=130)
    assert "8, 0, 0" in ran.out and "less in 8 of the 8 episodes" in " ".join(ran.out.split())


def test_episodes_by_their_own_seeds():
    document = run("simulate", "serial", "base-stock", "--seeds", "42,7-9", "--json").document
    assert document["seeds"] == [42, 7, 8, 9] and document["seed"] is None and document["episodes"] == 4
    mean = restock.simulate("serial", "base-stock", seeds=[42, 7, 8, 9]).profit.mean()
    assert document["kpis"]["profit"]["mean"] == mean
    table = run("compare", "serial", "base-stock", "--seeds", "42,7-9", "--json").document
    assert table["seeds"] == [42, 7, 8, 9]
    for wrong in ("", "4,", "9-7", "x", "-3", "0-99999999999"):
        refused = run("simulate", "serial", "base-stock", "--seeds", wrong)
        assert refused.code == 2 and "--seeds" in refused.err


def test_episodes_that_are_all_the_same_are_said_to_be():
    demand = ("--demand", "distribution=deterministic", "-n", "6")
    for command in (("simulate", "serial", "base-stock"), ("compare", "serial", "base-stock", "random")):
        ran = run(*command, *demand, "-q")
        assert "All 6 episodes" in ran.out and "are the same" in ran.out
        assert run(*command, *demand, "--json").document["identical"] is True
    kpis = run("simulate", "serial", "base-stock", *demand, "--json").document["kpis"]
    assert kpis["profit"]["low"] is None
    fitted = run("fit", "serial", "base-stock", "--budget", "20", *demand, "-q")
    assert "All 6 episodes are the same" in fitted.out and "unseen episodes" not in fitted.out


def test_compare_names_variants_of_one_policy():
    document = run("compare", "serial", "base-stock", "base-stock:levels=[130,120,60]", "-n", "3", "--json").document
    rows = {row["name"]: row["parameters"] for row in document["policies"]}
    assert rows["base-stock:levels=[130,120,60]"] == {"level 1": 130.0, "level 2": 120.0, "level 3": 60.0}
    assert len(rows) == 3


def test_compare_without_names_takes_the_usual_ones():
    rows = run("compare", "serial", "-n", "2", "--json").document["policies"]
    assert sorted(row["name"] for row in rows) == sorted([*USUAL, "hindsight"])
    assert set(USUAL) <= set(restock.list_policies())
    rows = run("compare", "serial", "-n", "2", "--no-bound", "--json").document["policies"]
    assert sorted(row["name"] for row in rows) == sorted(USUAL)


def test_compare_without_a_bound():
    document = run("compare", "serial", "base-stock", "-n", "2", "--no-bound", "--json").document
    assert document["bound"] is None and document["policies"][0]["gap"] is None
    text = run("compare", "serial", "base-stock", "-n", "2", "--no-bound").out
    assert "gap" not in text and "bound is proven" not in text


def test_compare_says_when_the_bound_is_not_proven():
    arguments = ("compare", "serial", "base-stock", "-n", "2", "--demand", "goodwill=true")
    assert run(*arguments, "--json").document["bound_proven"] is False
    text = " ".join(run(*arguments).out.split())
    assert "Warning: " in text and "not a proven one" in text
    assert "The bound is proven" not in text


def test_compare_warns_and_fails_when_a_proven_bound_is_exceeded(monkeypatch):
    from restock.solvers import lp

    solve = lp.NetworkProgram.solve

    def wrong(self: Any, demand: Any) -> lp.Solution:
        solution = solve(self, demand)
        return lp.Solution(solution.orders, solution.profit, solution.bound * 0.7)

    monkeypatch.setattr(lp.NetworkProgram, "solve", wrong)
    ran = run("compare", "serial", "base-stock", "random", "-n", "3")
    assert ran.code == 1
    assert "Warning: " in ran.out and "more than a proven bound" in " ".join(ran.out.split())
    ran = run("compare", "serial", "base-stock", "random", "-n", "3", "--json")
    assert ran.code == 1
    assert ran.document["exceeded"] == ["hindsight", "base-stock"] and ran.document["warnings"]


def test_compare_writes_tables(tmp_path):
    out = tmp_path / "table.json"
    document = run("compare", "serial", "base-stock", "-n", "3", "--json", "--out", str(out)).document
    written = json.loads(out.read_text())
    assert document["out"] == str(out)
    assert written == {key: value for key, value in document.items() if key not in ("out", "report")}
    sheet = tmp_path / "table.csv"
    assert run("compare", "serial", "base-stock", "-n", "3", "--no-bound", "--out", str(sheet)).code == 0
    with sheet.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["policy"] for row in rows] == ["base-stock"]
    best = next(row for row in document["policies"] if row["name"] == "base-stock")
    assert float(rows[0]["profit"]) == best["profit"]["mean"]
    assert rows[0]["gap"] == "" and rows[0]["difference"] == ""
    assert float(rows[0]["fill_rate"]) == best["kpis"]["fill_rate"]


def test_compare_writes_a_report(tmp_path):
    report = tmp_path / "page.html"
    document = run("compare", "serial", "base-stock", "-n", "3", "--report", str(report), "--json").document
    assert document["report"] == str(report)
    page = report.read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html") and "base-stock" in page


# doctor -----------------------------------------------------------------------------------------------


def test_doctor_finds_all_well():
    document = run("doctor", "--json").document
    assert document["fine"] is True
    assert document["packages"]["numpy"] == np.__version__
    assert [check["passed"] for check in document["checks"]] == [True, True]
    assert document["cpus"] >= document["usable_cpus"] >= 1
    text = run("doctor").out
    assert "All is well." in text and f"restock {restock.__version__}" in text


def test_what_doctor_expects_is_what_the_peer_computes():
    peer = gym_invmgmt.CoreEnv(scenario="serial", demand_config={"base_mu": 20})
    peer.reset(seed=42)
    assert peer.step(np.full(3, 20.0))[1] == pytest.approx(doctor.FIRST_REWARD, abs=1e-9)


def test_doctor_knows_the_packages_of_the_project():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]

    def names(requirements: list[str]) -> tuple[str, ...]:
        return tuple(requirement.split(">")[0].split("<")[0].split("=")[0] for requirement in requirements)

    assert names(project["dependencies"]) == doctor.CORE
    extras = {name: names(packages) for name, packages in project["optional-dependencies"].items() if name != "dev"}
    assert extras == doctor.EXTRAS


def test_doctor_says_how_to_install_what_is_missing(monkeypatch):
    version = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "polars" else version(name))
    ran = run("doctor", "--json")
    assert ran.code == 0
    assert ran.document["extras"]["data"] == {"packages": {"polars": None}, "install": "pip install 'restock[data]'"}
    assert "optional: pip install 'restock[data]'" in run("doctor").out


def test_doctor_fails_where_something_needed_is_missing(monkeypatch):
    version = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "highspy" else version(name))
    ran = run("doctor")
    assert ran.code == 1 and "Something is wrong" in ran.out and "missing" in ran.out


def test_doctor_fails_where_a_known_result_is_another(monkeypatch):
    monkeypatch.setattr(doctor, "FIRST_REWARD", 31.0)

    def broken() -> float:
        raise RuntimeError("no solver today")

    monkeypatch.setattr(doctor, "_best_profit", broken)
    ran = run("doctor", "--json")
    assert ran.code == 1 and ran.document["fine"] is False
    assert [check["passed"] for check in ran.document["checks"]] == [False, False]
    assert ran.document["checks"][1]["error"] == "RuntimeError: no solver today"
    text = run("doctor").out
    assert "FAILED" in text and "no solver today" in text


def test_a_cache_that_cannot_be_written_is_told_and_no_failure(monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("RESTOCK_CACHE_DIR", str(blocked / "cache"))
    monkeypatch.setattr(doctor, "_checks", list)
    ran = run("doctor", "--json")
    assert ran.code == 0
    assert ran.document["cache"] == {"folder": str(blocked / "cache"), "writable": False, "compiled": False}
    assert "Set RESTOCK_CACHE_DIR to a folder that can" in " ".join(run("doctor").out.split())


def test_doctor_sees_whether_anything_is_compiled(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "_checks", list)
    monkeypatch.setenv("RESTOCK_CACHE_DIR", str(tmp_path))
    before = run("doctor", "--json").document["cache"]
    assert before == {"folder": str(tmp_path), "writable": True, "compiled": False}
    mark = next(Path(tmp_path).iterdir())
    (mark / "network.nbi").write_bytes(b"")
    assert run("doctor", "--json").document["cache"]["compiled"] is True
