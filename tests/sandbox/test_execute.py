import json
from collections.abc import Callable, Mapping
from urllib.parse import quote
from xml.etree import ElementTree as ET

import httpx
import pytest

from runner.foundation.values import Json

Site = Callable[[Mapping[str, str]], httpx.Client]
SERVICE = "/0/ServiceModel/ProcessEngineService.svc"
EXECUTE = f"{SERVICE}/UsrEcho/Execute"
STRING = '<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">'

HALF_WAY = """
runner: 1
process: UsrHalfWay
parameters:
  Score: {type: integer, direction: out}
activities:
  - set: {Score: 7}
  - fail: No such <contact> & no way
"""

SLOW = """
runner: 1
process: UsrSlow
parameters:
  Score: {type: integer, direction: out}
activities:
  - set: {Score: 1}
  - delay: 300ms
  - set: {Score: 2}
"""


def held(reply: httpx.Response) -> str:
    """The text inside the service's XML, as a client with a regular expression takes it out."""
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "application/xml; charset=utf-8"
    assert reply.text.startswith(STRING)
    inner = reply.text.removeprefix(STRING).removesuffix("</string>")
    return inner.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def log_rows(client: httpx.Client, process: str) -> list[dict[str, Json]]:
    rows = client.get("/0/odata/SysProcessLog", params={"$filter": f"SysSchema/Name eq '{process}'"}).json()["value"]
    assert isinstance(rows, list)
    return rows


VALUES = [
    ("Text", "plain", '"plain"'),
    ("Text", 'a "quoted" \\ <b>&amp;</b>\n', '"a \\"quoted\\" \\\\ <b>&amp;</b>\\n"'),
    ("Text", "Кирилиця + 😀 %41", '"Кирилиця + 😀 %41"'),
    ("Text", "\x01\x7f", '"\\u0001\x7f"'),
    ("Text", "￾", '"\\ufffe"'),
    ("Count", "42", "42"),
    ("Price", "99.99", "99.99"),
    ("Flag", "true", "true"),
    ("Key", "7D8F6F3E-5A52-4B8F-9A54-2B6F0F8C1A11", '"7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"'),
    ("At", "2026-12-31T23:59:59Z", '"2026-12-31T23:59:59Z"'),
    ("Day", "2026-12-31", '"2026-12-31"'),
    ("Clock", "18:45:00", '"18:45:00"'),
]


@pytest.mark.parametrize(("code", "sent", "expected"), VALUES)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("prefix", ["/0", ""])
def test_a_value_comes_back_in_json_within_xml(
    shared_echo: httpx.Client, *, prefix: str, method: str, code: str, sent: str, expected: str
) -> None:
    url = f"{EXECUTE.removeprefix('/0' if not prefix else '')}?ResultParameterName={code}&{code}={quote(sent, safe='')}"
    assert held(shared_echo.request(method, url)) == expected


def test_records_come_back_as_json_within_a_json_text(shared_echo: httpx.Client) -> None:
    rows = [{"Id": "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11", "Name": 'O"Hara & Söhne', "Rank": 1}]
    reply = shared_echo.get(EXECUTE, params={"ResultParameterName": "Rows", "Rows": json.dumps(rows)})
    text = json.loads(held(reply))
    assert isinstance(text, str)
    assert json.loads(text) == rows


def test_an_empty_collection_is_a_text_too(shared_echo: httpx.Client) -> None:
    assert held(shared_echo.get(EXECUTE, params={"ResultParameterName": "Rows"})) == '"[]"'


def test_only_the_three_characters_are_escaped_and_no_declaration_comes_before(shared_echo: httpx.Client) -> None:
    reply = shared_echo.get(EXECUTE, params={"ResultParameterName": "Text", "Text": "<a> & 'b' é"})
    assert reply.text == f"{STRING}\"&lt;a&gt; &amp; 'b' é\"</string>"


def test_the_query_is_read_as_a_form(shared_echo: httpx.Client) -> None:
    assert held(shared_echo.get(f"{EXECUTE}?ResultParameterName=Text&Text=a+b%2Bc%20d")) == '"a b+c d"'


@pytest.mark.parametrize("code", ["Nothing", "text", "Hidden", ""])
def test_a_result_that_the_process_does_not_give_is_null(shared_echo: httpx.Client, code: str) -> None:
    assert held(shared_echo.get(EXECUTE, params={"ResultParameterName": code})) == "null"


