"""`app`, for `openenv serve` and for `uvicorn restock.server.openenv.server.app:app`; `main` for the command line."""

from __future__ import annotations

import os
from typing import Any

from restock.server.run import named_by_variables, token_of_environment
from restock.server.settings import Settings


def settings() -> Settings:
    """Return the settings from the variables RESTOCK_TASK, RESTOCK_REWARD, RESTOCK_TOKEN and RESTOCK_MAX_SESSIONS.

    Raises:
        InvalidInput: Something of that does not hold; the variable is named.
    """
    from restock.core.errors import InvalidInput
    from restock.problems.load import load_problem
    from restock.server.catalogue import Catalogue

    asked = os.environ
    most = asked.get("RESTOCK_MAX_SESSIONS", "64")
    if not most.isdigit():
        raise InvalidInput("RESTOCK_MAX_SESSIONS", most, "must be an integer", "Write for instance 64.")
    task, reward = asked.get("RESTOCK_TASK", "medium"), asked.get("RESTOCK_REWARD", "decomposed")
    with named_by_variables(instance="RESTOCK_TASK", reward="RESTOCK_REWARD", max_sessions="RESTOCK_MAX_SESSIONS"):
        problem = task if Catalogue.known(task) else load_problem(task)
        return Settings(problem, reward, token_of_environment(None), int(most))


def __getattr__(name: str) -> Any:
    """Make the application when it is first asked for."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from restock.server.app import create_app

    globals()["app"] = create_app(settings())
    return globals()["app"]


def main() -> None:
    """Serve with the settings of the environment, at the address of the command line."""
    import argparse

    from restock.server.run import hosts_of_environment, run

    parser = argparse.ArgumentParser(description="Serve restock to agents; `restock serve` has more to set.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    given = parser.parse_args()
    run(
        settings(), given.host, given.port, lambda host, port, task: print(f"Serving {task} at http://{host}:{port}."),
        hosts_of_environment(None),
    )  # fmt: skip


if __name__ == "__main__":
    main()
