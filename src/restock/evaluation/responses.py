"""The response of an order to one unit more: on hand, or at each position of the pipeline.

In the states that were visited in a period, one unit (a tenth of the mean order, where that is more) is
added at one place, and the policy asked again. A base-stock policy orders one unit less wherever the
unit is. Where sales are lost, the optimum answers to a unit that was just ordered more than to one that
arrives today, and to that more than to one on hand, and never by more than one (Zipkin 2008, On the
structure of lost-sales inventory models, Operations Research 56).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from restock.core.problem import Array
from restock.evaluation.order_maps import Ground, Place
from restock.evaluation.stats import Estimate, estimate
from restock.evaluation.views import Seen
from restock.policies._base import Policy


@dataclasses.dataclass(frozen=True)
class Response:
    """The response of the order on a link to one unit more.

    Attributes:
        link: Its name (`2->1`).
        period: In which the policies were asked.
        unit: How much was added (units).
        places: Periods until the unit is there: -1 on hand, 0 today, .., L - 1, shape (L + 1,).
        change: By policy, change of the order for each unit added at each place, over the visited states.
    """

    link: str
    period: int
    unit: float
    places: tuple[int, ...]
    change: Mapping[str, tuple[Estimate, ...]]


def response(ground: Ground, policies: Mapping[str, Policy], link: int, period: int) -> Response | None:
    """Return the responses of policies in a period; None if the pipeline is not filled yet, or there is none."""
    place = Place(ground, link)
    if not 0 < place.lead <= period:
        return None
    count = len(ground.orders)
    rows = np.tile(np.arange(count), place.lead + 2)
    unit = max(1.0, float(np.rint(0.1 * ground.orders[:, period, link].mean())))
    changes: dict[str, tuple[Estimate, ...]] = {}
    for name, policy in policies.items():
        seen = ground.seen.rows(rows)
        if policy.information == "blind":
            seen = Seen(seen.fields, None)
        policy.begin(len(rows), ground.seed, None)
        for t in range(period):
            policy.act(seen.view(t, writable=True))
        view = seen.view(period, writable=True)
        for k in range(place.lead + 1):
            place.add(view, slice((k + 1) * count, (k + 2) * count), k - 1, unit)
        answers: Array = np.maximum(np.asarray(policy.act(view), dtype=np.float64)[:, place.link], 0.0)
        answers = answers.reshape(place.lead + 2, count)
        changes[name] = tuple(estimate((one - answers[0]) / unit) for one in answers[1:])
    return Response(ground.problem.labels()["ordered"][link], period, unit, tuple(range(-1, place.lead)), changes)
