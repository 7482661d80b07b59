"""Language models as agents: they read a problem in words, decide in JSON, and are compared with policies.

`Seat`, `system_prompt`, `turn`, `parse`, `again` and `went_wrong` are the blocks that `run_agent` is built of, for an
evaluation loop of one's own. Each is imported at its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from restock.agents.prompt import again, system_prompt, turn, went_wrong
    from restock.agents.protocol import parse
    from restock.agents.run import run_agent
    from restock.agents.seat import Seat

_HOMES = {
    "Seat": "seat",
    "again": "prompt",
    "parse": "protocol",
    "run_agent": "run",
    "system_prompt": "prompt",
    "turn": "prompt",
    "went_wrong": "prompt",
}

__all__ = ["Seat", "again", "parse", "run_agent", "system_prompt", "turn", "went_wrong"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
