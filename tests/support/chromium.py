"""A real Chromium. It is installed where that may be; where not, these tests fail and say what is missing."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

PACKAGES = ("chromium", "chromium-driver")
OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-extensions", "--disable-features=IsolateOrigins,site-per-process,MediaRouter,OptimizationHints"),
    "--window-size=1200,1400",
)


@pytest.fixture(scope="session")
def chromium() -> tuple[str, str]:
    """Where the browser is, and its driver."""
    with (Path(tempfile.gettempdir()) / "creatio-runner-chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers of pytest come here at once
        if not _found():
            _install()
    found = _found()
    if found is None:
        pytest.fail(
            "the browser tests need Chromium and its driver: install the Debian packages chromium-driver, chromium"
        )
    return found


@pytest.fixture(scope="session")
def browser(chromium: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Chrome]":
    """The only one of this process: each start takes a processor some seconds."""
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService  # noqa: PLC0415  a quarter of a second

    options = ChromeOptions()
    options.binary_location, driver = chromium
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    window = Chrome(options=options, service=ChromeService(driver))
    yield window
    window.quit()


def _found() -> tuple[str, str] | None:
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    return None if browser is None or driver is None else (browser, driver)


def _install() -> None:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    for command in (("update",), ("install", "-y", "--no-install-recommends", *PACKAGES)):
        subprocess.run(("apt-get", *command), check=False, capture_output=True, timeout=900)
