"""The pages in a real browser: by the keyboard alone, on a phone, without scripts, and with nothing from elsewhere."""

from __future__ import annotations

import pytest

from restock.evaluation.simulate import simulate
from tests.browser.chrome import Tab
from tests.server.serving import Running

FIRST_BOX = "f0.0"


def begin(tab: Tab, site: Running, task: str, form: str = "/games", seed: str = "7") -> None:
    """Fill in one of the three forms of a problem and send it."""
    tab.open(f"{site.url}/pick/{task}")
    tab.run(f"document.querySelector('form[action=\"{form}\"] [name=seed]').value = '{seed}'")
    tab.click(f'form[action="{form}"] button')
    tab.arrived(f"{form}/")


def clean(tab: Tab, site: Running) -> None:
    """Nothing was asked of others, nothing was kept from loading, and no script failed."""
    assert [one for one in tab.asked if not one.startswith((site.url, "data:", "blob:"))] == []
    assert [one for one in tab.told if "422" not in one] == []


def test_an_episode_is_played_with_the_keyboard_alone(tab: Tab, site: Running):
    tab.open(site.url)
    tab.tab_to("serial")
    tab.press("Enter")
    tab.arrived("/pick/serial")
    tab.tab_to("seed")
    tab.run("document.activeElement.select()")
    tab.write("7")
    tab.press("Enter")
    tab.arrived("/games/")
    for t in range(30):
        tab.until(f"document.activeElement.name === '{FIRST_BOX}'")  # the focus is where one writes
        tab.write("20")
        tab.press("Tab")
        tab.write("20")
        tab.press("Tab")
        tab.write("20")
        tab.press("Enter")
        tab.until(f"document.querySelector('#said').textContent.startsWith('Period {t + 1} was played')")
    tab.until("document.querySelector('#end')")
    rival = float(simulate("serial", "base-stock", seeds=[7]).profit[0])
    assert f"base-stock reached {rival:,.0f} on the same demand" in tab.text()
    assert "your regret is" in tab.text()
    assert "The episode is over." in tab.run("document.querySelector('#said').textContent")
    tab.tab_to("See it turn by turn")
    tab.press("Enter")
    tab.arrived("/shows/")
    clean(tab, site)


def test_an_error_takes_the_focus_and_is_said(tab: Tab, site: Running):
    begin(tab, site, "serial")
    tab.until(f"document.activeElement.name === '{FIRST_BOX}'")
    tab.press("Tab")
    tab.write("abc")
    tab.press("Enter")
    tab.until("document.activeElement.getAttribute('aria-invalid') === 'true'")
    assert tab.focus() == "f0.1"
    assert "Must be a number" in tab.run(
        "document.getElementById(document.activeElement.getAttribute('aria-describedby')).innerText"
    )
    assert "Nothing was played" in tab.run("document.querySelector('#said').textContent")
    tab.run("document.activeElement.select()")
    tab.write("5")
    tab.press("Enter")
    tab.until("document.querySelector('#said').textContent.startsWith('Period 1 was played')")
    clean(tab, site)


def test_enter_plays_from_a_list_of_choices_too(tab: Tab, site: Running):
    begin(tab, site, "production")
    tab.until("document.activeElement.tagName === 'SELECT'")
    tab.press("Enter")
    tab.until("document.querySelector('#said').textContent.startsWith('Period 1 was played')")
    clean(tab, site)


