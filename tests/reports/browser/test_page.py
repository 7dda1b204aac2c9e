"""The HTML report in a browser, as a person sees it."""

import functools
import http.server
import threading
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest
from journals import RUN_STARTED
from msgspec.structs import replace
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from runner.foundation.values import Json
from runner.reports import curl
from runner.runs.events import (
    AnyEvent,
    AttemptFailed,
    CallAnswered,
    CallSent,
    Check,
    Line,
    Paused,
    Row,
    RunClosing,
    RunFinished,
    RunStarted,
    RunStatus,
    Section,
    StepFinished,
    StepStarted,
    TargetName,
    Trouble,
)
from runner.runs.evidence import CiRun, SentRequest, SiteAccess
from runner.runs.status import Status

pytestmark = pytest.mark.browser

Chain = Callable[[Sequence[AnyEvent]], list[Line]]
Write = Callable[..., str]

HOSTILE = "</script></title><img src=x onerror=alert(1)><script>alert(2)</script>\u202e'\"&`<!--"
WIDE, PHONE = (1280, 900), (390, 844)
NOISE = "return [...document.querySelectorAll('main script, body img, svg[onload], main style')].length"


def rows_shown(page: Chrome) -> list[str]:
    rows = page.find_elements(By.CSS_SELECTOR, ".r")
    return [row.get_attribute("id") or "" for row in rows if row.is_displayed()]


def console(page: Chrome) -> list[str]:
    entries = page.get_log("browser")  # type: ignore[no-untyped-call]  # selenium's own
    return [entry["message"] for entry in entries]


def opened(page: Chrome, row: str) -> str:
    return page.find_element(By.CSS_SELECTOR, f"[id='{row}']>.more").text


def run_again(story: Sequence[AnyEvent], **changed: Json) -> list[AnyEvent]:
    """The same run on another target."""
    start = story[0]
    assert isinstance(start, RunStarted)
    target = TargetName(name=str(changed["target"]), url="https://example.com", sandbox=False)
    return [
        replace(
            RUN_STARTED,
            run="0194d2a0-0000-7000-8000-000000000002",
            job=start.job,
            file=start.file,
            target=target,
            started_at="2026-01-31T10:00:00Z",
        ),
        *story[1:],
    ]


def test_texts_from_outside_run_nothing_and_become_no_element(
    write: Write, look: Callable[..., Chrome], start: Callable[..., RunStarted]
) -> None:
    row = Row(
        key=HOSTILE, id="a", name=HOSTILE, kind="execute", section=Section.STEPS, index=None, line=1, help=HOSTILE
    )
    error = Trouble(code="E203", message=HOSTILE, hint=HOSTILE)
    page = look(
        write(
            [
                start(job=HOSTILE, file=HOSTILE, case=HOSTILE, inputs={HOSTILE: HOSTILE}, help=HOSTILE),
                StepStarted(row=row, t=0),
                CallSent(
                    t=0.0,
                    key=HOSTILE,
                    effect="once",
                    call={"kind": HOSTILE, "process": HOSTILE, "parameters": {"A": HOSTILE}},
                ),
                AttemptFailed(key=HOSTILE, t=0.1, kind="refused", error=error, body=HOSTILE),
                StepFinished(
                    key=HOSTILE,
                    t=0.2,
                    status=Status.FAILED,
                    seconds=0.2,
                    attempts=1,
                    result=HOSTILE,
                    checks=(Check(that=HOSTILE, passed=False, message=HOSTILE),),
                    warnings=(HOSTILE,),
                    error=error,
                ),
                RunFinished(t=0.2, status=RunStatus.FAILED, exit_code=1, error=error),
            ]
        )
    )
    page.find_element(By.CSS_SELECTOR, "[data-open]").click()
    assert "alert(1)" in page.find_element(By.CSS_SELECTOR, ".more").text
    assert page.execute_script(NOISE) == 0
    assert not console(page)
    loaded = page.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert not [name for name in loaded if not name.startswith("data:")]


def test_a_link_into_the_page_opens_the_row_that_it_names(
    write: Write, look: Callable[..., Chrome], story: list[AnyEvent]
) -> None:
    page = look(write(story) + "#1.add")
    text = opened(page, "1.add")
    assert "sends UsrAdd" in text.replace("undefined ", "")
    assert '"Token": "***"' in text
    assert "warning: not verified: the process log cannot be read" in text
    assert not console(page)


