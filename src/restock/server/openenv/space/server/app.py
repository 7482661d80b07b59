"""`app`, for `uvicorn server.app:app`, and `main`, for the command line."""

from typing import Any

from restock.server.openenv.server import app as served


def __getattr__(name: str) -> Any:
    """Make the application when it is first asked for."""
    return getattr(served, name)


def main() -> None:
    """Serve at the address of the command line."""
    served.main()


if __name__ == "__main__":
    main()
