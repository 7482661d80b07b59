"""What training can do with a supply network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from restock.core.errors import InvalidInput
from restock.core.problem import Array, Problem
from restock.demand.series import SeriesSource
from restock.learning.family import Learning

if TYPE_CHECKING:
    from restock.learning import config, rows
    from restock.learning.preparation import Forms, Preparation
    from restock.policies._base import Information


class NetworkLearning(Learning):
    """Training for a supply network: through its tensors, for its demand or for regimes of it; see `Learning`."""

    algorithm: ClassVar[str] = "pathwise"
    tensors: ClassVar[bool] = True
    information: ClassVar[Information] = "informed"
    general: ClassVar[tuple[str, ...]] = ("default", "restock/Network-v0")

    @property
    def entry(self) -> str:
        """The name under which presets list the network, each its own."""
        return f"restock/{self.problem.name.capitalize()}-v0"

    def data(self) -> dict[str, Any]:
        """Return all of the network, its distribution and its series included."""
        data: dict[str, Any] = self.problem.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
        demand = self.problem.spec.demand
        if demand.distribution is not None:
            data["demand"]["distribution"] = {"name": demand.distribution.name, **demand.distribution.model_dump()}
        if isinstance(demand.series, SeriesSource):
            data["demand"]["series"] = demand.series.read().tolist()
        return data

    def trainable(self) -> Problem:
        """See `paths.trainable`."""
        from restock.learning.paths import trainable

        return trainable(self.problem)

    def ground(self, regimes: config.Regimes | None) -> Problem:
        """Return the network with demand that can be drawn; for a generalist with goodwill."""
        from restock.learning.regimes import general

        return self.trainable() if regimes is None else general(self.problem)

    def judged(self, ground: Problem, regimes: config.Regimes | None) -> list[Problem]:
        """Return the networks of a generalist, or the ground."""
        from restock.learning.regimes import chance_of

        return [ground] if regimes is None else list(chance_of(self.problem, regimes)[1])

    def met(self, regimes: config.Regimes | None) -> list[Any] | None:
        """Return the combinations of effects that a generalist meets; see `Learning.met`."""
        from restock.learning.regimes import combinations

        if regimes is None:
            return None
        if regimes.kind == "effects":
            return combinations(self.problem)
        what = "these algorithms are trained for combinations of effects"
        mend = "Use pathwise for a broad family, or --generalist effects."
        raise InvalidInput("regimes.kind", regimes.kind, what, mend)

    def curves(self, regimes: config.Regimes | None) -> tuple[Array, Array]:
        """See `regimes.curves_of`."""
        from restock.learning.regimes import curves_of

        return curves_of(self.problem, regimes)

    def worth(self) -> float:
        """Return the demand of an episode, so that problems with more of it do not count for more."""
        return max(float(self.problem.demand.mean.sum()), 1e-9)

    def forms(self, chosen: Preparation, information: Information) -> Forms:
        """See `Learning.forms`."""
        from restock.learning.network_forms import NetworkForms

        return NetworkForms(self.problem, chosen, information)

    def rows(self, num_envs: int, forms: Any, several: Sequence[Any] | None) -> rows.Rows:
        """See `Learning.rows`."""
        from restock.learning.network_rows import NetworkRows

        return NetworkRows(self.problem, num_envs, forms, several)

    def check_same(self, problem: Any) -> None:
        """Check that the lead times are the same; see `Learning.check_same`."""
        ours, theirs = (one.fixed.links.lead_time for one in (self.problem, problem))
        if list(ours) != list(theirs):
            raise InvalidInput("problem", problem.name, "its lead times are not those trained for", "Train for it.")
