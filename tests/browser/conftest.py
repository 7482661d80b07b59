"""One browser and one server for all tests that look at pages."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from restock.agents.run import run_agent
from tests.browser.chrome import NAMES, Chrome, Tab, found, running
from tests.server.serving import Running, serving


@pytest.fixture(scope="session")
def chrome() -> Iterator[Chrome]:
    place = found()
    if place is None:
        reason = f"no Chromium on this machine (looked for {', '.join(NAMES)}): the pages were not tried in a browser"
        warnings.warn(reason, stacklevel=1)  # so that the summary says it too
        pytest.skip(reason)
    with running(place) as browser:
        yield browser


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    runs: Path = tmp_path_factory.mktemp("runs")
    run_agent("serial", "stand-in:base-stock", seed=7, out=runs / "agent-serial.jsonl")
    with serving(problem="serial", runs=runs) as server:
        yield server


@pytest.fixture
def tab(chrome: Chrome) -> Iterator[Tab]:
    page = chrome.tab()
    yield page
    page.do("Page.close")


@pytest.fixture
def phone(chrome: Chrome) -> Iterator[Tab]:
    page = chrome.tab(390, 844, phone=True)
    yield page
    page.do("Page.close")
