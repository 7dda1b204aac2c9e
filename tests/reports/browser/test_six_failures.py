"""Failures of six kinds, of a real run: the page alone answers what failed, why, whether it is safe to run again, and
what was sent. Only what a person sees counts: the text of a card, and of the row that its button opens.
"""

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sandboxes import serve_sandbox
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from runner.cli.main import ended
from runner.foundation.problems import ExitCode

pytestmark = pytest.mark.browser

SHOP = Path(__file__).parents[1] / "shop"
SAFE = "yes: a new run repeats nothing that must happen only once"


@dataclass(frozen=True, kw_only=True)
class Answers:
    """`run` and `key` name the card. The rest are the answers as they are read; `sent` is read on the opened row."""

    run: str
    key: str
    what: str
    why: tuple[str, ...]
    again: str
    sent: tuple[str, ...]


FAILURES = {
    "a process that failed": Answers(
        run="letters@here",
        key="second",
        what="failed second Write to the shop",
        why=('the process failed at the element "Look the address up": No such address: nobody', "says: failed"),
        again="careful: a new run starts again what must happen only once: first (passed), second (failed)",
        sent=("GET /0/ServiceModel/ProcessEngineService.svc/UsrLetter/Execute", "To: nobody"),
    ),
    "an outcome in doubt": Answers(
        run="journal@here",
        key="post",
        what="unknown post Post the journal",
        why=("it may or may not have happened", "broke before the answer was whole", "the process log shows no start"),
        again="not yet: post may or may not have happened",
        sent=("GET /0/ServiceModel/ProcessEngineService.svc/UsrPost/Execute", "Amount: 12.5", "unanswered"),
    ),
    "an expectation that is not met": Answers(
        run="order@here",
        key="read",
        what="failed read Read the order back",
        why=("expected Approved got Aproved", "the order SO-1042 is not approved", "help: Look at the approval queue."),
        again="careful: a new run starts again what must happen only once: charge (passed)",
        sent=("GET /0/ServiceModel/ProcessEngineService.svc/UsrGetOrders/Execute", "attempt 2 of 2"),
    ),
    "a call that the service refused": Answers(
        run="stock@here",
        key="close",
        what="failed close Close the month",
        why=("answered 500 Internal Server Error", "the service answered: <Fault"),
        again=SAFE,
        sent=("GET /0/ServiceModel/ProcessEngineService.svc/UsrCloseStock/Execute", "Month: 2026-01", "HTTP 500"),
    ),
    "a call without an answer": Answers(
        run="report@here",
        key="make",
        what="error make Make the report",
        why=("did not answer within 300 ms", "hint: raise timeout"),
        again=SAFE,
        sent=("GET /0/ServiceModel/ProcessEngineService.svc/UsrReport/Execute", "unanswered"),
    ),
    "a sign-in that failed": Answers(
        run="prices@locked",
        key="publish",
        what="error publish Publish the prices",
        why=("refused the sign-in: Wrong user name or password", "hint: check auth of the target"),
        again="yes, when you have mended the sign-in: a new run repeats nothing",
        sent=("Nothing that starts or changes anything was sent.", "not sent"),
    ),
    "a site that cannot be reached": Answers(
        run="prices@closed",
        key="publish",
        what="error publish Publish the prices",
        why=("refuses connections", "hint: is the application running?"),
        again=SAFE,
        sent=("Nothing that starts or changes anything was sent.", "not sent"),
    ),
}


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The page of one command with a job for each failure."""
    folder = tmp_path_factory.mktemp("shop")
    shutil.copytree(SHOP, folder, dirs_exist_ok=True)
    with serve_sandbox(folder / "doubles") as site, socket.socket() as taken, pytest.MonkeyPatch.context() as patch:
        taken.bind(("127.0.0.1", 0))  # a port on which nobody listens
        others = {
            "locked": (site.url, "Supervisor", "not-this-one"),
            "closed": (f"http://127.0.0.1:{taken.getsockname()[1]}", "Supervisor", "Supervisor"),
        }
        more = "".join(
            f"  {name}:\n    url: {url}\n    auth: {{username: {user}, password: {password}}}\n"
            for name, (url, user, password) in others.items()
        )
        (folder / "targets.yaml").write_text(site.targets(more=more))
        patch.chdir(folder)
        files = [f"jobs/{name}.job.yaml" for name in ("letters", "journal", "order", "stock", "report")]
        ended(["run", *files, "-t", "here", "-q"])
        ended(["run", "jobs/prices.job.yaml", "-t", "locked", "-t", "closed", "-q"])
        runs = [path.name for path in Path(".runner/runs").iterdir()]
        assert ended(["report", *runs, "--report-html", "page.html"]) == ExitCode.UNKNOWN
        yield folder / "page.html"


@pytest.mark.parametrize("name", FAILURES)
def test_the_page_alone_answers_what_a_person_asks_of_a_failure(
    look: Callable[..., Chrome], page_file: Path, name: str
) -> None:
    answers = FAILURES[name]
    page = look(page_file.as_uri())
    (card,) = [
        one
        for one in page.find_elements(By.CSS_SELECTOR, "#red article")
        if answers.run in one.text and one.find_element(By.CSS_SELECTOR, "h3 a").text == answers.key
    ]
    text = " ".join(card.text.split())
    assert answers.what in text
    assert [words for words in answers.why if words not in text] == []
    assert f"safe to run again? {answers.again}" in text
    card.find_element(By.XPATH, ".//button[text()='What was sent, and when']").click()
    opened = page.find_element(By.CSS_SELECTOR, ".more")
    assert opened.is_displayed()
    row = " ".join(opened.text.split())
    assert [words for words in answers.sent if words not in row] == []
