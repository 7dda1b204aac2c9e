"""The page in a browser, as a person sees it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from selenium.common.exceptions import JavascriptException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from runner.sandbox.server import served
from runner.sandbox.veil import Veil

pytestmark = pytest.mark.browser
SERVICE = "/0/ServiceModel/ProcessEngineService.svc"
NASTY = "<img src=x onerror=alert(1)>\u202e'\"&"
GREET = """
runner: 1
process: UsrGreet
caption: Greet <b>somebody</b>
parameters:
  Name: {type: text, direction: both}
  Count: {type: integer}
  Found: {type: records, direction: out}
activities:
  - insert: {entity: Mark, values: {Name: "{{ parameters.Name }}"}}
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


def opened(page: Chrome, section: str) -> WebElement:
    """What is shown in full in a section, once it is there."""
    found: WebElement = WebDriverWait(page, 10, 0.05).until(
        lambda _: page.find_elements(By.CSS_SELECTOR, f"#{section} .opened")
    )[0]
    return found


def open_first(page: Chrome, section: str, text: str) -> WebElement:
    """Open the first row of a section that has this text."""
    until(page, section, text)
    next(row for row in page.find_elements(By.CSS_SELECTOR, f"#{section} a") if text in row.text).click()
    return opened(page, section)


def press(form: WebElement, button: str) -> None:
    next(each for each in form.find_elements(By.TAG_NAME, "button") if each.text == button).click()


def test_the_page_shows_the_processes_and_that_nothing_happened_yet(page: Chrome) -> None:
    assert page.title == "Sandbox"
    assert shown(page, "processes").splitlines()[1:] == ["Greet <b>somebody</b>", "UsrGreet"]
    assert shown(page, "instances") == "Instances\nNo process was started yet."
    assert shown(page, "calls") == "Calls\nNo call came yet."
    assert shown(page, "faults") == "No fault waits for a call."


def test_what_happens_is_shown_as_it_happens_without_a_reload(
    page: Chrome, url: str, signed_in: Callable[[str], httpx.Client]
) -> None:
    page.execute_script("window.stays = true")
    client = signed_in(url)
    client.get(f"{SERVICE}/UsrGreet/Execute", params={"Name": "Anna & Boris"})
    until(page, "instances", '"Anna & Boris"')
    assert "waits at Shake <i>hands</i>" in shown(page, "instances")
    until(page, "calls", "GET /0/ServiceModel/ProcessEngineService.svc/UsrGreet/Execute?Name=Anna+&+Boris")
    uid = client.get("/odata/SysProcessElementLog").json()["value"][0]["Id"]
    client.get(f"{SERVICE}/ExecProcElByUId/{uid}")
    until(page, "instances", "No Anna & Boris")
    until(page, "processes", "1 start")
    assert page.execute_script("return window.stays") is True


def test_a_process_is_started_from_its_form_and_its_element_completed_with_values(page: Chrome) -> None:
    form = open_first(page, "processes", "UsrGreet").find_element(By.TAG_NAME, "form")
    form.find_element(By.NAME, "Name").send_keys("Anna")
    form.find_element(By.NAME, "Count").send_keys("many")
    press(form, "Start")
    until(page, "processes", 'Parameter "Count": "many" is not an integer')
    assert shown(page, "instances") == "Instances\nNo process was started yet."
    form.find_element(By.NAME, "Count").clear()
    form.find_element(By.NAME, "Count").send_keys("2")
    press(form, "Start")
    element = opened(page, "instances").find_element(By.CSS_SELECTOR, ".element form")
    assert '"Anna"' in shown(page, "instances")
    element.find_element(By.TAG_NAME, "summary").click()
    element.find_element(By.NAME, "Name").send_keys("Boris")
    press(element, "Complete")
    until(page, "instances", "No Boris")
    until(page, "instances", "done")


def test_an_element_is_executed_and_keeps_the_values_of_its_process(page: Chrome) -> None:
    form = open_first(page, "processes", "UsrGreet").find_element(By.TAG_NAME, "form")
    form.find_element(By.NAME, "Name").send_keys("Anna")
    press(form, "Start")
    press(opened(page, "instances").find_element(By.CSS_SELECTOR, ".element form"), "Execute")
    until(page, "instances", "No Anna")


