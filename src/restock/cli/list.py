"""`restock list`: everything that has a name."""

from __future__ import annotations

from typing import Any

from restock.cli.console import AsJson, Console, Quiet, table


def list_all(as_json: AsJson = False, quiet: Quiet = False) -> None:
    """List instances, policies, demand models and suites.

    Environment ids, shipped instances, policies, demand distributions, data sets and suites of the benchmark.
    """
    console = Console(as_json, quiet)
    known = _known()
    if as_json:
        console.document(known)
        return
    headers = {
        "environments": ("Environment", "what"),
        "instances": ("Instance", "problem", "periods", "what"),
        "policies": ("Policy", "knows", "what"),
        "distributions": ("Demand distribution", "what"),
        "datasets": ("Data set", "periods", "columns"),
        "suites": ("Suite", "scenarios", "seeds", "hash", "what"),
        "policy_lists": ("List of policies", "policies"),
    }
    for kind, header in headers.items():
        last = len(header) - 1
        numbers = {"instances": [2], "datasets": range(1, last), "suites": range(1, last)}.get(kind, ())
        shown = table(*header, numbers=numbers, words=[last])
        for entry in known[kind]:
            shown.add_row(*(_cell(cell) for cell in entry.values() if not isinstance(cell, dict)))
        console.table(shown)
    console.remark("More about one: restock show INSTANCE.")


def _known() -> dict[str, list[dict[str, Any]]]:
    from restock.benchmark.entries import list_policy_sets, load_entries
    from restock.benchmark.suite import list_suites
    from restock.demand import registry as distributions
    from restock.demand.series import DATASETS
    from restock.policies.registry import families_of, list_policies, policy_class
    from restock.problems.load import families, family_of_id, load_problem, shipped
    from restock.problems.manifest import ids

    policies = {name: policy_class(name) for name in list_policies()}
    return {
        "environments": [
            {"name": name, "summary": _environment(family_of_id(name), fixed.get("instance"))}
            for name, fixed in ids().items()
            if family_of_id(name) in families()  # others are of packages that cannot be read
        ],
        "instances": [_instance(name, load_problem(name)) for name in shipped()],
        "policies": [
            {"name": name, "information": list(kind.may_know), "summary": kind.summary + _kinds(families_of(name))}
            for name, kind in policies.items()
        ],
        "distributions": [
            {"name": name, "summary": _first_line(distributions.find(name).__doc__)} for name in distributions.known()
        ],
        "datasets": [_dataset(name) for name in DATASETS],
        "suites": [_suite(name) for name in list_suites()],
        "policy_lists": [
            {"name": name, "policies": [entry.name for entry in load_entries(name)]} for name in list_policy_sets()
        ],
    }


def _environment(family: str, instance: str | None) -> str:
    from restock.problems.load import noun_of

    return (
        f"the instance {instance}" if instance else f"any {noun_of(family)}: a shipped instance, a YAML file or a spec"
    )


def _kinds(families: list[str]) -> str:
    """Return the families a policy is for, unless that is the networks alone."""
    return "" if families in ([], ["network"]) else f" (for: {', '.join(families)})"


def _instance(name: str, problem: Any) -> dict[str, Any]:
    return {
        "name": name,
        "problem": problem.family,
        "size": problem.size(),
        "horizon": problem.horizon,
        "description": problem.spec.description,
    }


def _cell(value: Any) -> str:
    """Return a cell of a table."""
    return ", ".join(value) if isinstance(value, list) else str(value)


def _dataset(name: str) -> dict[str, Any]:
    import csv
    from importlib import resources

    from restock.demand.series import DATASETS

    text = resources.files("restock.data").joinpath(DATASETS[name]).read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return {"name": name, "periods": len(rows), "columns": [column for column in rows[0] if column != "date"]}


def _suite(name: str) -> dict[str, Any]:
    from restock.benchmark.suite import load_suite

    suite = load_suite(name)
    return {
        "name": name,
        "scenarios": len(suite.scenarios),
        "seeds": len(suite.seeds),
        "hash": suite.mark,
        "description": suite.description,
    }


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().splitlines()[0]
