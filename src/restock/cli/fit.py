"""`restock fit`: the parameters of a policy, found by simulation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from restock.cli.arguments import ProblemName, Trust, policy_and_parameters
from restock.cli.console import AsJson, Console, Quiet, table
from restock.cli.problem_changes import ProblemChanges, with_options

if TYPE_CHECKING:
    from restock.evaluation.fit import Fit

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A parameter to begin with, such as echelon=true; repeatable."),
]
Tune = Annotated[
    list[str] | None,
    typer.Option("--tune", metavar="KEY", help="Search this parameter and no other; repeatable.", show_default=False),
]
Knows = Annotated[
    str | None,
    typer.Option("--information", help="blind (fitted on the prior) or informed (on the mean curve).", metavar="LEVEL"),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="Write the parameters: .yaml, or .json for everything; POLICY:@FILE reads YAML."),
]


@with_options
def fit(
    name: ProblemName,
    policy: Annotated[str, typer.Argument(metavar="POLICY", help="A policy with parameters: see restock list.")],
    information: Knows = None,
    settings: Settings = None,
    tune: Tune = None,
    episodes: Annotated[int, typer.Option("--episodes", "-n", help="How many each candidate meets.")] = 160,
    seed: Annotated[int, typer.Option("--seed", help="Of the episodes and of the search.")] = 0,
    budget: Annotated[int, typer.Option("--budget", help="Candidates to simulate at most.")] = 2500,
    *,
    changes: ProblemChanges,
    out: Out = None,
    trust: Trust = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find the parameters with which a policy earns most.

    Every candidate meets the same episodes; what is found is judged on others. Ctrl-C ends the search
    and keeps the best so far.
    """
    from restock.core.errors import InvalidInput, nearest
    from restock.core.writing import check_writable, write_whole
    from restock.evaluation import fit as evaluation
    from restock.policies.registry import make_policy

    console = Console(as_json, quiet)
    if out is not None:
        if out.suffix not in (".yaml", ".yml", ".json"):
            mend = nearest(out.suffix, [".yaml", ".json"])
            raise InvalidInput("--out", str(out), "the ending says in which form to write", mend)
        check_writable(out)
    problem = changes.problem(name)
    chosen, parameters = policy_and_parameters(policy, settings)
    if information is not None:
        parameters["information"] = information
    make_policy(chosen, problem, **parameters)  # says what is wrong with the parameters, if anything is
    with console.progress() as tell:
        found = evaluation.fit(
            problem, chosen, episodes, seed, budget,
            tune=tune or None, stoppable=True, **parameters,
            progress=lambda done, total: tell(f"{chosen}: candidates", done, total),
        )  # fmt: skip
    if out is not None:
        text = _as_json if out.suffix == ".json" else _as_yaml
        write_whole(out, lambda file: file.write_text(text(found), encoding="utf-8"))
    if as_json:
        console.document({**found.to_dict(), "out": None if out is None else str(out)})
    else:
        _print(console, found)
    if not found.finished:
        console.remark(f"Stopped after {found.evaluations} of {budget} candidates: this is the best of them.")
    if out is not None:
        console.remark(f"Wrote {out}. To use it: restock simulate {name} {chosen}:@{out}")


def _as_json(found: Fit) -> str:
    from restock.cli.console import as_document

    return as_document(found.to_dict())


def _as_yaml(found: Fit) -> str:
    """Return the parameters, one per line."""
    import json

    title = f"# {found.policy.name} for {found.policy.problem.name}, fitted by restock fit (seed {found.seed})"
    return "\n".join([title, *(f"{key}: {json.dumps(value)}" for key, value in found.parameters.items()), ""])


def _print(console: Console, found: Fit) -> None:
    from restock.report.numbers import amount, decimals, interval
    from restock.report.words import demand_doubt

    policy = found.policy
    console.text(
        f"{policy.name} ({policy.information}) on {policy.problem.name}: {found.evaluations} candidates on "
        f"{found.episodes} episodes, seed {found.seed}, {found.seconds:.1f} s."
    )
    console.text()
    shown = table("mean profit", "mean", "95% interval", numbers=(1, 2))
    rows: list[tuple[str, Any]] = [("before, same episodes", found.start), ("found, same episodes", found.in_sample)]
    rows += [("found, unseen episodes", found.held_out)] if found.held_out else []
    places = decimals([found.in_sample.mean])
    for what, value in rows:
        shown.add_row(what, amount(value.mean, places), interval(value, places))
    if found.gain:
        shown.add_row("gain, unseen episodes", amount(found.gain.mean, places), interval(found.gain, places))
    console.table(shown)
    if found.identical:
        console.text(
            f"All {found.episodes} episodes are the same, so there are no intervals, and none is unseen: what was "
            "found is the best for this one episode.",
            style="yellow",
        )
    for doubt in demand_doubt([policy.problem.name] if policy.problem.fixed_demand else [], found.episodes):
        console.text(doubt, style="yellow")
    console.text(_as_yaml(found).split("\n", 1)[1].rstrip(), hanging="  ")
