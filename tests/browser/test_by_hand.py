"""Playing by hand in a real browser: nothing jumps on a phone, the focus stays, help is reached without a mouse."""

from __future__ import annotations

import pytest

from tests.browser.chrome import Tab
from tests.browser.test_pages import FIRST_BOX, begin, clean, fits
from tests.server.serving import Running

SCREEN = 844
BUTTON = "document.querySelector('[data-key=play-one]')"
PLACE = f"(r => [r.top, r.bottom])({BUTTON}.getBoundingClientRect())"
SAID = "document.querySelector('#said').textContent"


def field_of(task: str) -> str:
    """The name of the first field of a form."""
    return "f0" if task in ("production", "minimal") else FIRST_BOX


@pytest.mark.parametrize("task", ["serial", "retail-medium", "divergent", "sharing", "production", "minimal"])
def test_thirty_periods_on_a_phone_move_nothing(phone: Tab, site: Running, task: str):
    begin(phone, site, task)
    assert phone.run(f'document.getElementsByName("{field_of(task)}")[0].getBoundingClientRect().bottom') < SCREEN
    first = "document.querySelector('.facts, .sight, .panels, .network').getBoundingClientRect().top"
    assert phone.run(f"{first} > document.querySelector('form.decide').getBoundingClientRect().bottom")
    phone.run("document.querySelector('form.decide').scrollIntoView()")
    at, (top, _) = phone.run("scrollY"), phone.run(PLACE)
    for t in range(30):
        phone.tap("[data-key=play-one]")
        phone.until(f"{SAID}.startsWith('Period {t + 1} was played')")
        if phone.run(f"!{BUTTON}"):
            break
        now, (high, low) = phone.run("scrollY"), phone.run(PLACE)
        assert abs(now - at) < 4, f"period {t + 1} scrolled the page from {at} to {now}"
        assert high >= 0 and low <= SCREEN, f"after period {t + 1} the button stands at {high:.0f} to {low:.0f}"
        assert abs(high - top) < 4, f"after period {t + 1} the button moved from {top:.0f} to {high:.0f}"
        fits(phone)
    clean(phone, site)


def test_the_focus_stays_on_a_button_and_what_was_opened_stays_open(tab: Tab, site: Running):
    begin(tab, site, "serial")
    tab.tab_to("What these mean")
    tab.press("Enter")
    tab.until("document.activeElement.parentElement.open")
    assert "inventory position" in tab.run("document.activeElement.parentElement.innerText")
    tab.run(f"{BUTTON}.focus()")
    for t in range(3):
        tab.press("Enter")
        tab.until(f"{SAID}.startsWith('Period {t + 1} was played')")
        tab.until("document.activeElement.dataset.key === 'play-one'")
    assert tab.run("document.querySelectorAll('details[open]').length") == 1
    clean(tab, site)


def test_the_policy_fills_in_and_plays_on_with_the_keyboard(tab: Tab, site: Running):
    begin(tab, site, "serial")
    tab.tab_to("Fill in as base-stock")
    tab.press("Enter")
    tab.until(f"{SAID}.startsWith('Filled in')")
    tab.until(f"document.querySelector('[name=\"{FIRST_BOX}\"]').value !== ''")
    tab.tab_to("Play period 1")
    tab.press("Enter")
    tab.until(f"{SAID}.startsWith('Period 1 was played')")
    tab.tab_to("periods")
    tab.run("document.activeElement.select()")
    tab.write("4")
    tab.press("Enter")
    tab.until(f"{SAID}.startsWith('Periods 2 to 5 were played')")
    assert tab.focus() == "periods"
    clean(tab, site)


