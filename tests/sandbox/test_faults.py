import threading
import time
from collections.abc import Callable, Mapping

import httpx
import pytest

from runner.foundation.values import Json
from runner.sandbox.doubles import CallFault, Double
from runner.sandbox.fault_kinds import FAULT_KINDS
from runner.sandbox.faults import Faults

Site = Callable[[Mapping[str, str]], httpx.Client]
SERVICE = "/0/ServiceModel/ProcessEngineService.svc"
DONE, FAILED = "815c9586-b6e2-df11-971b-001d60e938c6", "f942c08d-b6e2-df11-971b-001d60e938c6"
UID = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
FILES = {
    "a.process.yaml": """
runner: 1
process: UsrMark
parameters: {Made: {type: guid, direction: out}}
activities:
  - insert: {entity: Mark, into: Made}
""",
    "b.process.yaml": f"""
runner: 1
process: UsrParked
activities:
  - element: {{uid: {UID}}}
  - insert: {{entity: Mark}}
""",
}


@pytest.fixture
def marks(site: Site) -> httpx.Client:
    return site(FILES)


def set_fault(client: httpx.Client, fault: str, **more: Json) -> None:
    assert client.post("/sandbox/faults", json={"fault": fault, "times": 1, **more}).status_code == 200


def execute(client: httpx.Client) -> httpx.Response:
    return client.get(f"{SERVICE}/UsrMark/Execute?ResultParameterName=Made")


def run(client: httpx.Client) -> httpx.Response:
    return client.post(f"{SERVICE}/RunProcess", json={"schemaName": "UsrMark", "resultParameterNames": ["Made"]})


def reached(client: httpx.Client) -> str:
    """The id of the first element that a process came to, or that of no element."""
    held = client.get("/0/odata/SysProcessElementLog").json()["value"]
    return str(held[0]["Id"]) if held else UID


def element(client: httpx.Client) -> httpx.Response:
    return client.get(f"{SERVICE}/ExecProcElByUId/{reached(client)}")


def complete(client: httpx.Client) -> httpx.Response:
    return client.post(f"{SERVICE}/CompleteExecuting", json={"processElementUId": reached(client)})


def happened(client: httpx.Client) -> int:
    """How often something was done: by a start, or behind the element."""
    return int(client.get("/odata/Mark/$count").text)


CALLS = [execute, run, element, complete]
Call = Callable[[httpx.Client], httpx.Response]


@pytest.fixture(params=CALLS, ids=lambda call: call.__name__)
def call(request: pytest.FixtureRequest, marks: httpx.Client) -> Call:
    made: Call = request.param
    if made in {element, complete}:
        marks.get(f"{SERVICE}/UsrParked/Execute")
    return made


