"""What a row says when it is opened, and what is copied from a card."""

from collections.abc import Callable, Sequence

import msgspec
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from runner.runs.events import (
    AnyEvent,
    Asked,
    AttemptFailed,
    CallAnswered,
    CallSent,
    Paused,
    Row,
    RunFinished,
    RunStarted,
    RunStatus,
    StepFinished,
    StepSkipped,
    StepStarted,
    Trouble,
    Waited,
    WaitsFor,
)
from runner.runs.evidence import LockHolder, PauseReason, VerdictBy, VerdictSource
from runner.runs.status import Status

pytestmark = pytest.mark.browser

Look = Callable[..., Chrome]
Copied = Callable[[Chrome, str], str]
TROUBLE = Trouble(code="E301", message="no sign-in: the site refuses connections")


@pytest.fixture
def page_of(write: Callable[..., str], look: Look) -> Callable[[Sequence[AnyEvent], str], Chrome]:
    return lambda events, place: look(write(events) + place)


def _more(page: Chrome) -> str:
    return page.find_element(By.CSS_SELECTOR, ".more").text


def test_each_attempt_says_which_of_how_many_it_is(
    page_of: Callable[..., Chrome], start: Callable[..., RunStarted], row: Callable[..., Row]
) -> None:
    prices = msgspec.structs.replace(row("prices"), max_attempts=4, on_failure="continue")
    sent = CallSent(t=0, key="prices", effect="idempotent", call={"kind": "execute", "process": "UsrPrices"})
    page = page_of(
        [
            start(),
            StepStarted(row=prices, t=0),
            Waited(key="prices", t=0, what=WaitsFor.TURN, seconds=1.5, held_by=LockHolder(job="order", run=None)),
            Asked(key="prices", t=0.0, value=True, by=VerdictBy(how=VerdictSource.YES, user="anna", ci_user=None)),
            *(sent, AttemptFailed(key="prices", t=0.1, kind="refused", error=TROUBLE, status=500)),
            *(Paused(key="prices", t=0.4, seconds=0.3, why=PauseReason.RETRY), sent),
            CallAnswered(key="prices", t=0.5, value=1),
            StepFinished(key="prices", t=0.5, status=Status.PASSED, seconds=0.5, attempts=2, flaky=True),
            RunFinished(t=0.5, status=RunStatus.PASSED, exit_code=0),
        ],
        "#1.prices",
    )
    text = _more(page)
    assert "attempt 1 of 4: sends Execute UsrPrices (idempotent)" in text
    assert "attempt 2 of 4: sends Execute UsrPrices (idempotent)" in text
    assert "waits for another start of the process 1.5 s, which do not count; order had it" in text.replace("\n", " ")
    assert "asks true, by anna, with --yes" in text.replace("\n", " ")
    assert "waits before the next attempt" in text
    assert "on_failure: continue" in text


def test_a_row_for_which_nothing_was_sent_says_so(
    page_of: Callable[..., Chrome], start: Callable[..., RunStarted], row: Callable[..., Row]
) -> None:
    page = page_of(
        [
            start(),
            StepStarted(row=row("add"), t=0),
            CallSent(t=0, key="add", effect="read", call={"kind": "find_family", "process": "UsrAdd"}),
            AttemptFailed(key="add", t=0.1, kind="not_sent", error=TROUBLE),
            StepFinished(key="add", t=0.2, status=Status.ERROR, seconds=0.2, attempts=1, error=TROUBLE),
            RunFinished(t=0.2, status=RunStatus.ERROR, exit_code=3),
        ],
        "#1.add",
    )
    assert "What was sent\nNothing that starts or changes anything was sent." in _more(page)


def test_a_skipped_row_that_is_opened_names_its_condition(
    page_of: Callable[..., Chrome], start: Callable[..., RunStarted], row: Callable[..., Row]
) -> None:
    wrap = msgspec.structs.replace(row("wrap"), condition="inputs.gift")
    end = RunFinished(t=0, status=RunStatus.PASSED, exit_code=0)
    page = page_of([start(), StepSkipped(row=wrap, reason="condition"), end], "#1.wrap")
    assert "In the job\nif: inputs.gift" in _more(page)


def test_a_command_is_copied_as_it_is_to_be_typed(
    page_of: Callable[..., Chrome], copied: Copied, story: list[AnyEvent]
) -> None:
    page = page_of(story, "")
    command = copied(page, "#next dt:first-of-type button")
    assert command == "runner reconcile 0194d2a0-0000-7000-8000-000000000001"


def test_a_card_is_copied_as_text_without_the_words_of_its_buttons(
    page_of: Callable[..., Chrome], copied: Copied, start: Callable[..., RunStarted], row: Callable[..., Row]
) -> None:
    ending = StepFinished(key="add", t=0, status=Status.FAILED, seconds=0, attempts=1, error=TROUBLE)
    end = RunFinished(t=0, status=RunStatus.FAILED, exit_code=1)
    page = page_of([start(), StepStarted(row=row("add"), t=0), ending, end], "")
    text = copied(page, "#red [data-text]")
    assert "E301 no sign-in: the site refuses connections" in text
    assert text.endswith("runner rerun 0194d2a0-0000-7000-8000-000000000001")
    assert page.find_element(By.CSS_SELECTOR, "[data-command]").is_displayed()


def test_a_link_opens_what_the_words_of_the_page_mean(page_of: Callable[..., Chrome], story: list[AnyEvent]) -> None:
    page = page_of(story, "")
    words = page.find_element(By.CSS_SELECTOR, "#words dl")
    assert not words.is_displayed()
    page.find_element(By.LINK_TEXT, "what the words mean").click()
    assert words.is_displayed()
    assert "nobody knows yet whether it happened" in words.text


def test_on_paper_there_is_no_button(page_of: Callable[..., Chrome], story: list[AnyEvent]) -> None:
    page = page_of(story, "#1.add")
    assert [button for button in page.find_elements(By.TAG_NAME, "button") if button.is_displayed()]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    assert not [button for button in page.find_elements(By.TAG_NAME, "button") if button.is_displayed()]