def test_the_policy_fills_in_and_plays_on_without_scripts(tab: Tab, site: Running):
    tab.do("Emulation.setScriptExecutionDisabled", value=True)
    tab.open(f"{site.url}/pick/minimal")
    tab.tab_to("seed")
    tab.press("Enter")
    tab.arrived("/games/")
    tab.tab_to("Fill in as dynamic-program")
    tab.press("Enter")
    tab.until("document.querySelector('[name=f0]') && document.querySelector('[name=f0]').value !== ''")
    tab.tab_to("periods")
    tab.press("Enter")
    tab.until("document.querySelector('#happened')")
    assert "What happened in period 5" in tab.text()


def test_the_skip_link_leads_to_the_content(tab: Tab, site: Running):
    tab.open(f"{site.url}/pick/serial")
    tab.run("document.activeElement.blur()")
    tab.press("Tab")
    assert tab.focus() == "To the content"
    tab.press("Enter")
    tab.until("document.activeElement.id === 'content'")


def test_the_focus_begins_at_the_first_field_that_is_seen(tab: Tab, site: Running):
    begin(tab, site, "retail-medium")
    first = "document.querySelector('form.decide input:not([type=hidden])')"
    assert tab.run(f"document.activeElement === {first}"), tab.focus()
    tab.press("Enter")
    tab.until(f"{SAID}.startsWith('Period 1 was played')")
    tab.until(f"document.activeElement === {first}")


def test_what_a_policy_fills_in_can_be_read_on_a_phone(phone: Tab, site: Running):
    begin(phone, site, "retail-medium")
    phone.click("[data-key=fill]")
    phone.until(f"{SAID}.startsWith('Filled in')")
    wide = (
        "[...document.querySelectorAll('.fill input')].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.value)"
    )
    assert phone.run(wide) == []
    assert phone.run("document.querySelector('.fill').getBoundingClientRect().right") <= 390


def test_what_arrives_when_is_seen_on_a_phone_without_moving_the_table(phone: Tab, site: Running):
    begin(phone, site, "serial")
    phone.click("form.several button")
    phone.until(f"{SAID}.startsWith('Periods 1 to 5 were')")
    over = "e.getBoundingClientRect().right - e.closest('.scroll').getBoundingClientRect().right"
    ends = phone.run(f"[...document.querySelectorAll('td.series')].map(e => {over})")
    assert ends and max(ends) < 1


def test_every_mistake_is_marked_and_the_form_keeps_what_was_typed(phone: Tab, site: Running):
    begin(phone, site, "retail-medium")
    for name, value in (("f0.0", "90"), ("f2.1", "999"), ("f3.2", "9")):
        phone.run(f"document.getElementsByName('{name}')[0].value = '{value}'")
    phone.tap("[data-key=play-one]")
    phone.until(f"{SAID}.startsWith('Nothing was played')")
    marked = phone.run("[...document.querySelectorAll('[aria-invalid]')].map(e => [e.name, e.value])")
    assert marked == [["f0.0", "90"], ["f2.1", "999"], ["f3.2", "9"]]
    assert phone.run("document.activeElement.name") == "f0.0"
    fits(phone)


def test_a_game_is_played_to_the_end_with_one_button(tab: Tab, site: Running):
    begin(tab, site, "serial")
    tab.tab_to("to_end")
    tab.press("Enter")
    tab.until("document.querySelector('#end')")
    assert "Periods 1 to 30 were played" in tab.run(SAID)


def test_a_comparison_with_a_wrong_number_is_mended_where_it_was_filled_in(phone: Tab, site: Running):
    phone.open(f"{site.url}/pick/serial")
    form = "document.querySelector('form[action=\"/comparisons\"]')"
    phone.run(f"{form}.episodes.value = '5000'")
    phone.click('form[action="/comparisons"] button')
    phone.until("document.querySelector('[aria-invalid]')")
    assert phone.run(f"{form}.episodes.value") == "5000" and phone.run("document.activeElement.name") == "episodes"
    fits(phone)
    phone.run(f"{form}.episodes.value = '5'")
    phone.click('form[action="/comparisons"] button')
    phone.arrived("/comparisons/")
    phone.until("document.querySelector('#meanings')")
    fits(phone)
