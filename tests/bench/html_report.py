"""The benchmark of the HTML report: `python tests/bench/html_report.py`. Each figure beside what it may be at most.

It draws loops of 1,000 and of 10,000 turns, and opens the larger page in Chromium where that is installed, three times:
the best counts. It judges nothing, since figures of a busy machine prove nothing.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from large_runs import loop_of
from reported import command_from
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from runner.reports.html.page import report
from runner.runs.events import Line, RunStarted, TargetName

OPEN_LOOP = """
const [done] = arguments, began = performance.now();
document.querySelector('.loop details').open = true;
requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
"""
FILTER = """
const [done] = arguments, form = document.querySelector('#filter'), output = form.querySelector('output');
const began = performance.now();
new MutationObserver((_, seen) => {
  seen.disconnect();
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - began - 120)));
}).observe(output, {childList: true, characterData: true, subtree: true});
form.q.value = 'each[99';
form.q.dispatchEvent(new Event('input', {bubbles: true}));
"""
PAINT = """
const paint = performance.getEntriesByType('paint').find(one => one.name === 'first-contentful-paint');
arguments[0](paint ? paint.startTime : 0);
"""
LOADED = "arguments[0](performance.getEntriesByType('navigation')[0].loadEventEnd)"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        for turns in (1_000, 10_000):
            _draw(turns, page)
        if shutil.which("chromium") and shutil.which("chromedriver"):
            _open(page)
        else:
            print("Chromium is not installed: nothing was opened")


def _draw(turns: int, page: Path) -> None:
    target = TargetName(name="sandbox", url="http://127.0.0.1", sandbox=True)
    start = RunStarted(
        run="r",
        engine="0",
        replay=1,
        job="bulk",
        file="bulk.job.yaml",
        case=None,
        target=target,
        inputs={},
        digest="",
        commit=None,
        started_at="2026-01-31T09:00:00Z",
    )
    events = enumerate([start, *loop_of(turns)], 1)
    lines = [Line(seq=seq, at="2026-01-31T09:00:00Z", prev="", event=event, sha256="") for seq, event in events]
    command = command_from(lines)
    report(command_from(lines[:1]))  # imports and the template cost once
    began = process_time()
    text = report(command)
    seconds = process_time() - began
    page.write_text(text, encoding="utf-8")
    size = len(text.encode())
    print(f"{turns:6,} rows: {size / 1e6:5.2f} MB, most {(40_000 + 800 * turns) / 1e6:.2f}")
    print(f"{turns:6,} rows: {seconds / turns * 1000:5.2f} ms a row, most 0.30")


def _open(page: Path) -> None:
    options = ChromeOptions()
    for option in ("--headless=new", "--no-sandbox", "--disable-gpu"):
        options.add_argument(option)
    options.binary_location = str(shutil.which("chromium"))
    browser = Chrome(options=options, service=ChromeService(str(shutil.which("chromedriver"))))
    try:
        for name, most, script in (
            ("first paint", 0.3, PAINT),
            ("loaded", 1.5, LOADED),
            ("the loop opened", 0.5, OPEN_LOOP),
            ("filtered", 0.25, FILTER),
        ):
            times = []
            for _ in range(3):
                browser.get(page.as_uri())
                times.append(float(browser.execute_async_script(script)))
            print(f"10,000 rows: {name} {min(times) / 1000:.2f} s, most {most}")
    finally:
        browser.quit()


if __name__ == "__main__":
    main()