def test_unknown_parameters_are_dropped_in_silence(shared_echo: httpx.Client) -> None:
    sent = {"ResultParameterName": "Text", "text": "a", "Caption": "b", "Made": "c", "Hidden": "d"}
    assert held(shared_echo.get(EXECUTE, params=sent)) == '""'
    assert held(shared_echo.get(EXECUTE, params={"ResultParameterName": "Made", "Made": "c"})) == '""'


def test_without_a_result_the_reply_is_an_empty_string(echo: httpx.Client) -> None:
    reply = echo.get(EXECUTE, params={"Text": "a"})
    assert held(reply) == ""
    assert len(log_rows(echo, "UsrEcho")) == 1


@pytest.mark.parametrize(("code", "sent"), [("Count", "many"), ("Key", "{1}"), ("Flag", "yes"), ("Rows", "[1]")])
def test_a_value_that_cannot_be_read_is_a_fault_and_starts_nothing(
    shared_echo: httpx.Client, code: str, sent: str
) -> None:
    before = log_rows(shared_echo, "UsrEcho")
    reply = shared_echo.get(EXECUTE, params={code: sent})
    assert reply.status_code == 500
    assert reply.text.startswith("<Fault ")
    assert code in reply.text
    assert log_rows(shared_echo, "UsrEcho") == before


@pytest.mark.parametrize("process", ["UsrNothing", "usrecho", "%3Cb%3E%00"])
def test_an_unknown_process_is_a_fault(shared_echo: httpx.Client, process: str) -> None:
    reply = shared_echo.get(f"{SERVICE}/{process}/Execute")
    assert reply.status_code == 500
    assert reply.headers["content-type"].startswith("application/xml")
    assert ET.fromstring(reply.text).tag == "{http://schemas.microsoft.com/ws/2005/05/envelope/none}Fault"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "UsrEcho/execute"),
        ("PUT", "UsrEcho/Execute"),
        ("DELETE", "UsrEcho/Execute"),
        ("HEAD", "UsrEcho/Execute"),
        ("GET", "Execute"),
        ("GET", "RunProcess"),
        ("GET", "CompleteExecuting"),
        ("GET", ""),
        ("GET", "../Nothing.svc/X"),
    ],
)
def test_what_is_not_routed_is_404_with_an_empty_body(shared_echo: httpx.Client, method: str, path: str) -> None:
    before = log_rows(shared_echo, "UsrEcho")
    reply = shared_echo.request(method, f"{SERVICE}/{path}")
    assert (reply.status_code, reply.content) == (404, b"")
    assert log_rows(shared_echo, "UsrEcho") == before


def test_a_process_that_failed_still_answers_200_with_the_value_it_holds(site: Site) -> None:
    client = site({"a.process.yaml": HALF_WAY})
    reply = client.get(f"{SERVICE}/UsrHalfWay/Execute", params={"ResultParameterName": "Score"})
    assert held(reply) == "7"
    (row,) = log_rows(client, "UsrHalfWay")
    assert row["StatusId"] == "f942c08d-b6e2-df11-971b-001d60e938c6"
    assert row["ErrorDescription"] == "No such <contact> & no way"


def test_a_caller_that_asks_for_a_result_waits_for_the_end(site: Site) -> None:
    client = site({"a.process.yaml": SLOW})
    assert held(client.get(f"{SERVICE}/UsrSlow/Execute", params={"ResultParameterName": "Score"})) == "2"


def test_a_caller_that_asks_for_none_is_answered_at_the_first_delay_and_the_rest_is_done_later(site: Site) -> None:
    client = site({"a.process.yaml": SLOW})
    assert held(client.get(f"{SERVICE}/UsrSlow/Execute")) == ""
    assert log_rows(client, "UsrSlow")[0]["CompleteDate"] is None
    client.get(f"{SERVICE}/UsrSlow/Execute", params={"ResultParameterName": "Score"})
    assert log_rows(client, "UsrSlow")[0]["CompleteDate"] is not None


def test_a_long_query_is_read_whole(shared_echo: httpx.Client) -> None:
    sent = {"ResultParameterName": "Text", "Text": "x" * 60_000}
    assert len(held(shared_echo.get(EXECUTE, params=sent))) == 60_002
