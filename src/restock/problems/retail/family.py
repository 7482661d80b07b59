"""The family of stores."""

from restock.problems.manifest import Manifest

FAMILY = Manifest(
    name="retail",
    package="restock.problems.retail",
    title="Stores",
    words="Buy, price and clear goods, some of which spoil, with the cash there is.",
    noun="store",
    place=4,
    tasks={"easy": "retail-easy", "medium": "retail-medium", "hard": "retail-hard"},
    policies={
        "passive": "restock.policies.retail.passive:Passive",
        "random": "restock.policies.random_order:RandomOrder",
        "restock-to-target": "restock.policies.retail.restock_to_target:RestockToTarget",
        "price-and-cover": "restock.policies.retail.price_and_cover:PriceAndCover",
        "tuned-price-and-cover": "restock.policies.retail.price_and_cover:TunedPriceAndCover",
        "hindsight": "restock.policies.retail.hindsight:RetailHindsight",
    },
    usual=("passive", "random", "restock-to-target", "price-and-cover", "tuned-price-and-cover"),
    to_beat="tuned-price-and-cover",
    rule="restock-to-target",
    bound="hindsight",
    reader="restock.problems.retail.structured:read",
    grader="restock.problems.retail.grader",
    grade="restock.evaluation.grading:grade",
    money="profit",
)
