"""The family of plants that buy, convert and sell."""

from restock.problems.manifest import Manifest

FAMILY = Manifest(
    name="production",
    package="restock.problems.production",
    title="A plant",
    words="Buy raw material at prices that walk, and turn it into a product in time.",
    noun="plant",
    place=3,
    policies={
        "idle": "restock.policies.nothing:Idle",
        "random": "restock.policies.random_order:RandomOrder",
        "buy-buy-convert": "restock.policies.buy_buy_convert:BuyBuyConvert",
        "dynamic-program": "restock.policies.dynamic_program:DynamicProgram",
    },
    usual=("idle", "random", "buy-buy-convert", "dynamic-program"),
    to_beat="dynamic-program",
    rule="buy-buy-convert",
    exact="restock.solvers.production",
    reader="restock.problems.production.structured:read",
)
