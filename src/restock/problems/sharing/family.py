"""The family of locations that share stock."""

from restock.problems.manifest import Manifest

FAMILY = Manifest(
    name="sharing",
    package="restock.problems.sharing",
    title="Shared stock",
    words="Locations ship spare parts to each other before their missions need them.",
    noun="system of locations",
    place=2,
    policies={
        "nothing": "restock.policies.nothing:Nothing",
        "random": "restock.policies.random_order:RandomOrder",
        "constant-shipment": "restock.policies.constant_shipment:ConstantShipment",
        "base-stock": "restock.policies.depot_base_stock:DepotBaseStock",
        "hindsight": "restock.policies.sharing_hindsight:SharingHindsight",
    },
    usual=("nothing", "random", "constant-shipment", "base-stock"),
    to_beat="base-stock",
    rule="base-stock",
    bound="hindsight",
    reader="restock.problems.sharing.structured:read",
)
