"""Watching, runs, leaderboard and sessions in a real browser: by the keyboard, on a phone, without scripts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from restock.agents.run import run_agent
from tests.browser.chrome import Tab
from tests.browser.test_pages import begin, clean, fits
from tests.cli.running import run
from tests.server.serving import Running, serving

AT = "document.querySelector('.at').textContent"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    runs: Path = tmp_path_factory.mktemp("runs")
    run_agent("serial", "stand-in:malformed", seed=7, out=runs / "agent-malformed.jsonl")
    run("train", "serial", "--steps", "20", "--set", "held_out=8", "--out", str(runs / "trained"), "-q")
    run("bench", "--suite", "smoke", "-p", "base-stock", "-j", "1", "--out", str(runs / "smoke"), "-q")
    with serving(problem="serial", runs=runs) as server:
        yield server


def watch(tab: Tab, site: Running) -> None:
    """Watch the transcript of the folder."""
    tab.open(f"{site.url}/transcripts")
    tab.click("form:not([enctype]) button")
    tab.arrived("/shows/")


def test_the_worst_turn_and_the_faults_are_reached_by_the_keyboard(tab: Tab, site: Running):
    watch(tab, site)
    worst = tab.run("[...document.querySelectorAll('.jumps a')][0].textContent.trim()")
    tab.tab_to(worst)
    tab.press("Enter")
    tab.until(f"{AT}.startsWith('{worst.partition(': ')[2]} of')")
    assert "This is the worst turn" in tab.text()
    tab.tab_to("Fault before")
    tab.press("Enter")
    tab.until(f"{AT}.startsWith('{int(worst.partition(': ')[2]) - 1} of')")
    assert tab.focus() == "Fault before"
    assert "It could not be used" in tab.text()
    clean(tab, site)


def test_the_sessions_look_again_and_leave_the_focus(tab: Tab, site: Running):
    tab.open(f"{site.url}/live")
    tab.tab_to("look again")
    before = len(site.hub.sessions)
    site.ask("POST", "/sessions", {"task": "minimal"})
    tab.until(f"document.querySelectorAll('#sessions th').length > {before}")
    assert tab.focus() == "look again"
    clean(tab, site)


def test_what_looks_again_is_not_said_aloud(tab: Tab, site: Running):
    tab.open(f"{site.url}/live")
    count = len(tab.asked)
    end = time.monotonic() + 10.0
    while not any("part=rows" in one for one in tab.asked[count:]):
        assert time.monotonic() < end
        tab.run("1")
        time.sleep(0.1)
    assert tab.run("document.querySelector('#said').textContent") == ""


@pytest.mark.parametrize("path", ["/runs", "/runs/trained", "/leaderboard", "/leaderboard?run=smoke", "/live"])
def test_the_pages_of_the_folder_fit_a_phone(phone: Tab, site: Running, path: str):
    phone.open(site.url + path)
    fits(phone)
    phone.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    fits(phone)
    assert phone.run("document.querySelectorAll('h1').length") == 1
    clean(phone, site)


def test_a_turn_with_all_its_tries_fits_a_phone(phone: Tab, site: Running):
    watch(phone, site)
    phone.open(phone.run("location.href") + "?turn=3")
    phone.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    fits(phone)
    begin(phone, site, "serial", "/comparisons")
    fits(phone)
    phone.open(phone.run("document.querySelector('a.link').href"))
    fits(phone)


def test_a_link_is_followed_without_scripts(tab: Tab, site: Running):
    begin(tab, site, "serial", "/shows")
    address = tab.run("document.querySelector('a.link').href")
    tab.do("Emulation.setScriptExecutionDisabled", value=True)
    tab.open(address)
    tab.tab_to("Show it")
    tab.press("Enter")
    tab.arrived("/shows/")
    tab.tab_to("Forward")
    tab.press("Enter")
    tab.arrived("?turn=1")
    assert "What it saw in period 1" in tab.text()


def test_no_script_of_a_report_runs(tab: Tab, site: Running):
    report = site.hub.settings.runs / "trained" / "report.html"
    kept = report.read_text()
    report.write_text("<title>as written</title><p id=x>quiet</p><script>x.textContent = 'loud'</script>")
    try:
        tab.open(f"{site.url}/runs/trained/report")
        assert tab.run("document.querySelector('#x').textContent") == "quiet"
    finally:
        report.write_text(kept)