def test_what_a_person_writes_stays_while_the_page_renews_itself(
    page: Chrome, url: str, signed_in: Callable[[str], httpx.Client]
) -> None:
    form = open_first(page, "processes", "UsrGreet").find_element(By.TAG_NAME, "form")
    name = form.find_element(By.NAME, "Name")
    name.send_keys("An")
    client = signed_in(url)
    for _ in range(2):
        client.get(f"{SERVICE}/UsrGreet/Execute", params={"Name": "Boris"})
    until(page, "processes", "2 starts")
    assert page.switch_to.active_element == name
    name.send_keys("na")
    assert name.get_attribute("value") == "Anna"


def test_records_are_shown_by_entity_and_new_ones_as_they_come(
    page: Chrome, url: str, signed_in: Callable[[str], httpx.Client]
) -> None:
    open_first(page, "records", "Mark")
    until(page, "records", "Mark holds no record.")
    signed_in(url).get(f"{SERVICE}/UsrGreet/Execute", params={"Name": NASTY})
    until(page, "records", NASTY)
    assert "1 to 1 of 1, newest first" in shown(page, "records")


def test_a_call_is_opened_with_its_bodies_and_closed_again(
    page: Chrome, url: str, signed_in: Callable[[str], httpx.Client]
) -> None:
    body = {"schemaName": "UsrGreet", "parameterValues": [{"name": "Name", "value": NASTY}]}
    signed_in(url).post(f"{SERVICE}/RunProcess", json=body)
    assert NASTY.replace('"', '\\"') in open_first(page, "calls", "RunProcess").text
    assert '"processStatus": 1' in shown(page, "calls")
    page.back()
    WebDriverWait(page, 10, 0.05).until(lambda _: '"processStatus"' not in shown(page, "calls"))


def test_nothing_that_was_sent_becomes_a_part_of_the_page(
    page: Chrome, url: str, signed_in: Callable[[str], httpx.Client]
) -> None:
    client = signed_in(url)
    body = {"schemaName": "UsrGreet", "parameterValues": [{"name": "Name", "value": NASTY}]}
    client.post(f"{SERVICE}/RunProcess", json=body)
    client.get(f"{SERVICE}/UsrGreet/Execute", params={"Name": NASTY})
    instance = client.get("/sandbox/instances").json()[0]
    client.get(f"{SERVICE}/ExecProcElByUId/{instance['elements'][0]['id']}")
    until(page, "instances", f"No {NASTY}")
    page.get(f"{url}/?process=UsrGreet&instance={instance['id']}&entity=Mark&call=2")
    assert f"No {NASTY}" in shown(page, "instances")
    assert NASTY in shown(page, "records")
    assert page.find_elements(By.CSS_SELECTOR, "img, i:not(label i), b b") == []
    assert page.get_log("browser") == []  # type: ignore[no-untyped-call]  # selenium's own


SECRET = "correct-horse-battery"


def test_secrets_of_runs_are_hidden_until_a_person_wants_to_see_them(
    browser: Chrome, folder: Callable[[Mapping[str, str]], Path], signed_in: Callable[[str], httpx.Client]
) -> None:
    veil = Veil()
    with served(folder({"a.process.yaml": GREET}), veil=veil) as url:
        client = signed_in(url)
        browser.get(f"{url}/")
        assert browser.find_elements(By.ID, "secrets") == []
        veil.learn("inputs.token", SECRET)
        body = {"schemaName": "UsrGreet", "parameterValues": [{"name": "Name", "value": SECRET}]}
        client.post(f"{SERVICE}/RunProcess", json=body)
        client.get(f"{SERVICE}/UsrGreet/Execute", params={"Name": SECRET})
        instance = client.get("/sandbox/instances").json()[0]["id"]
        browser.get(f"{url}/?process=UsrGreet&instance={instance}&entity=Mark&call=2")
        assert SECRET not in browser.page_source
        assert [shown(browser, part).count("***") > 0 for part in ("instances", "records", "calls")] == [True] * 3
        browser.find_element(By.LINK_TEXT, "Show them").click()
        for part in ("instances", "records", "calls"):
            until(browser, part, SECRET)
        browser.find_element(By.LINK_TEXT, "Hide them").click()
        WebDriverWait(browser, 10, 0.05).until(lambda _: SECRET not in browser.page_source)


