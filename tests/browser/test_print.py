"""The pages on paper: dark on white whatever the browser asks for, nothing cut off, nothing to press."""

from __future__ import annotations

import pytest

from tests.browser.chrome import Tab
from tests.browser.test_dark import DRAWN, LIGHT, WORDS
from tests.browser.test_pages import begin
from tests.server.serving import Running

PAPER = 680  # pixels that A4 has between its margins
PRESSED = (
    "[...document.querySelectorAll('button, .button, input, select, .top')].filter(e => e.getClientRects().length)"
)


def printed(tab: Tab, asked: str) -> None:
    """What is open is printed, and can be read on white paper."""
    tab.size(PAPER, 960)
    tab.do("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": asked}])
    assert tab.run(f"(() => {{{LIGHT} return under(document.body); }})()") > 0.95
    assert tab.run(WORDS) == []
    assert tab.run(DRAWN) == []
    over = f"[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > {PAPER} + 1)"
    assert tab.run(f"{over}.map(e => e.outerHTML.slice(0, 80))") == []
    assert tab.run(f"{PRESSED}.map(e => e.outerHTML.slice(0, 80))") == []


@pytest.mark.parametrize("asked", ["dark", "light"])
def test_a_comparison_is_printed_whole(tab: Tab, site: Running, asked: str):
    begin(tab, site, "serial", "/comparisons")
    printed(tab, asked)
    assert "restock compare serial" in tab.text()


def test_a_turn_and_the_end_of_a_game_are_printed_whole(tab: Tab, site: Running):
    begin(tab, site, "divergent", "/shows")
    tab.open(tab.run("location.href") + "?turn=12")
    printed(tab, "dark")
    tab.do("Emulation.setEmulatedMedia", media="", features=[])
    begin(tab, site, "retail-medium")
    tab.run("document.querySelector('form.several [name=periods]').value = '30'")
    tab.click("form.several button")
    tab.until("document.querySelector('#end')")
    printed(tab, "dark")
