"""One server for all tests that only play on it, and browsers at the pages of a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.browsing import Browser
from tests.server.serving import Running, serving


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def pages(runs: Path) -> Iterator[Running]:
    """A server with the folder of runs that a module makes."""
    with serving(problem="serial", runs=runs) as running:
        yield running


@pytest.fixture
def browser(pages: Running) -> Browser:
    return Browser(pages)


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Close the browsers that a test has opened."""
    yield
    while Browser.opened:
        Browser.opened.pop().client.close()