@pytest.mark.parametrize(("fault", "done"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_call_has_no_answer_at_all(marks: httpx.Client, call: Call, fault: str, done: int) -> None:
    set_fault(marks, fault)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        call(marks)
    assert happened(marks) == done


@pytest.mark.parametrize(
    ("fault", "status", "kind", "text", "done"),
    [
        ("status_500", 500, "application/xml", "<Fault ", 0),
        ("gateway_504", 504, "text/html", "<html><head><title>504 Gateway Time-out", 1),
        ("unauthorized", 401, "application/json", '{"Message":"Authentication failed."', 0),
        ("html", 200, "text/html", "<html><head><title>Down for maintenance", 1),
    ],
)
def test_another_answer_is_in_the_place_of_the_right_one(
    marks: httpx.Client, call: Call, *, fault: str, status: int, kind: str, text: str, done: int
) -> None:
    set_fault(marks, fault)
    reply = call(marks)
    assert (reply.status_code, reply.headers["content-type"].partition(";")[0]) == (status, kind)
    assert reply.text.startswith(text)
    assert happened(marks) == done
    assert call(marks).status_code == 200
    assert happened(marks) == (done + 1 if call in {execute, run} else 1)


def test_a_call_is_sent_to_the_login_page_and_nothing_happens(marks: httpx.Client, call: Call) -> None:
    set_fault(marks, "login_page")
    reply = call(marks)
    assert (reply.status_code, reply.headers["location"]) == (302, "/Login/NuiLogin.aspx")
    marks.cookies.clear()
    page = marks.get(reply.headers["location"], headers={"BPMCSRF": ""})
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "/Login/" in page.text


def test_half_of_an_answer_promises_the_whole(marks: httpx.Client, call: Call) -> None:
    set_fault(marks, "half_body")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        call(marks)
    assert happened(marks) == 1


def test_a_slow_answer_is_late_and_what_it_reports_has_happened_before(marks: httpx.Client, call: Call) -> None:
    set_fault(marks, "slow", seconds=0.3)
    start = time.perf_counter()
    waiting = threading.Thread(target=lambda: call(marks))
    waiting.start()
    while marks.get("/sandbox/calls").json()[0]["fault"] is None:
        pass
    assert happened(marks) == 1
    waiting.join()
    assert time.perf_counter() - start >= 0.3


def test_a_queued_process_has_no_id_and_its_row_appears_later(marks: httpx.Client) -> None:
    set_fault(marks, "queued", seconds=0.1)
    said = run(marks).json()
    assert (said["success"], said["processStatus"], said["processId"]) == (True, 0, f"{0:08}-0000-0000-0000-{0:012}")
    assert happened(marks) == 0
    set_fault(marks, "queued", seconds=0.1)
    assert execute(marks).text.endswith(">null</string>")
    set_fault(marks, "queued", seconds=0.1)
    assert marks.get(f"{SERVICE}/UsrMark/Execute").text.endswith("></string>")
    deadline = time.monotonic() + 300
    while happened(marks) < 3:
        assert time.monotonic() < deadline
    rows = marks.get("/odata/SysProcessLog").json()["value"]
    assert [row["StatusId"] for row in rows] == [DONE] * 3


def test_a_good_answer_says_nothing_of_a_process_that_failed(marks: httpx.Client) -> None:
    set_fault(marks, "success_but_error", process="UsrMark")
    said = run(marks).json()
    assert (said["success"], said["processStatus"]) == (True, 3)
    set_fault(marks, "success_but_error")
    made = execute(marks)
    assert made.status_code == 200
    assert marks.get("/odata/Mark").json()["value"][1]["Id"] in made.text
    for row in marks.get("/odata/SysProcessLog").json()["value"]:
        assert (row["StatusId"], "success_but_error" in row["ErrorDescription"]) == (FAILED, True)


@pytest.mark.parametrize("fault", ["queued", "success_but_error"])
def test_a_fault_of_starts_passes_elements_by(marks: httpx.Client, fault: str) -> None:
    marks.get(f"{SERVICE}/UsrParked/Execute")
    set_fault(marks, fault)
    assert element(marks).status_code == 200
    assert happened(marks) == 1
    assert len(marks.get("/sandbox/faults").json()) == 1


def test_faults_of_a_file_are_applied_to_calls_in_order(site: Site) -> None:
    faults = "faults:\n  - {fault: status_500, times: 2}\n  - {fault: html, times: 1}\n  - {fault: unauthorized}\n"
    client = site({**FILES, "a.process.yaml": FILES["a.process.yaml"] + faults})
    assert [run(client).status_code for _ in range(6)] == [500, 500, 200, 401, 401, 401]
    assert happened(client) == 1
    assert client.delete("/sandbox/faults").json() == []
    assert run(client).json()["processStatus"] == 2


def test_a_fault_of_one_process_leaves_the_others_alone(marks: httpx.Client) -> None:
    set_fault(marks, "status_500", process="UsrParked")
    assert run(marks).status_code == 200
    assert marks.get(f"{SERVICE}/UsrParked/Execute").status_code == 500


def test_a_call_that_is_refused_anyway_meets_no_fault(marks: httpx.Client) -> None:
    set_fault(marks, "drop_before")
    assert marks.get(f"{SERVICE}/UsrNothing/Execute").status_code == 500
    assert len(marks.get("/sandbox/faults").json()) == 1


def test_what_is_left_of_the_faults_is_listed(marks: httpx.Client) -> None:
    marks.post("/sandbox/faults", json={"fault": "slow", "process": "UsrMark", "times": 2, "seconds": 0.01})
    marks.post("/sandbox/faults", json={"fault": "html", "process": None, "times": None, "seconds": None})
    run(marks)
    assert marks.get("/sandbox/faults").json() == [
        {"fault": "slow", "process": "UsrMark", "times": 1, "seconds": 0.01},
        {"fault": "html", "process": None, "times": None, "seconds": None},
    ]


def test_nobody_signs_in_to_set_a_fault(marks: httpx.Client) -> None:
    reply = httpx.post(f"{marks.base_url}/sandbox/faults", content=b'{"fault": "slow"}', trust_env=False)
    assert reply.json() == [{"fault": "slow", "process": None, "times": None, "seconds": 5.0}]


MISTAKES: list[tuple[bytes, str]] = [
    (b"", 'the body is no JSON record, as in {"fault": "slow", "times": 1, "seconds": 5}'),
    (b"[]", 'the body is no JSON record, as in {"fault": "slow", "times": 1, "seconds": 5}'),
    (b"\xff", 'the body is no JSON record, as in {"fault": "slow", "times": 1, "seconds": 5}'),
    (b'{"fault": "slow", "tiems": 1}', "unknown key `tiems`: did you mean `times`?"),
    (b'{"fault": "slow", "x": 1}', "unknown key `x`: it is one of fault, process, times, seconds"),
    (
        b"{}",
        f"`fault` is missing: it is one of {', '.join(FAULT_KINDS)}",
    ),
    (b'{"fault": "slwo"}', "there is no fault `slwo`: did you mean `slow`?"),
    (b'{"fault": 5}', "`fault` is a text, not 5"),
    (b'{"fault": "slow", "process": "UsrMakr"}', "there is no process `UsrMakr`: did you mean `UsrMark`?"),
    (b'{"fault": "slow", "process": ["UsrMark"]}', '`process` is a text, not ["UsrMark"]'),
    (b'{"fault": "slow", "times": 0}', "`times` is a whole number of at least 1, not 0"),
    (b'{"fault": "slow", "times": true}', "`times` is a whole number of at least 1, not true"),
    (b'{"fault": "slow", "times": "2"}', '`times` is a whole number of at least 1, not "2"'),
    (
        b'{"fault": "slow", "seconds": 0}',
        "`seconds` is a number of seconds, more than 0 and at most a year, not 0",
    ),
    (
        b'{"fault": "slow", "seconds": 1e99}',
        "`seconds` is a number of seconds, more than 0 and at most a year, not 1e+99",
    ),
    (
        b'{"fault": "slow", "seconds": 1e999}',
        'the body is no JSON record, as in {"fault": "slow", "times": 1, "seconds": 5}',
    ),
    (b'{"fault": "html", "seconds": 1}', "only slow and queued take `seconds`"),
]


@pytest.mark.parametrize(("body", "sentence"), MISTAKES, ids=[mistake[0].decode("latin-1") for mistake in MISTAKES])
def test_what_is_no_fault_is_reported_in_a_sentence_and_sets_none(
    marks: httpx.Client, body: bytes, sentence: str
) -> None:
    reply = marks.post("/sandbox/faults", content=body)
    assert (reply.status_code, reply.json()) == (400, {"error": sentence})
    assert marks.get("/sandbox/faults").json() == []


def taken(faults: Faults, process: str) -> str | None:
    found = faults.take(process, starts=True)
    return None if found is None else found.kind


def test_faults_with_times_come_before_those_without_and_a_process_s_own_before_any() -> None:
    faults = Faults([Double(code="A", caption="A", file="a", parameters={}, activities=())])
    faults.add(CallFault(kind="html"), None)
    faults.add(CallFault(kind="slow"), "A")
    faults.add(CallFault(kind="drop_after", times=1), None)
    faults.add(CallFault(kind="status_500", times=1), "A")
    faults.add(CallFault(kind="drop_before", times=1), "A")
    expected = ["status_500", "drop_before", "drop_after", "slow", "slow"]
    assert [taken(faults, "A") for _ in expected] == expected
    assert taken(faults, "B") == "html"


def test_a_fault_without_times_takes_the_place_of_its_like() -> None:
    faults = Faults([])
    for kind in ("slow", "html"):
        faults.add(CallFault(kind=kind), None)
    assert taken(faults, "A") == "html"
    assert len(faults.listed()) == 1