def test_a_call_is_copied_as_the_command_of_curl_that_show_prints(
    write: Write, look: Callable[..., Chrome], copied: Callable[[Chrome, str], str], start: Callable[..., RunStarted]
) -> None:
    row = Row(key="add", id="add", name="Add", kind="execute", section=Section.STEPS, index=None, line=7)
    query = (("Name", "it's \ue000[inputs.token]!"), ("A", "\ue000\ue000"))
    request = SentRequest(method="GET", path="/0/ServiceModel/Execute", query=query)
    sent = CallSent(key="add", effect="once", call={"kind": "execute", "process": "A"}, t=0, request=request)
    ending = StepFinished(key="add", t=1, status=Status.PASSED, seconds=1, attempts=1)
    answered = CallAnswered(key="add", t=1, value=None, status=200, bytes=7)
    last = RunFinished(t=1, status=RunStatus.PASSED, exit_code=0)
    page = look(write([start(), StepStarted(row=row, t=0), sent, answered, ending, last]) + "#1.add")
    text = copied(page, ".more [data-curl]")
    assert "# CAREFUL: this starts the process A again\ncurl" in text
    assert "A=%EE%80%80" in text
    shared = curl.run_curl(start().target, SiteAccess(auth="password", identity_url=None, headers=()))
    own = curl.call_curl(request, sent.call, effect=sent.effect)
    first = f"{shared.setup}{curl.checked(own.needs)}{shared.sign_in}"
    before = "".join(f"{line}\n" for line in own.before)
    assert text == f"{first}{before}{shared.begin}{own.rest}\n{shared.end}"
    assert "answered, HTTP 200, 7 bytes" in opened(page, "1.add")


def test_a_row_opens_and_closes_at_a_click(write: Write, look: Callable[..., Chrome], story: list[AnyEvent]) -> None:
    page = look(write(story))
    link = page.find_element(By.CSS_SELECTOR, "[id='1.read']>a")
    assert link.get_attribute("aria-expanded") == "false"
    link.click()
    assert link.get_attribute("aria-expanded") == "true"
    assert "✓ met: result != null" in opened(page, "1.read")
    link.click()
    assert not page.find_elements(By.CSS_SELECTOR, ".more")


def test_the_filter_shows_what_fits_and_counts_it(
    write: Write, look: Callable[..., Chrome], story: list[AnyEvent]
) -> None:
    page = look(write(story))
    field = page.find_element(By.NAME, "q")
    field.send_keys("read it")
    WebDriverWait(page, 10, 0.02).until(lambda _: "1 of 5 steps" in page.find_element(By.TAG_NAME, "output").text)
    assert rows_shown(page) == ["1.read"]
    field.send_keys(Keys.CONTROL, "a", Keys.DELETE)
    page.find_element(By.CSS_SELECTOR, "[value=passed]").click()
    WebDriverWait(page, 10, 0.02).until(lambda _: "4 of 5 steps" in page.find_element(By.TAG_NAME, "output").text)
    assert "1.add" not in rows_shown(page)


def test_keys_move_through_the_rows_only_while_one_has_the_focus(
    write: Write, look: Callable[..., Chrome], story: list[AnyEvent]
) -> None:
    page = look(write(story))

    def press(*keys: str) -> str:
        ActionChains(page).send_keys(*keys).perform()
        return str(page.execute_script("return document.activeElement.parentElement.id"))

    assert press("n") == ""
    page.execute_script("document.querySelector('.r>a').focus()")
    assert press(Keys.ARROW_DOWN) == "1.read"
    assert press(Keys.ENTER) == "1.read"
    assert "Expectations" in opened(page, "1.read")
    assert press("n") == "1.sign"
    assert press("n") == "1.cleanup"
    assert press("p") == "1.sign"
    assert press(Keys.ARROW_UP) == "1.onboard"


