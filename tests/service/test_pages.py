"""Readings that a site answers in pages: no page alone is taken for the whole."""

from collections.abc import Callable
from urllib.parse import parse_qs

import httpx
import pytest
from answers import Answers

from runner.foundation.values import Json, JsonObject
from runner.service.calls import (
    MOST_ROWS,
    Answered,
    Call,
    CallFailed,
    Ending,
    FailureKind,
    FindProcess,
    ReadElements,
    ReadRow,
    ReadRows,
    WhoIsUser,
)
from runner.service.client import Client
from runner.service.site import Site

ROWS = ReadRows(process="UsrAdd")
SITE = Site(url="https://site.example/app")


class Log:
    """Answers with the records in pages of `size`; `link` writes the way to the next one, from a query."""

    def __init__(self, records: list[Json], *, size: int, link: Callable[[str], Json]) -> None:
        self.records = records
        self.size = size
        self.link = link
        self.asked: list[tuple[str, str]] = []
        self.pause = 0.0
        self.now = 0.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        target: bytes = request.extensions["target"]
        path, _, query = target.decode().partition("?")
        self.asked.append((request.url.host, path))
        self.now += self.pause
        skip = int(parse_qs(query).get("$skiptoken", ["0"])[0])
        answer: JsonObject = {"value": self.records[skip : skip + self.size]}
        if skip + self.size < len(self.records):
            answer["@odata.nextLink"] = self.link(f"$skiptoken={skip + self.size}")
        return httpx.Response(200, json=answer)


def absolute(query: str) -> str:
    return f"https://site.example/app/0/odata/SysProcessLog?{query}"


def read(call: Call, log: Log, *, seconds: float = 5) -> Ending:
    return Client(SITE, transport=Answers(log), clock=lambda: log.now).perform(call, seconds)


def rows(count: int) -> list[Json]:
    return [{"Id": f"r{number}", "ContactId": f"c{number}"} for number in range(count)]


def ids(ending: Ending) -> list[Json]:
    assert isinstance(ending, Answered), ending
    assert isinstance(ending.value, list)
    return [row["id"] for row in ending.value if isinstance(row, dict)]


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize(
    "link",
    [
        absolute,
        lambda query: f"SysProcessLog?{query}",
        lambda query: f"?{query}",
        lambda query: f"/app/0/odata/SysProcessLog?{query}",
        lambda query: f"http://10.0.0.5:8080/app/0/odata/SysProcessLog?{query}",
    ],
    ids=["absolute", "by entity", "by query", "from the root", "by another host"],
)
def test_rows_on_further_pages_are_rows_of_the_log(size: int, link: Callable[[str], Json]) -> None:
    log = Log(rows(4), size=size, link=link)

    assert ids(read(ROWS, log)) == ["r0", "r1", "r2", "r3"]
    assert set(log.asked) == {("site.example", "/app/0/odata/SysProcessLog")}


def test_no_more_pages_are_read_than_hold_the_rows_that_are_asked_for() -> None:
    log = Log(rows(9), size=2, link=absolute)

    assert len(ids(read(ReadRows(process="UsrAdd", top=3), log))) >= 3
    assert len(log.asked) == 2


def test_as_many_rows_are_asked_for_as_one_reading_can_tell_apart() -> None:
    assert (ROWS.top, MOST_ROWS) == (200, 200)


@pytest.mark.parametrize(
    ("call", "records", "value"),
    [
        (FindProcess(process="P"), [{"Id": "A"}, {"Id": "B", "IsActiveVersion": True}], "b"),
        (WhoIsUser(), [{"ContactId": "C"}, {"ContactId": "D"}], "c"),
    ],
)
def test_what_one_record_answers_is_searched_for_on_every_page(call: Call, records: list[Json], value: Json) -> None:
    log = Log(records, size=1, link=lambda query: f"?{query}")

    assert read(call, log) == Answered(value=value)
    assert len(log.asked) == 2


def test_elements_are_read_from_every_page() -> None:
    log = Log([{"Caption": "A"}, {"Caption": "B"}], size=1, link=lambda query: f"?{query}")
    ending = read(ReadElements(process_id="p"), log)

    assert isinstance(ending, Answered)
    assert isinstance(ending.value, list)
    assert [element["caption"] for element in ending.value if isinstance(element, dict)] == ["A", "B"]


def test_one_row_that_is_there_is_answer_enough() -> None:
    log = Log(rows(2), size=1, link=absolute)
    ending = read(ReadRow(process_id="r0"), log)

    assert isinstance(ending, Answered)
    assert len(log.asked) == 1


@pytest.mark.parametrize(
    ("link", "said"),
    [
        (1, "the link to its next page is a number"),
        ("/elsewhere", "its next page is no page of OData on this site"),
        ("https://evil.example/0/elsewhere?$skiptoken=1", "its next page is no page of OData on this site"),
    ],
)
def test_a_next_page_that_cannot_be_read_leaves_the_log_unread(link: Json, said: str) -> None:
    log = Log(rows(2), size=1, link=lambda _: link)
    ending = read(ROWS, log)

    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.trouble.code) == (FailureKind.UNANSWERED, "E307")
    assert ending.trouble.message == f"the answer of site.example makes no sense: {said}"
    assert len(log.asked) == 1


def test_an_empty_page_that_leads_on_is_not_followed() -> None:
    log = Log([], size=1, link=absolute)
    empty: JsonObject = {"value": [], "@odata.nextLink": absolute("$skiptoken=0")}
    client = Client(SITE, transport=Answers(lambda _: httpx.Response(200, json=empty)))
    ending = client.perform(ROWS, 5)

    assert read(ROWS, log) == Answered(value=[])
    assert isinstance(ending, CallFailed)
    assert ending.trouble.message.endswith("makes no sense: a page of it is empty and leads to another")


def test_pages_that_lead_in_a_circle_end_with_the_rows_that_are_asked_for() -> None:
    log = Log(rows(2), size=1, link=lambda _: absolute("$skiptoken=0"))

    assert len(ids(read(ROWS, log))) == MOST_ROWS


def test_all_pages_share_one_deadline() -> None:
    log = Log(rows(9), size=1, link=absolute)
    log.pause = 2.0
    ending = read(ROWS, log, seconds=5)

    assert isinstance(ending, CallFailed)
    assert ending.trouble.code == "E305"
    assert len(log.asked) == 3


def test_a_page_that_is_not_answered_leaves_the_log_unread() -> None:
    log = Log(rows(4), size=2, link=absolute)

    def answer(request: httpx.Request) -> httpx.Response:
        if log.asked:
            raise httpx.ReadTimeout("x")
        return log(request)

    ending = Client(SITE, transport=Answers(answer)).perform(ROWS, 5)

    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.trouble.code) == (FailureKind.UNANSWERED, "E305")