def test_a_text_that_turns_the_direction_of_writing_turns_nothing_beside_it(page: Chrome, url: str) -> None:
    httpx.post(f"{url}/sandbox/instances", json={"process": "UsrGreet", "parameters": {"Name": "\u202eabc"}})
    until(page, "instances", "Name")
    boxes = [page.find_element(By.CSS_SELECTOR, f"#instances {part}").rect for part in (".values code", ".row time")]
    assert boxes[0]["x"] < boxes[1]["x"]
    style = page.find_element(By.CSS_SELECTOR, "#instances .values code").value_of_css_property("unicode-bidi")
    assert style == "isolate"


def test_the_policy_lets_no_text_become_markup_even_where_an_escape_were_forgotten(page: Chrome) -> None:
    for sink in ("document.body.innerHTML = '<b>x</b>'", "new DOMParser().parseFromString('', 'text/html')"):
        with pytest.raises(JavascriptException, match="TrustedHTML"):
            page.execute_script(sink)
    page.execute_script(
        "const s = document.createElement('style'); s.textContent = 'h1 {color: rgb(1, 2, 3)}';document.head.append(s)"
    )
    assert page.find_element(By.TAG_NAME, "h1").value_of_css_property("color") != "rgba(1, 2, 3, 1)"


def test_a_fault_is_set_and_cleared_by_hand(page: Chrome, url: str, signed_in: Callable[[str], httpx.Client]) -> None:
    fill(page, fault="status_500", process="UsrGreet", times="2")
    until(page, "faults", "status_500 UsrGreet 2")
    assert signed_in(url).get(f"{SERVICE}/UsrGreet/Execute").status_code == 500
    until(page, "faults", "status_500 UsrGreet 1")
    until(page, "calls", "status_500")
    page.find_element(By.ID, "clear").click()
    until(page, "faults", "No fault waits for a call.")


def test_a_fault_that_makes_no_sense_is_refused_and_what_was_written_stays(page: Chrome) -> None:
    fill(page, fault="html", seconds="5")
    until(page, "form", "only slow and queued take `seconds`")
    assert page.find_element(By.NAME, "seconds").get_attribute("value") == "5"
    assert shown(page, "faults") == "No fault waits for a call."


def test_the_page_says_that_its_sandbox_has_ended(browser: Chrome, folder: Callable[[Mapping[str, str]], Path]) -> None:
    with served(folder({"a.process.yaml": GREET})) as url:
        browser.get(f"{url}/")
    until(browser, "message", "The sandbox does not answer.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_dark_where_the_system_is_and_the_button_turns_it(browser: Chrome, url: str, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get(f"{url}/")
    assert is_dark(browser) is (scheme == "dark")
    browser.find_element(By.ID, "theme").click()
    assert is_dark(browser) is (scheme == "light")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def is_dark(page: Chrome) -> bool:
    return bool(page.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 23)")


def test_on_a_phone_nothing_but_tables_of_records_scrolls_sideways(
    browser: Chrome, url: str, signed_in: Callable[[str], httpx.Client]
) -> None:
    client = signed_in(url)
    client.get(f"{SERVICE}/UsrGreet/Execute", params={"Name": "long" * 200})
    key = client.get("/sandbox/instances").json()[0]["id"]
    screen = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        browser.get(f"{url}/?process=UsrGreet&instance={key}&entity=SysProcessLog&call=2")
        assert browser.execute_script("return document.documentElement.scrollWidth") == 390
        assert browser.execute_script("const t = document.querySelector('#records .wide'); return t.scrollWidth > 390")
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