def test_a_loop_of_many_turns_is_closed_and_opens_at_a_link(
    write: Write, look: Callable[..., Chrome], start: Callable[..., RunStarted]
) -> None:
    events: list[AnyEvent] = [start()]
    for at in range(250):
        key = f"each[{at}]"
        row = Row(key=key, id="each", name="Check", kind="execute", section=Section.STEPS, index=at, line=3)
        ending = StepFinished(key=key, t=at + 1, status=Status.PASSED, seconds=1, attempts=1, verified=True)
        events += [StepStarted(row=row, t=at), Paused(key=key, t=at + 1, seconds=1), ending]
    url = write([*events, RunClosing(t=250, why="done"), RunFinished(t=250, status=RunStatus.PASSED, exit_code=0)])
    page = look(url)
    assert not page.find_element(By.ID, "1.each[249]").is_displayed()
    page = look(f"{url}#1.each%5B249%5D")
    WebDriverWait(page, 10, 0.02).until(lambda _: page.find_element(By.ID, "1.each[249]").is_displayed())
    assert "waits" in opened(page, "1.each[249]")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(
    write: Write, look: Callable[..., Chrome], story: list[AnyEvent], size: tuple[int, int], *, dark: bool
) -> None:
    look("about:blank").execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    assert isinstance(story[0], RunStarted)
    ci = CiRun(url="https://ci.example.com/7", ref="main")
    begun = msgspec.structs.replace(story[0], tags=("smoke",), dirty=True, ci=ci, description="Contacts.")
    page = look(write([begun, *story[1:]], run_again(story, target="production")) + "#1.read", size, dark=dark)
    page.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
    page.execute_script((files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8"))
    page.set_script_timeout(60)
    found = page.execute_async_script(
        "const [options, done] = arguments;"
        "axe.run(options).then(all => done(all.violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 200))])))",
        {"runOnly": ["color-contrast"]} if dark else {},  # the dark page has other colours, and nothing else
    )
    assert found == []


def test_a_phone_scrolls_nothing_but_the_table_sideways(
    write: Write, look: Callable[..., Chrome], story: list[AnyEvent]
) -> None:
    page = look(write(story, run_again(story, target="production" * 9)) + "#1.read", PHONE)
    width = "return [document.documentElement.scrollWidth, innerWidth]"
    whole, seen = page.execute_script(width)
    assert whole <= seen


def test_the_theme_follows_the_system_and_a_button(
    write: Write, look: Callable[..., Chrome], story: list[AnyEvent]
) -> None:
    page = look(write(story), dark=True)
    colour = "return getComputedStyle(document.body).backgroundColor"
    assert page.execute_script(colour) == "rgb(13, 17, 23)"
    page.find_element(By.ID, "theme").click()
    assert page.execute_script(colour) == "rgb(255, 255, 255)"


class _Strict(http.server.SimpleHTTPRequestHandler):
    """A server that forbids inline styles and scripts, as Jenkins does."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", "sandbox; default-src 'none'; img-src 'self'; style-src 'self';")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is http.server's
        pass


def test_without_styles_and_without_scripts_all_but_the_opened_rows_is_read(
    write: Write, look: Callable[..., Chrome], story: list[AnyEvent], tmp_path: Path
) -> None:
    write(story)
    handler = functools.partial(_Strict, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        page = look(f"http://127.0.0.1:{server.server_port}/page.html")
        text = page.find_element(By.TAG_NAME, "body").text
        server.shutdown()
        thread.join()
    console(page)
    for part in ("contact-smoke@sandbox: unknown", "it may or may not have happened", "runner reconcile", "read"):
        assert part in text
    assert "Copy as" not in text


def test_in_print_every_run_its_facts_and_the_meaning_of_words_are_open(
    write: Write, look: Callable[..., Chrome], story: list[AnyEvent]
) -> None:
    page = look(write(story))
    page.execute_script("for (const each of document.querySelectorAll('details')) each.open = false")
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert page.find_element(By.ID, "1.read").is_displayed()
    assert page.find_element(By.CSS_SELECTOR, ".run .facts dl").is_displayed()
    assert page.find_element(By.CSS_SELECTOR, "#words dl").is_displayed()


def test_the_answer_that_a_row_rests_on_is_in_words(
    write: Write, look: Callable[..., Chrome], start: Callable[..., RunStarted], row: Callable[..., Row]
) -> None:
    log: Json = [
        {
            "id": "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11",
            "status": "done",
            "started": "2026-01-31T09:00:00.1000000Z",
            "completed": "2026-01-31T09:00:00.1970000Z",
        }
    ]
    page = look(
        write(
            [
                start(),
                StepStarted(row=row("add"), t=0),
                CallSent(
                    t=0.0, key="add", effect="read", call={"kind": "read_rows", "process": "UsrAdd", "since": None}
                ),
                CallAnswered(key="add", t=0.1, value=log),
                StepFinished(key="add", t=0.2, status=Status.PASSED, seconds=0.2, attempts=1, verified=True),
                RunFinished(t=0.2, status=RunStatus.PASSED, exit_code=0),
            ]
        )
        + "#1.add"
    )
    assert "reads the process log done, took 97 ms there" in opened(page, "1.add").replace("\n", " ")
