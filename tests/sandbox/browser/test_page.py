"""The page in a browser, as a person sees it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from runner.sandbox.server import served

pytestmark = pytest.mark.browser
SERVICE = "/0/ServiceModel/ProcessEngineService.svc"
NASTY = "<img src=x onerror=alert(1)>\u202e'\"&"
GREET = """
runner: 1
process: UsrGreet
caption: Greet <b>somebody</b>
parameters:
  Name: {type: text}
  Found: {type: records, direction: out}
activities:
  - element: {caption: Shake <i>hands</i>}
  - fail: "No {{ parameters.Name }}"
"""


@pytest.fixture
def url(folder: Callable[[Mapping[str, str]], Path]) -> Iterator[str]:
    with served(folder({"a.process.yaml": GREET})) as served_at:
        yield served_at


@pytest.fixture
def page(browser: Chrome, url: str) -> Chrome:
    browser.get(f"{url}/")
    browser.get_log("browser")  # type: ignore[no-untyped-call]  # selenium's own
    return browser


def shown(page: Chrome, section: str) -> str:
    return page.find_element(By.ID, section).text


def until(page: Chrome, section: str, text: str) -> None:
    WebDriverWait(page, 10, 0.05).until(lambda _: text in shown(page, section), f"`{text}` is not in {section}")


def fill(page: Chrome, *, fault: str, process: str = "any", **numbers: str) -> None:
    form = page.find_element(By.ID, "form")
    Select(form.find_element(By.NAME, "fault")).select_by_visible_text(fault)
    Select(form.find_element(By.NAME, "process")).select_by_visible_text(process)
    for name, number in numbers.items():
        form.find_element(By.NAME, name).clear()
        form.find_element(By.NAME, name).send_keys(number)
    form.find_element(By.TAG_NAME, "button").click()


def test_the_page_tells_of_the_processes_and_that_nothing_happened_yet(page: Chrome) -> None:
    assert page.title == "Sandbox"
    assert shown(page, "processes").splitlines()[1:] == [
        "UsrGreet Greet <b>somebody</b> Name text, in",
        "Found records, out 0",
    ]
    assert shown(page, "instances") == "No process was started yet."
    assert shown(page, "calls") == "No call came yet."
    assert shown(page, "faults") == "None waits for a call."


def test_what_happens_is_shown_as_it_happens_without_a_reload(
    page: Chrome, url: str, signed_in: Callable[[str], httpx.Client]
) -> None:
    page.execute_script("window.stays = true")
    client = signed_in(url)
    client.get(f"{SERVICE}/UsrGreet/Execute", params={"Name": "Anna & Boris"})
    until(page, "instances", '"Anna & Boris"')
    assert "Shake <i>hands</i> running" in shown(page, "instances")
    until(page, "calls", "GET /0/ServiceModel/ProcessEngineService.svc/UsrGreet/Execute?Name=Anna+&+Boris")
    uid = client.get("/odata/SysProcessElementLog").json()["value"][0]["Id"]
    client.get(f"{SERVICE}/ExecProcElByUId/{uid}")
    until(page, "instances", "No Anna & Boris")
    until(page, "processes", "Found records, out 1")
    assert page.execute_script("return window.stays") is True


def test_nothing_that_was_sent_becomes_a_part_of_the_page(
    page: Chrome, url: str, signed_in: Callable[[str], httpx.Client]
) -> None:
    client = signed_in(url)
    client.get(f"{SERVICE}/UsrGreet/Execute", params={"Name": NASTY})
    uid = client.get("/odata/SysProcessElementLog").json()["value"][0]["Id"]
    client.get(f"{SERVICE}/ExecProcElByUId/{uid}")
    until(page, "instances", f"No {NASTY}")
    page.refresh()
    assert f"No {NASTY}" in shown(page, "instances")
    assert page.find_elements(By.CSS_SELECTOR, "img, b, i") == []
    assert page.get_log("browser") == []  # type: ignore[no-untyped-call]  # selenium's own


def test_a_fault_is_set_and_cleared_by_hand(page: Chrome, url: str, signed_in: Callable[[str], httpx.Client]) -> None:
    fill(page, fault="status_500", process="UsrGreet", times="2")
    until(page, "faults", "status_500 UsrGreet 2")
    assert signed_in(url).get(f"{SERVICE}/UsrGreet/Execute").status_code == 500
    until(page, "faults", "status_500 UsrGreet 1")
    until(page, "calls", "status_500")
    page.find_element(By.ID, "clear").click()
    until(page, "faults", "None waits for a call.")


def test_a_fault_that_makes_no_sense_is_told_and_what_was_written_stays(page: Chrome) -> None:
    fill(page, fault="html", seconds="5")
    until(page, "said", "only slow and queued take `seconds`")
    assert page.find_element(By.NAME, "seconds").get_attribute("value") == "5"
    assert shown(page, "faults") == "None waits for a call."


def test_a_sandbox_that_ended_is_told(browser: Chrome, folder: Callable[[Mapping[str, str]], Path]) -> None:
    with served(folder({"a.process.yaml": GREET})) as url:
        browser.get(f"{url}/")
    until(browser, "said", "The sandbox does not answer.")
