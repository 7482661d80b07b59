"""The family of supply networks."""

from restock.problems.manifest import Manifest

FAMILY = Manifest(
    name="network",
    package="restock.problems.network",
    title="Supply networks",
    words="Order along the links so that the markets are served, and money is not tied up.",
    noun="network",
    place=1,
    also={"restock/Divergent-v0": {"instance": "divergent"}, "restock/Serial-v0": {"instance": "serial"}},
    policies={
        "random": "restock.policies.random_order:RandomOrder",
        "constant-order": "restock.policies.constant_order:ConstantOrder",
        "newsvendor": "restock.policies.newsvendor:Newsvendor",
        "base-stock": "restock.policies.base_stock:BaseStock",
        "echelon-base-stock": "restock.policies.echelon_base_stock:EchelonBaseStock",
        "capped-base-stock": "restock.policies.capped_base_stock:CappedBaseStock",
        "s-S": "restock.policies.s_s:ReorderPointLevel",
        "r-Q": "restock.policies.r_q:ReorderPointQuantity",
        "R-S": "restock.policies.periodic_review:PeriodicReview",
        "published-newsvendor": "restock.policies.published.newsvendor:PublishedNewsvendor",
        "published-s-S": "restock.policies.published.s_s:PublishedReorderPoint",
        "published-exponential-smoothing": (
            "restock.policies.published.exponential_smoothing:PublishedExponentialSmoothing"
        ),
        "published-echelon": "restock.policies.published.echelon_approximation:PublishedEchelon",
        "holt-base-stock": "restock.policies.holt_base_stock:HoltBaseStock",
        "published-dlp": "restock.policies.published.look_ahead:PublishedDLP",
        "published-mssp": "restock.policies.published.look_ahead:PublishedMSSP",
        "rolling": "restock.policies.rolling:Rolling",
        "stochastic": "restock.policies.stochastic:Stochastic",
        "optimal": "restock.policies.optimal:Optimal",
        "hindsight": "restock.policies.hindsight:Hindsight",
    },
    usual=("random", "constant-order", "newsvendor", "base-stock", "echelon-base-stock", "s-S"),
    to_beat="base-stock",
    rule="base-stock",
    bound="hindsight",
    learning="restock.learning.network_family:NetworkLearning",
    reader="restock.problems.network.structured:read",
)