def test_the_focus_can_be_seen_wherever_it_is(tab: Tab, site: Running):
    begin(tab, site, "serial")
    tab.run("document.activeElement.blur()")
    seen = set()
    for _ in range(30):
        tab.press("Tab")
        width = tab.run("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        assert tab.run("document.activeElement === document.body") or width >= 2, tab.focus()
        seen.add(tab.focus())
    assert {"restock", "Problems", FIRST_BOX, "Play period 1", "What the fields mean"} <= seen


def test_everything_has_a_name(tab: Tab, site: Running):
    begin(tab, site, "retail-easy", seed="100")
    nameless = """[...document.querySelectorAll('input:not([type=hidden]), select, button, a')]
        .filter(e => !(e.getAttribute('aria-label') || (e.labels && e.labels.length) || e.textContent.trim()))
        .map(e => e.outerHTML)"""
    assert tab.run(nameless) == []
    for path in ("/", "/pick/serial", "/transcripts", "/login"):
        tab.open(site.url + path)
        assert tab.run(nameless) == []
        assert tab.run("document.querySelectorAll('h1').length") == 1


def test_a_policy_is_watched_with_keys_and_plays_by_itself(tab: Tab, site: Running):
    tab.open(f"{site.url}/pick/serial")
    begin(tab, site, "serial", "/shows")
    at = "document.querySelector('.at').textContent"
    assert tab.run(at).startswith("0 of")
    tab.press("ArrowRight")
    tab.until(f"{at}.startsWith('1 of')")
    tab.press("ArrowRight")
    tab.until(f"{at}.startsWith('2 of')")
    assert tab.run("location.search") == "?turn=2"
    tab.press("ArrowLeft")
    tab.until(f"{at}.startsWith('1 of')")
    tab.tab_to("play")
    tab.press("Enter")
    tab.until(f"{at}.startsWith('2 of')")
    assert tab.focus() == "play"
    tab.until(f"{at}.startsWith('3 of')")
    tab.press("Escape")
    assert tab.run("document.querySelector('#play').textContent") == "Play"
    clean(tab, site)


def test_a_transcript_is_watched(tab: Tab, site: Running):
    tab.open(f"{site.url}/transcripts")
    tab.click("form:not([enctype]) button")
    tab.arrived("/shows/")
    tab.click("a[rel=next]")
    tab.until("document.querySelector('.at').textContent.startsWith('1 of')")
    assert "What the model wrote" in tab.text()
    clean(tab, site)


def test_it_plays_without_scripts(tab: Tab, site: Running):
    tab.do("Emulation.setScriptExecutionDisabled", value=True)
    tab.open(f"{site.url}/pick/minimal")
    tab.tab_to("seed")
    tab.press("Enter")
    tab.arrived("/games/")
    tab.tab_to("f0")
    tab.write("2")
    tab.press("Enter")
    tab.until("document.querySelector('#happened')")
    assert "What happened in period 1" in tab.text()
    tab.tab_to("f0")
    tab.write("9")
    tab.press("Enter")
    tab.until("document.querySelector('[aria-invalid]')")
    assert "The largest order is 5" in tab.text()


@pytest.mark.parametrize("task", ["serial", "sharing", "production", "minimal", "retail-medium", "divergent"])
def test_a_game_fits_a_phone(phone: Tab, site: Running, task: str):
    begin(phone, site, task)
    fits(phone)
    phone.click("form.decide button")
    phone.until("document.querySelector('#happened')")
    fits(phone)
    phone.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    fits(phone)
    clean(phone, site)


def test_the_other_pages_fit_a_phone(phone: Tab, site: Running):
    for path in ("/", "/pick/divergent", "/transcripts", "/login", "/nothing"):
        phone.open(site.url + path)
        phone.run("document.querySelectorAll('details').forEach(one => one.open = true)")
        fits(phone)
    begin(phone, site, "serial", "/shows")
    fits(phone)
    phone.click("a[rel=next]")
    phone.until("document.querySelector('.at').textContent.startsWith('1 of')")
    fits(phone)
    begin(phone, site, "serial", "/comparisons")
    fits(phone)


def fits(tab: Tab) -> None:
    """The page is no wider than the screen."""
    assert tab.run("document.documentElement.scrollWidth") <= 390, tab.run("location.href")


def test_every_episode_is_drawn_with_plotly_from_the_server(tab: Tab, site: Running):
    begin(tab, site, "serial", "/comparisons")
    assert "earned most" in tab.text()
    tab.click('a[href$="/episodes"]')
    tab.until("document.querySelectorAll('.plot .trace').length >= 4")
    clean(tab, site)


def test_words_can_be_read(tab: Tab, site: Running):
    """Contrast of text to white is 4.5 or more (WCAG AA), for every colour that text has on these pages."""
    begin(tab, site, "retail-easy", seed="100")
    tab.click("form.decide button")
    tab.until("document.querySelector('#happened')")
    light = """[...document.querySelectorAll('main *, header *')].filter(e => e.children.length === 0
        && e.textContent.trim() && e.getClientRects().length && !e.closest('svg')).map(e => {
        const part = c => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
        const light = s => { const [r, g, b] = s.match(/[\\d.]+/g).map(Number);
            return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b); };
        const clear = e => /, 0\\)$/.test(getComputedStyle(e).backgroundColor);
        let under = e; while (under && clear(under)) under = under.parentElement;
        const paper = under ? light(getComputedStyle(under).backgroundColor) : 1;
        const ink = light(getComputedStyle(e).color);
        const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
        return ratio < 4.5 ? e.textContent.trim() + ' ' + ratio.toFixed(2) : ''; }).filter(one => one)"""
    assert tab.run(light) == []


def test_the_chart_of_the_leaderboard_can_be_read_on_a_phone(phone: Tab, site: Running):
    phone.open(f"{site.url}/leaderboard")
    fits(phone)
    sizes = phone.run("[...document.querySelectorAll('.curve text')].map(e => e.getBoundingClientRect().height)")
    assert sizes and min(sizes) >= 9
    assert phone.run("document.querySelector('.curve .scroll').tabIndex") == 0


def test_the_verdict_of_a_comparison_is_seen_on_a_laptop(tab: Tab, site: Running):
    tab.size(1000, 800)
    begin(tab, site, "divergent", "/comparisons")
    over = "(e => e.scrollWidth - e.clientWidth)(document.querySelector('table').closest('.scroll'))"
    assert tab.run(over) <= 0
    assert "blind" in tab.run("document.querySelector('tr.best th').innerText")
