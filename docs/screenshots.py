"""Takes the pictures of the pages that docs/how-to/play.md shows: `python docs/screenshots.py` (needs Chromium)."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from PIL import Image  # noqa: E402

from restock.agents.modes import Mode  # noqa: E402
from restock.agents.play import Settings as Playing  # noqa: E402
from restock.agents.run import run_agent  # noqa: E402
from restock.learning.evaluation import evaluate  # noqa: E402
from restock.learning.train import train  # noqa: E402
from restock.server.run import in_background  # noqa: E402
from restock.server.settings import Settings  # noqa: E402
from tests.browser.chrome import Tab, found, running  # noqa: E402

SCREENS = ROOT / "docs" / "_static" / "screens"
WIDTH, PHONE, TALL = 1000, 390, 1500
MOST = 120_000  # bytes of a picture
SEED = 7
FILL = "document.querySelectorAll('.fill input').forEach((e, i) => { e.value = [%s][i] ?? ''; })"


def main() -> int:
    """Take all pictures; 1 if there is no browser."""
    place = found()
    if place is None:
        print("There is no Chromium on this machine.", file=sys.stderr)
        return 1
    SCREENS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running(place) as browser:
        runs = Path(folder) / "runs"
        asks = Playing(Mode("tool", ("base-stock",), calls=1), price_in=0.15, price_out=0.6)
        run_agent("serial", "stand-in:follower", seed=SEED, settings=asks, out=runs / "agent-serial.jsonl")
        train("serial", steps=600, out=runs / "serial-pathwise-0", evaluate_every=60)
        evaluate(runs / "serial-pathwise-0", 100)
        with in_background(Settings(problem="divergent", runs=runs)) as server:
            tab = browser.tab(WIDTH, 700)
            for name, go in PICTURES.items():
                _ask_for(tab, "light")
                go(tab, server.url)
                _take(tab, name)
            _ask_for(tab, "light")
            small = browser.tab(PHONE, 2 * TALL, phone=True)  # so tall that nothing keeps to its foot
            _playing(small, server.url)
            _take(small, "phone")
        with in_background(Settings(problem="divergent", token="a word")) as server:
            tab.open(server.url)
            _take(tab, "login")
    return 0


def _begin(tab: Tab, url: str, task: str, form: str, policy: str | None = None) -> None:
    """Send one of the forms of a problem."""
    tab.open(f"{url}/pick/{task}")
    tab.run(f"document.querySelector('form[action=\"{form}\"] [name=seed]').value = '{SEED}'")
    if policy is not None:
        tab.run(f"document.querySelector('form[action=\"{form}\"] [name=policy]').value = '{policy}'")
    tab.click(f'form[action="{form}"] button')
    tab.until(f"location.pathname.startsWith('{form}/')")
    tab.settled()


def _play(tab: Tab, numbers: str, periods: int) -> None:
    """Play some periods, all with the same numbers."""
    for t in range(periods):
        tab.run(FILL % numbers)
        tab.click("form.decide button")
        tab.until(f"document.querySelector('#said').textContent.startsWith('Period {t + 1} was')")


def _home(tab: Tab, url: str) -> None:
    tab.open(url)


def _pick(tab: Tab, url: str) -> None:
    tab.open(f"{url}/pick/divergent")
    tab.run(f"document.querySelectorAll('[name=seed]').forEach(e => e.value = '{SEED}')")
    tab.until("document.querySelector('#example')")


def _dark(tab: Tab, url: str) -> None:
    _ask_for(tab, "dark")
    _begin(tab, url, "divergent", "/games")
    tab.run("document.querySelector('form.several [name=periods]').value = '12'")
    tab.click("form.several button")
    tab.until("document.querySelector('#said').textContent.startsWith('Periods 1 to 12 were')")
    tab.run("document.activeElement.blur()")


def _ask_for(tab: Tab, colours: str) -> None:
    """Ask for light or dark colours."""
    tab.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": colours}])


def _playing(tab: Tab, url: str) -> None:
    _begin(tab, url, "retail-medium", "/games")
    _play(tab, "2, 0, '', 8, 0, '', 20, 0, 0.9, 1, 0, '', 0, 0, 1.1", 3)
    tab.run("document.activeElement.blur()")


def _mistake(tab: Tab, url: str) -> None:
    _begin(tab, url, "serial", "/games")
    _play(tab, "20, 20, 20", 2)
    tab.run(FILL % "20, 'many', 20")
    tab.click("form.decide button")
    tab.until("document.querySelector('[aria-invalid]')")


def _end(tab: Tab, url: str) -> None:
    _begin(tab, url, "serial", "/games")
    _play(tab, "20, 20, 20", 30)


def _show(tab: Tab, url: str) -> None:
    _begin(tab, url, "divergent", "/shows", "newsvendor")
    tab.open(tab.run("location.href") + "?turn=12")


def _transcript(tab: Tab, url: str) -> None:
    tab.open(f"{url}/transcripts")
    tab.click("form:not([enctype]) button")
    tab.until("location.pathname.startsWith('/shows/')")
    tab.settled()
    tab.open(tab.run("location.href") + "?turn=6")
    tab.run("document.querySelectorAll('.replies details').forEach(one => one.open = true)")


def _comparison(tab: Tab, url: str) -> None:
    _begin(tab, url, "divergent", "/comparisons")


def _episodes(tab: Tab, url: str) -> None:
    tab.open(tab.run("location.href") + "/episodes")
    tab.until("document.querySelectorAll('.plot .trace').length > 3")


def _run(tab: Tab, url: str) -> None:
    tab.open(f"{url}/runs/serial-pathwise-0")


def _live(tab: Tab, url: str) -> None:
    _begin(tab, url, "serial", "/games")
    _play(tab, "20, 20, 20", 2)
    tab.open(f"{url}/live")


PICTURES: dict[str, Callable[[Tab, str], None]] = {
    "home": _home,
    "pick": _pick,
    "play": _playing,
    "mistake": _mistake,
    "end": _end,
    "watch": _show,
    "transcript": _transcript,
    "compare": _comparison,
    "episodes": _episodes,
    "dark": _dark,
    "run": _run,
    "live": _live,
}


def _take(tab: Tab, name: str) -> None:
    """Take a picture, with few colours."""
    path = SCREENS / f"{name}.png"
    tab.run("window.scrollTo(0, 0)")
    tab.picture(path)
    with Image.open(path) as taken:
        image = taken.convert("RGB")
    foot = TALL if image.width > PHONE else 2 * TALL
    image = image.crop((0, 0, image.width, min(image.height, foot)))
    image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    assert size < MOST, f"{name} has {size} bytes"
    print(f"{path.relative_to(ROOT)}: {image.width} x {image.height}, {size} bytes")


if __name__ == "__main__":
    sys.exit(main())
