"""The family of single shelves."""

from restock.problems.manifest import Manifest

FAMILY = Manifest(
    name="minimal",
    package="restock.problems.minimal",
    title="One shelf",
    words="One item and orders that slip: small enough to be solved exactly.",
    noun="shelf",
    place=5,
    policies={
        "nothing": "restock.policies.nothing:Nothing",
        "random": "restock.policies.random_order:RandomOrder",
        "dynamic-program": "restock.policies.dynamic_program:DynamicProgram",
    },
    usual=("nothing", "random", "dynamic-program"),
    to_beat="dynamic-program",
    rule="dynamic-program",
    exact="restock.solvers.minimal",
    reader="restock.problems.minimal.structured:read",
)
