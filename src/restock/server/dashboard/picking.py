"""The page of a problem: its words, and a form each for playing, watching and comparing, kept if it cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from restock.core.errors import InvalidInput
from restock.core.problem import Problem
from restock.policies.registry import policy_class, usual_policies, yardsticks
from restock.server.dashboard import pages
from restock.server.dashboard.bodies import Sent
from restock.server.dashboard.fields import plain
from restock.server.dashboard.room import Room
from restock.server.errors import Refused
from restock.server.needs_server import Request, Response
from restock.server.session import MOST_SEED

Value = TypeVar("Value")


class Mistakes:
    """What is wrong with a form of this page, field by field."""

    def __init__(self) -> None:
        self.told: dict[str, str] = {}

    def tried(self, field: str, read: Callable[[], Value], instead: Value) -> Value:
        """Return what a field says; note why if it cannot be used.

        Args:
            field: Its name.
            read: What reads it.
            instead: What to go on with until all fields were read.
        """
        try:
            return read()
        except InvalidInput as error:
            self.told[field] = f"{plain(field).capitalize()} {error.problem}. {error.mend}"
        except Refused as error:
            self.told[field] = str(error)
        return instead


async def page(
    request: Request,
    room: Room,
    name: str,
    form: str = "",
    sent: Sent | None = None,
    wrong: Mapping[str, str] | None = None,
) -> Response:
    """Return the page of a problem.

    Args:
        request: What it answers.
        room: Of the server.
        name: Of the problem.
        form: The form that cannot be used: `games`, `shows` or `comparisons`.
        sent: What it was filled in with.
        wrong: What is wrong with it, by field.
    """
    problem = room.hub.catalogue.loaded(name)
    family = problem.family
    policies = [(one, policy_class(one, family)) for one in await room.policies(name)]
    rival, knowing = yardsticks(family)
    usual = [one for one in dict.fromkeys((rival, *usual_policies(family))) if one != "random"][:4]
    typed = {form: sent} if sent is not None else {}
    compared = typed.get("comparisons")
    return pages.page(
        request, "pick", 422 if wrong else 200, offer=offer(problem, name), words=problem.explain(),
        seed=room.seed_for(problem), pictures=await room.opening(name, problem), policies=policies, rival=rival,
        knowing=knowing, own=room.own(pages.owner_of(request), name), most_seed=MOST_SEED, typed=typed,
        wrong={form: wrong or {}}, ticked=usual if compared is None else compared.every.get("policy", []),
        chosen=[] if compared is None else compared.every.get("own", []),
    )  # fmt: skip


def offer(problem: Problem, name: str) -> dict[str, Any]:
    """Return what the first page says about a problem."""
    said = problem.description().get("description")
    words = said if isinstance(said, str) and said else problem.explain().splitlines()[0]
    size = ", ".join(_counted(count, plain(what)) for what, count in problem.size().items() if count)
    return {"name": name, "family": problem.family, "words": words, "size": size, "periods": problem.horizon}


def _counted(count: int, what: str) -> str:
    """Return a number and its noun in the plural."""
    if count != 1:
        return f"{count} {what}"
    return f"1 {what[:-3]}f" if what.endswith("ves") else f"1 {what.removesuffix('s')}"
