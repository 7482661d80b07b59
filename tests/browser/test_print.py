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


def test_a_game_in_play_is_printed_without_its_form_and_with_what_was_opened(tab: Tab, site: Running):
    begin(tab, site, "serial")
    tab.click("[data-key=play-on]")
    tab.until("document.querySelector('#said').textContent.includes('were played')")
    tab.run("document.querySelector('#counts').open = true")
    printed(tab, "dark")
    said = tab.text()
    for part in ("Your decision", "What the fields mean", "Take it away", "The text that a model gets"):
        assert part not in said, part
    assert "What happened in period 5" in said and "What the reward counts" in said and "factory 3 0.01" in said


def test_the_page_of_a_problem_is_printed_without_what_can_be_begun_there(tab: Tab, site: Running):
    tab.open(f"{site.url}/pick/serial")
    printed(tab, "light")
    assert "Play by hand" not in tab.text() and "The nodes" in tab.text()
