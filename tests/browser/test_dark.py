"""The pages in the dark: words and charts can be read where a browser asks for dark colours."""

from __future__ import annotations

import pytest

from tests.browser.chrome import Tab
from tests.browser.test_pages import begin
from tests.server.serving import Running

LIGHT = """
const part = c => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
const light = s => { const [r, g, b] = s.match(/[\\d.]+/g).map(Number);
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b); };
const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
const clear = e => /, 0\\)$/.test(getComputedStyle(e).backgroundColor);
const under = e => { while (e && clear(e)) e = e.parentElement;
  return light(e ? getComputedStyle(e).backgroundColor : 'rgb(255, 255, 255)'); };
const seen = e => e.getClientRects().length && !e.closest('.unseen');
"""
WORDS = (
    f"(() => {{{LIGHT}"
    """return [...document.querySelectorAll('body *')].filter(e => e.children.length === 0 && e.textContent.trim()
      && seen(e) && !e.closest('svg, noscript, script')).map(e => [e.textContent.trim().slice(0, 40),
      ratio(light(getComputedStyle(e).color), under(e))]).filter(one => one[1] < 4.5); })()"""
)
# A text of a picture lies on the page or on one of its boxes; a line or bar has to stand out from the page.
DRAWN = (
    f"(() => {{{LIGHT}"
    """const wrong = [];
    for (const picture of document.querySelectorAll('svg[role=img]')) {
      const grounds = [under(picture), ...[...picture.querySelectorAll('rect[rx="5"]')].map(
        e => light(getComputedStyle(e).fill))];
      for (const text of picture.querySelectorAll('text')) for (const ground of grounds) {
        const found = ratio(light(getComputedStyle(text).fill), ground);
        if (found < 4.5) wrong.push([text.textContent, found]); }
      for (const line of picture.querySelectorAll('path[stroke-width]')) {
        if (parseFloat(line.getAttribute('stroke-width')) < 1.5) continue;
        const found = ratio(light(getComputedStyle(line).stroke), grounds[0]);
        if (found < 3) wrong.push([line.outerHTML.slice(-80), found]); }
    } return wrong; })()"""
)


def dark(tab: Tab) -> None:
    tab.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])


def read(tab: Tab) -> None:
    """Everything that is on the page can be read."""
    tab.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert tab.run(WORDS) == [], tab.run("location.href")
    assert tab.run(DRAWN) == [], tab.run("location.href")


@pytest.mark.parametrize("task", ["serial", "retail-medium", "sharing", "production", "minimal"])
@pytest.mark.parametrize("asked", ["dark", "light"])
def test_a_game_can_be_read(tab: Tab, site: Running, task: str, asked: str):
    if asked == "dark":
        dark(tab)
    begin(tab, site, task)
    tab.click("form.several button")
    tab.until("document.querySelector('#happened')")
    assert (tab.run(f"(() => {{{LIGHT} return under(document.body); }})()") < 0.05) == (asked == "dark")
    read(tab)


def test_the_other_pages_can_be_read_in_the_dark(tab: Tab, site: Running):
    dark(tab)
    for path in ("/", "/pick/divergent", "/transcripts", "/login", "/nothing"):
        tab.open(site.url + path)
        read(tab)
    begin(tab, site, "serial", "/shows")
    tab.open(tab.run("location.href") + "?turn=5")
    read(tab)
    begin(tab, site, "serial", "/comparisons")
    read(tab)
    tab.click('a[href$="/episodes"]')
    tab.until("document.querySelectorAll('.plot .trace').length >= 4")
    ink = f"(() => {{{LIGHT} const e = document.querySelector('.plot .xtick text'); "
    assert tab.run(ink + "return ratio(light(getComputedStyle(e).fill), under(document.body)); })()") >= 4.5
