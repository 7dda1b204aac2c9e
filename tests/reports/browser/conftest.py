"""A page of a report in the browser: `write` makes it of journals, `look` opens it, `copied` copies from it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from reported import command_from
from selenium.webdriver import Chrome

from runner.reports.html.page import report
from runner.runs.events import AnyEvent, Line

Chain = Callable[[Sequence[AnyEvent]], list[Line]]
Write = Callable[..., str]
WIDE = (1280, 900)
CATCH = "Object.defineProperty(navigator, 'clipboard', {value: {writeText: async text => { window.copied = text; }}})"


@pytest.fixture
def write(tmp_path: Path, chain: Chain) -> Write:
    """Writes the page of some journals; its address."""

    def written(*journals: Sequence[AnyEvent]) -> str:
        text = report(command_from(*map(chain, journals)), version="0.1.0")
        (tmp_path / "page.html").write_text(text, encoding="utf-8")
        return (tmp_path / "page.html").as_uri()

    return written


@pytest.fixture
def look(browser: Chrome) -> Iterator[Callable[..., Chrome]]:
    def looked(url: str, size: tuple[int, int] = WIDE, *, dark: bool = False) -> Chrome:
        scheme = "dark" if dark else "light"
        media = {"media": "", "features": [{"name": "prefers-color-scheme", "value": scheme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.get("about:blank")
        browser.get(url)
        return browser

    yield looked
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": False})


@pytest.fixture
def copied() -> Callable[[Chrome, str], str]:
    """What the button that a selector names puts into the clipboard."""

    def pressed(page: Chrome, selector: str) -> str:
        page.execute_script(CATCH + "; document.querySelector(arguments[0]).click()", selector)
        return str(page.execute_script("return window.copied"))

    return pressed
