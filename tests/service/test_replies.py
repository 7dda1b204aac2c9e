import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.foundation.values import Json
from runner.job.actions import Change, Decode
from runner.service.calls import (
    Answered,
    Call,
    CallFailed,
    CancelCall,
    ChangeCall,
    CompleteCall,
    ElementCall,
    ExecuteCall,
    FailureKind,
    FindProcess,
    QueryCall,
    ReadElements,
    ReadFamily,
    ReadRow,
    ReadRows,
    RunProcessCall,
    WhoAmI,
    WhoIsUser,
)
from runner.service.replies import read
from runner.service.site import CallOptions, ExecuteMethod, Reply, Site

SITE = Site(url="https://user:secret@site.example/app?key=secret")
ON_NET = Site(url="https://site.example", prefix="")
EXECUTE = ExecuteCall(process="UsrGet", parameters={}, result="Value")
AS_TEXT = ExecuteCall(process="UsrGet", parameters={}, result="Value", decode=Decode.TEXT)
ELEMENT = ElementCall(uid="u")
COMPLETE = CompleteCall(uid="u", parameters={})
RUN = RunProcessCall(process="UsrGet", parameters={})
CHANGE = ChangeCall(change=Change.UPDATE, entity="Contact", id="i", values={})
ROWS = ReadRows(process="UsrGet")
QUERY = QueryCall(entity="Contact")
TURNED_AWAY, REFUSED, UNANSWERED = FailureKind.TURNED_AWAY, FailureKind.REFUSED, FailureKind.UNANSWERED

LOGIN = b'<!DOCTYPE html><html><head><title>Creatio</title></head><script src="/Login/NuiLogin.js"></script></html>'
WCF = "The exception message is 'No right &amp; no name'. See server logs for more details."
PAGE = b"<html><head><title>Maintenance</title></head></html>"
MISSING = (
    b"<html><head><title>Request Error</title></head><body><p>The server encountered an error processing the request. "
    b"The exception message is 'Item with name &quot;UsrGet&quot; not found.'. See server logs for more details.</p>"
)
BY_HAND = (
    '{"success": false, "errorInfo": {"message": "Вручную нельзя", '
    '"errorCode": "ProcessCannotBeManuallyStartedException"}}'
)
ABORTED = b"<Fault><Reason><Text>Thread was being aborted.</Text></Reason></Fault>"
FAULT = b"<Fault><Reason><Text>No right to run</Text></Reason></Fault>"


def reply(body: bytes | str = b"", status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers=named, body=body if isinstance(body, bytes) else body.encode())


def wrapped(text: str) -> Reply:
    return reply(f"<string>{text.replace('&', '&amp;').replace('<', '&lt;')}</string>")


def failed(call: Call, answer: Reply) -> tuple[FailureKind, str, str]:
    ending = read(call, answer, site=SITE)
    assert isinstance(ending, CallFailed)
    assert ending.status == answer.status
    assert "secret" not in repr(ending)
    return ending.kind, ending.trouble.code, ending.trouble.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        (" ", None),
        ("null", None),
        ("42", 42),
        ("true", True),
        ('"text"', "text"),
        ('"42"', "42"),
        ('"true"', "true"),
        (json.dumps('[{"Id": "1"}]'), [{"Id": "1"}]),
        (json.dumps(' {"a": "[1]"}'), {"a": "[1]"}),
        ("[1]", [1]),
        (json.dumps("[no list"), "[no list"),
        (json.dumps("[NaN]"), "[NaN]"),
        (json.dumps("a /Login/ b"), "a /Login/ b"),
        ("7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11", "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"),
        ("2026-12-31", "2026-12-31"),
        ("done & dusted", "done & dusted"),
    ],
)
def test_the_text_of_an_execute_is_json_and_json_in_it_is_read_once_more(text: str, value: Json) -> None:
    assert read(EXECUTE, wrapped(text), site=SITE) == Answered(value=value)


PRINTED = """<string xmlns="https://schemas.microsoft.com/2003/10/Serialization/">
"[
{\\"Id\\":\\"1\\",\\"Name\\":\\"Alice\\tMoore\\"},
\t{\\"Id\\":\\"2\\"}\r
]"
</string>"""


def test_an_answer_as_the_page_of_the_vendor_prints_it_is_read() -> None:
    assert read(EXECUTE, reply(PRINTED), site=SITE) == Answered(
        value=[{"Id": "1", "Name": "Alice\tMoore"}, {"Id": "2"}]
    )


@pytest.mark.parametrize(("body", "value"), [('"[{\\"Id\\": 1}]"', [{"Id": 1}]), ("5", 5), ("null", None)])
def test_an_answer_may_come_in_the_record_that_wcf_wraps_it_in(body: str, value: Json) -> None:
    assert read(EXECUTE, reply(f'{{"ExecuteResult": {body}}}'), site=ON_NET) == Answered(value=value)
    assert read(ELEMENT, reply(f'{{"ExecProcElByUIdResult": {body}}}'), site=ON_NET) == Answered(value=value)
    assert failed(EXECUTE, reply(f'{{"ExecuteResult": {body}, "Other": 1}}'))[:2] == (UNANSWERED, "E307")


def test_a_refusal_in_the_record_that_wcf_wraps_it_in_is_one() -> None:
    refused = reply('{"ExecuteResult": {"success": false, "errorInfo": {"message": "No right to run"}}}')
    assert failed(EXECUTE, refused) == (REFUSED, "E205", "site.example refused the call: No right to run")


def test_a_step_can_leave_json_in_a_text_alone() -> None:
    assert read(AS_TEXT, wrapped('"[1]"'), site=SITE) == Answered(value="[1]")
    assert read(AS_TEXT, wrapped("[1]"), site=SITE) == Answered(value=[1])


@pytest.mark.parametrize("body", ["", "null", "<string/>", "<string></string>", '<string xmlns="https://x"/>'])
def test_nothing_is_nothing_in_every_shape(body: str) -> None:
    for call in (EXECUTE, ELEMENT, COMPLETE):
        assert read(call, reply(body), site=SITE) == Answered(value=None)
        assert read(call, reply(status=204), site=SITE) == Answered(value=None)


@pytest.mark.parametrize("text", ['[{"Id', '{"a": ', '"half', "NaN", "1" * 30])
def test_half_a_json_or_json_beyond_bounds_is_nonsense_and_may_have_happened(text: str) -> None:
    kind, code, message = failed(EXECUTE, wrapped(text))
    assert (kind, code) == (UNANSWERED, "E307")
    assert message.startswith("the answer of site.example makes no sense: it")


def test_plain_json_is_read_as_it_is() -> None:
    plain: list[Json] = [7, True, [1]]
    for value in plain:
        assert read(EXECUTE, reply(json.dumps(value)), site=ON_NET) == Answered(value=value)
    for site in (SITE, ON_NET):
        assert read(EXECUTE, reply('"[1]"'), site=site) == Answered(value=[1])
    assert read(ELEMENT, reply('{"success": true}'), site=SITE) == Answered(value={"success": True})


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (r'"null"', None),
        (r'"\"x\""', "x"),
        (r'"\"\""', ""),
        (r'"\"a\" or \"b\""', '"a" or "b"'),
        (r'"\""', '"'),
        (r'"5"', "5"),
        (r'"true"', "true"),
    ],
)
def test_json_that_was_put_into_quotes_once_more_is_read_as_it_was_before(body: str, value: Json) -> None:
    assert read(EXECUTE, reply(body), site=SITE) == Answered(value=value)


DENIED = '{"Message": "Authorization has been denied for this request."}'
SIGNED_OUT = '{"Code": 1, "Message": "session expired", "Exception": null, "PasswordChangeUrl": null}'
STARTED, CANCEL = ExecuteCall(process="UsrGet", parameters={}), CancelCall(process_id="p")


@pytest.mark.parametrize("call", [EXECUTE, STARTED, ELEMENT, CANCEL])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (DENIED, ": Authorization has been denied for this request."),
        (SIGNED_OUT, ": session expired"),
        ('{"Code": 2}', ""),
        ('{"error": {"message": "no upstream"}}', ": no upstream"),
        ('{"statusCode": 503, "message": "no upstream"}', ": no upstream"),
        ('{"ErrorInfo": {"Message": "no upstream"}}', ": no upstream"),
    ],
)
def test_a_record_of_an_error_is_no_answer_and_may_have_happened(call: Call, body: str, said: str) -> None:
    sentence = f"the answer of site.example makes no sense: it is a record of an error{said}"
    assert failed(call, reply(body)) == (UNANSWERED, "E307", sentence)


@pytest.mark.parametrize(
    ("call", "site", "body", "kind"),
    [
        (EXECUTE, SITE, '{"statusCode": 503}', "a record"),
        (EXECUTE, SITE, "{}", "a record"),
        (EXECUTE, ON_NET, '{"Total": 1}', "a record"),
        (STARTED, ON_NET, '{"Message": ""}', "a record"),
        (STARTED, ON_NET, "0", "a number"),
        (STARTED, SITE, "[]", "a list"),
    ],
)
def test_bare_json_that_an_execute_is_never_answered_with_is_a_gateways_and_may_have_happened(
    call: Call, site: Site, body: str, kind: str
) -> None:
    ending = read(call, reply(body), site=site)
    assert isinstance(ending, CallFailed)
    said = f"it is bare JSON, {kind}, which this call is never answered with"
    assert ending.trouble.message == f"the answer of site.example makes no sense: {said}"
    assert (ending.kind, ending.trouble.code) == (UNANSWERED, "E307")


@pytest.mark.parametrize("site", [SITE, ON_NET])
@pytest.mark.parametrize(("body", "value"), [("0", 0), ("true", True), ('[{"Id": "1"}]', [{"Id": "1"}]), ('"a"', "a")])
def test_a_result_may_be_bare_json(site: Site, body: str, value: Json) -> None:
    assert read(EXECUTE, reply(body), site=site) == Answered(value=value)


def test_a_start_without_a_result_may_be_answered_by_a_bare_record_of_its_success() -> None:
    for site in (SITE, ON_NET):
        assert read(STARTED, reply('{"success": true, "errorInfo": null}'), site=site) == Answered(value=None)
        assert failed(STARTED, reply('{"success": true, "errorInfo": {"message": "no"}}'))[:2] == (UNANSWERED, "E307")
    assert failed(EXECUTE, reply('{"success": true}'))[:2] == (UNANSWERED, "E307")


def test_a_result_may_have_a_message_in_a_text() -> None:
    assert read(EXECUTE, wrapped('{"Message": "hi"}'), site=SITE) == Answered(value={"Message": "hi"})


@pytest.mark.parametrize(
    ("call", "text", "shown"),
    [
        (STARTED, "Service is\nunder maintenance", ", but the text `Service is under maintenance`"),
        (ROWS, "OK", ", but the text `OK`"),
        (STARTED, "OK " * 200, f", but the text `{('OK ' * 100)[:299].rstrip()}…`"),
        (EXECUTE, "a secret result", ""),
        (QUERY, "a secret result", ""),
    ],
)
def test_a_text_in_place_of_json_is_shown_where_it_cannot_be_a_result(call: Call, text: str, shown: str) -> None:
    message = failed(call, reply(text))[2]
    assert message == f"the answer of site.example makes no sense: it is no JSON{shown}"


@pytest.mark.parametrize("beginning", ['{"Token": "', '["', '"'])
def test_a_half_of_json_is_not_shown_as_a_text_in_its_place(beginning: str) -> None:
    message = failed(ROWS, reply(f"{beginning}a-long-token"))[2]
    assert message.startswith("the answer of site.example makes no sense: it is no JSON")
    assert "a-long-token" not in message


def test_an_element_that_was_completed_gives_its_execution_data() -> None:
    assert read(COMPLETE, reply('{"success": true, "errorInfo": null}'), site=SITE) == Answered(value=None)
    assert read(COMPLETE, reply('{"success": true, "executionData": {"a": 1}}'), site=SITE) == Answered(value={"a": 1})
    assert failed(COMPLETE, reply("[1]"))[:2] == (UNANSWERED, "E307")


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (COMPLETE, '{"success": false, "errorInfo": {"message": "No right to run"}}'),
        (COMPLETE, '<string>{"success": false, "errorInfo": {"message": "No right to run"}}</string>'),
        (ELEMENT, '{"success": false, "errorInfo": {"message": "No right to run"}}'),
        (ELEMENT, '{"Success": false, "ErrorInfo": {"ErrorCode": "E", "Message": "No right to run"}}'),
        (ELEMENT, '<string>{"Success": false, "ErrorInfo": {"Message": "No right to run"}}</string>'),
        (COMPLETE, '{"Success": false, "ErrorInfo": {"Message": "No right to run"}}'),
        (EXECUTE, '{"Success": false, "ErrorInfo": {"Message": "No right to run"}}'),
        (EXECUTE, '{"success": false, "errorInfo": {"message": "No right to run"}}'),
        (EXECUTE, '{"Message": "No right to run", "ExceptionType": "System.Exception"}'),
        (EXECUTE, FAULT.decode()),
        (ROWS, '{"Message": "No right to run"}'),
        (ROWS, '{"error": {"code": "1", "message": "No right to run"}}'),
        (ROWS, '{"error": {"message": {"lang": "en", "value": "No right to run"}}}'),
    ],
)
def test_a_no_behind_a_200_is_a_refusal_in_the_services_words(call: Call, body: str) -> None:
    assert failed(call, reply(body)) == (REFUSED, "E205", "site.example refused the call: No right to run")


def test_an_answer_that_a_cache_has_had_for_a_while_is_none_to_this_call() -> None:
    answer = reply("<string>5</string>", age="14")
    said = "the answer of site.example is none to this call: a cache gave it, which has had it for 14 s"
    assert failed(EXECUTE, answer) == (REFUSED, "E205", said)
    ending = read(EXECUTE, answer, site=SITE)
    assert isinstance(ending, CallFailed)
    assert ending.unproved
    assert failed(ReadRow(process_id="p"), reply('{"value": []}', age="14"))[:2] == (UNANSWERED, "E307")
    for fresh in ("0", "x", ""):
        assert read(EXECUTE, reply("<string>5</string>", age=fresh), site=SITE) == Answered(value=5)
    assert read(EXECUTE, answer, site=SITE, took=13.5) == Answered(value=5), "a proxy counts the time of the answer"


def test_a_result_that_looks_like_a_refusal_is_a_result() -> None:
    result: Json = {"success": False, "Message": "x", "ExceptionType": "y"}
    assert read(EXECUTE, wrapped(json.dumps(json.dumps(result))), site=SITE) == Answered(value=result)


@pytest.mark.parametrize(
    ("answer", "kind", "code", "said"),
    [
        (
            reply('{"Message": "Authentication failed."}', 401),
            TURNED_AWAY,
            "E304",
            "401 Unauthorized: Authentication failed.",
        ),
        (
            reply(b"", 302, location="/Login/NuiLogin.aspx?ReturnUrl=%2f"),
            TURNED_AWAY,
            "E304",
            "answered with its login page",
        ),
        (
            reply(b"", 302, location="https://site.example/Login/Login.html"),
            TURNED_AWAY,
            "E304",
            "answered with its login page",
        ),
        (
            reply(b"", 302, location="https://sso.example/login?back=secret"),
            TURNED_AWAY,
            "E304",
            "site.example redirects to a login page of another host, `sso.example`",
        ),
        (reply(LOGIN), TURNED_AWAY, "E304", "answered with its login page"),
        (reply(b"", 429, retry_after="7"), TURNED_AWAY, "E310", "answered 429 Too Many Requests"),
        (
            reply(b"", 302, location="https://other/x?a=secret#b"),
            REFUSED,
            "E205",
            "redirects (302 Found) to `https://other/x`, which is on another host",
        ),
        (reply(b"", 301), REFUSED, "E205", "redirects (301 Moved Permanently) to nowhere"),
        (reply(b"", 302, location="/x?back=/Login/"), REFUSED, "E205", "redirects (302 Found) to `/x`"),
        (reply(b"bad value", 400, content_type="text/plain"), REFUSED, "E205", "answered 400 Bad Request: bad value"),
        (reply(LOGIN, 403), REFUSED, "E205", "answered 403 Forbidden: Creatio"),
        (reply(b"", 404), REFUSED, "E205", "answered 404 Not Found"),
        (reply(PAGE, 404), REFUSED, "E205", "answered 404 Not Found: Maintenance"),
        (reply(b"", 418), REFUSED, "E205", "answered 418"),
        (reply(FAULT, 500), REFUSED, "E205", "answered 500 Internal Server Error: No right to run"),
        (reply(FAULT, 501), REFUSED, "E205", "answered 501 Not Implemented: No right to run"),
        (reply('{"ExceptionDetail": {"Message": "Deep"}}', 500), REFUSED, "E205", "500 Internal Server Error: Deep"),
        (reply('{"errorInfo": {"message": "Deep"}}', 500), REFUSED, "E205", "500 Internal Server Error: Deep"),
        (reply('{"ExceptionType": "x"}', 500), REFUSED, "E205", "answered 500 Internal Server Error"),
        (reply('{"error": {"message": "upstream"}}', 500), UNANSWERED, "E309", "Internal Server Error: upstream"),
        (reply(PAGE, 500), UNANSWERED, "E309", "answered 500 Internal Server Error: Maintenance"),
        (reply(b"<feed/>", 500), UNANSWERED, "E309", "answered 500 Internal Server Error"),
        (reply(b"", 408), UNANSWERED, "E309", "answered 408 Request Timeout"),
        (reply(FAULT, 502), UNANSWERED, "E309", "answered 502 Bad Gateway: No right to run"),
        (reply(b"<html><title>503 Service Temporarily", 503), UNANSWERED, "E309", "answered 503 Service Unavailable"),
        (
            reply(b"<html><title>400 No required SSL certificate was sent</title></html>", 400),
            REFUSED,
            "E205",
            "answered 400 Bad Request: 400 No required SSL certificate was sent",
        ),
        (
            reply(b"<html><body><h1>504 Gateway Time-out</h1>\nThe server didn't respond in time.</body></html>", 504),
            UNANSWERED,
            "E309",
            "answered 504 Gateway Timeout: The server didn't respond in time.",
        ),
        (reply(LOGIN, 504), UNANSWERED, "E309", "answered 504 Gateway Timeout: Creatio"),
        (reply(b"", 522), UNANSWERED, "E309", "answered 522"),
        (reply(b"", 999), UNANSWERED, "E309", "answered 999"),
        (reply(b"", 101), UNANSWERED, "E307", "its status is none that ends a call"),
        (reply(PAGE), UNANSWERED, "E307", "it is a web page with the title `Maintenance`"),
        (reply(b"OK"), UNANSWERED, "E307", "it is no JSON"),
    ],
)
def test_each_kind_of_no_has_its_class_and_its_sentence(answer: Reply, kind: FailureKind, code: str, said: str) -> None:
    found, number, message = failed(EXECUTE, answer)
    assert (found, number) == (kind, code)
    assert said in message
    assert message.startswith(
        ("site.example", "the answer of site.example", "the session is not accepted: site.example")
    )


@pytest.mark.parametrize(
    ("answer", "unproved"),
    [
        (reply(FAULT, 403), False),
        (reply('{"Message": "No right", "StackTrace": null, "ExceptionType": "SecurityException"}', 403), False),
        (reply(b"", 404), True),
        (reply(PAGE, 413), True),
        (reply(PAGE, 415), True),
        (reply(PAGE, 414), False),
        (reply(FAULT, 500), True),
        (reply(ABORTED, 500), True),
        (reply('{"Message": "Сервер Redis временно недоступен.", "ExceptionType": "X"}', 500), True),
        (reply('{"Message": "Проверьте права: CanRunBusinessProcesses", "ExceptionType": "X"}', 500), False),
        (reply('{"Message": "Unable to cast object of type A to type B.", "ExceptionType": "X"}', 500), True),
        (reply('{"Message": "Input string was not in a correct format.", "ExceptionType": "X"}', 500), True),
        (reply('{"Message": "The contact was not found", "ExceptionType": "X"}', 500), True),
        (reply('{"Message": "Item with name \\"UsrGet\\" not found.", "ExceptionType": "X"}', 500), False),
        (reply('{"Message": "Item with name \\"Value\\" not found.", "ExceptionType": "X"}', 500), False),
        (reply('{"Message": "Value not found", "ExceptionType": "X"}', 500), True),
        (reply('{"Message": "This process cannot be started manually", "ExceptionType": "X"}', 500), False),
        (reply(ABORTED), True),
        (reply('{"success": false, "errorInfo": {"message": "Execution Timeout Expired."}}'), True),
        (reply('{"success": false, "errorInfo": {"message": "Process UsrGet not found"}}'), False),
        (reply('{"success": false, "errorInfo": {"message": "Вручную нельзя", "errorCode": "DbException"}}'), True),
        (reply(BY_HAND), False),
        (reply('{"title": "An error", "detail": "Item \\"UsrGet\\" not found"}', 500), False),
        (reply(b"Process UsrGet not found", 500, content_type="text/plain"), False),
        (reply('{"error": "Process UsrGet not found"}'), False),
        (reply('{"error": "Process UsrGet not found"}', 404), False),
        (reply('{"detail": "Process schema \\"UsrGet\\" was not found"}', 422), False),
        (reply(b"Unknown process: UsrGet", 404, content_type="text/plain"), False),
        (reply(b"No such process 'UsrGet'", 404, content_type="text/plain"), False),
        (reply(b"Unknown process: UsrGetAll", 404, content_type="text/plain"), True),
        (reply(b"The order of process UsrGet not paid: not found", 404, content_type="text/plain"), True),
        (reply(b"", 403), True),
        (reply(PAGE, 403), True),
        (reply('{"error": {"message": "blocked"}}', 403), True),
        (reply(b"blocked", 403, content_type="text/plain"), True),
        (reply(PAGE, 404), True),
        (reply(PAGE, 400), True),
        (reply(MISSING, 400), False),
        (reply(MISSING.replace(b"UsrGet", b"UsrGetAll"), 400), True),
        (reply(MISSING.replace(b"not found", b"ended badly"), 400), True),
        (reply(b"", 304), True),
        *((reply(FAULT, status), True) for status in (400, 402, 409, 410, 412, 422, 451)),
        *((reply(FAULT, status), False) for status in (403, 404)),
        (reply(b"bad request", 400, content_type="text/plain"), True),
        (reply('{"detail": "Division by zero"}', 400), True),
        (reply('{"detail": "Process UsrGet not found"}', 400), False),
        (reply(b"bad request", 405, content_type="text/plain"), False),
        (reply(b"", 302, location="https://status.example/maintenance"), True),
        (reply(b"", 307, location="/maintenance"), True),
    ],
)
def test_a_refusal_of_a_start_proves_something_only_where_it_is_known_to_be_the_services(
    answer: Reply, *, unproved: bool
) -> None:
    ending = read(EXECUTE, answer, site=SITE)
    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.unproved) == (REFUSED, unproved)
    reading = read(ROWS, answer, site=SITE)
    assert isinstance(reading, CallFailed)
    assert not reading.unproved


@pytest.mark.parametrize("call", [ELEMENT, CHANGE])
def test_a_refused_change_is_looked_for_where_code_that_ran_may_have_refused_it(call: Call) -> None:
    unproved = {}
    for status in (400, 403, 404, 405, 409, 422):
        ending = read(call, reply(FAULT, status), site=SITE)
        assert isinstance(ending, CallFailed)
        unproved[status] = ending.unproved
    assert [status for status, is_open in unproved.items() if is_open] == [400, 409, 422]


@pytest.mark.parametrize(
    "words",
    [
        "We publish the status of this outage on our page",
        "ask for CanRunBusinessProcesses",
        'Key "Value" not found',
        "UsrGet not found",
    ],
)
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_words_that_a_gateway_or_a_script_may_say_prove_nothing_of_a_start(words: str, status: int) -> None:
    for answer in (words, f"<html><title>{words}</title></html>", json.dumps({"detail": words})):
        ending = read(EXECUTE, reply(answer, status, content_type="text/plain"), site=SITE)
        assert isinstance(ending, CallFailed)
        assert ending.kind is UNANSWERED


def test_odata_that_cannot_read_just_now_may_be_asked_again() -> None:
    words = "Collection was modified; enumeration operation may not execute."
    for status in (200, 500):
        answer = reply(json.dumps({"Message": words}), status)
        assert failed(ROWS, answer)[:2] == (UNANSWERED, "E309")
    assert failed(EXECUTE, reply(json.dumps({"Message": words}), 500))[:2] == (REFUSED, "E205")


def test_odata_that_refuses_a_path_with_500_has_refused_it() -> None:
    assert failed(ROWS, reply('{"error": {"message": "no property Name"}}', 500))[:2] == (REFUSED, "E205")


@pytest.mark.parametrize(("prefix", "hint"), [("/0", "`runtime: net`"), ("", "`runtime: net-framework`")])
def test_not_found_hints_at_the_other_runtime(prefix: str, hint: str) -> None:
    ending = read(EXECUTE, reply(b"", 404), site=Site(url="https://x", prefix=prefix))
    assert isinstance(ending, CallFailed)
    assert hint in (ending.trouble.hint or "")
    assert "execute_method" not in (ending.trouble.hint or "")
    by_post = Site(url="https://x", prefix=prefix, calls=CallOptions(execute_method=ExecuteMethod.POST))
    ending = read(EXECUTE, reply(b"", 404), site=by_post)
    assert isinstance(ending, CallFailed)
    assert "or try another `execute_method`" in (ending.trouble.hint or "")


def test_forbidden_hints_at_rights_and_at_bpmcsrf() -> None:
    ending = read(EXECUTE, reply(b"", 403), site=SITE)
    assert isinstance(ending, CallFailed)
    assert "CanRunBusinessProcesses" in (ending.trouble.hint or "")
    assert "BPMCSRF" in (ending.trouble.hint or "")


LONG = ExecuteCall(process="UsrGet", parameters={"Name": "Ж" * 350}, result="Value")
HTML = "<html><title>A potentially dangerous Request.QueryString value was detected</title></html>"


@pytest.mark.parametrize(
    ("call", "answer", "hint"),
    [
        (EXECUTE, reply(MISSING, 400), "check the process's code (not its caption)"),
        (EXECUTE, reply(MISSING.replace(b"Item", b"LicException: Item"), 400), "check the licences of the user"),
        (EXECUTE, reply(b"bad value", 400), "the application's own log may say more"),
        (LONG, reply(b"bad value", 400), "check the names and values of the parameters"),
        (ELEMENT, reply(b"Element is not in running state", 400), "check the id: an element has another in each run"),
        (
            EXECUTE,
            reply(b"<Fault><Reason><Text>X can't be started manually</Text></Reason></Fault>", 500),
            "no call starts it: a signal",
        ),
        (
            LONG,
            reply(b"", 404),
            "the call has 2,131 characters in its address, where IIS takes 2,048",
        ),
        (LONG, reply(HTML, 400), "the call has 2,131 characters in its address"),
        (QueryCall(entity="Contact"), reply(b"No license to work with object", 403), "check the licences"),
        (LONG, reply(b"", 414), "the call has 2,131 characters in its address"),
        (QueryCall(entity="Contact", filter="Ж" * 400), reply(b"", 404), "the call has 2,"),
        (EXECUTE, reply(HTML, 500), "ASP.NET takes a value in the address for HTML: `run`"),
        (EXECUTE, reply(b"", 304), "a cache between here and the site answered"),
        (
            CHANGE,
            reply(b"The property 'Nmae' does not exist on type", 400),
            "check `values`: the columns of the entity",
        ),
        (ROWS, reply(b"Could not find a property named 'OwnerId'", 400), "check that SysProcessLog has the column"),
        (CHANGE, reply(b"", 403), "check that the user may change records of this entity"),
        (CHANGE, reply("no record", 404), "check the entity's name, that the record is there, and `url`"),
        (EXECUTE, reply(b"CSRF", 403), "the site did not take the BPMCSRF of this session"),
        (ROWS, reply(b"CSRF", 403), "the site did not take the BPMCSRF of this session"),
        (EXECUTE, reply(b"", 405), "try another `execute_method` in the target"),
        (ELEMENT, reply(b"", 405), "try another `element_call` in the target"),
        (EXECUTE, reply(b"", 404), "check the process's code and `url` (the root"),
        (RUN, reply(b"", 404), "check whether the site has RunProcess, which `execute` does without; then `url`"),
        (ELEMENT, reply(b"", 404), "check the element's id, and try another `element_call` in the target"),
        (COMPLETE, reply(b"", 404), "check the element's id, and whether the site has CompleteExecuting"),
        (CancelCall(process_id="p"), reply(b"", 404), "check whether the site has CancelExecution; then `url`"),
        (WhoAmI(), reply(b"", 404), "check `url` (the root"),
        (
            QueryCall(entity="SysProcessLog"),
            reply(b"Could not find a property named 'OwnerId'", 400),
            "check that SysProcessLog has the column that the answer names",
        ),
    ],
)
def test_a_refusal_hints_at_what_its_words_and_its_call_are_about(call: Call, answer: Reply, hint: str) -> None:
    ending = read(call, answer, site=SITE)
    assert isinstance(ending, CallFailed)
    assert (ending.trouble.hint or "").startswith(hint)


@pytest.mark.parametrize(
    ("status", "body", "hint"),
    [
        (200, '{"Message":"No HTTP resource was found"}', "the entity's name"),
        (500, '{"error":{"message":"Column by path Nmae not found"}}', "its columns"),
        (400, "", "`select`"),
        (403, "", "may read"),
        (404, "", "the entity's name and `url`"),
    ],
)
def test_a_query_that_is_refused_is_not_blamed_on_a_process(status: int, body: str, hint: str) -> None:
    ending = read(QUERY, reply(body, status), site=SITE)
    assert isinstance(ending, CallFailed)
    assert ending.trouble.code == "E205"
    assert hint in (ending.trouble.hint or "")
    assert "process" not in (ending.trouble.hint or "")


@pytest.mark.parametrize(
    ("call", "status", "hint"),
    [
        (ROWS, 403, "read SysProcessLog through OData, and perhaps the operation CanManageProcessLogSection"),
        (ReadElements(process_id="p"), 403, "read SysProcessElementLog through OData, and perhaps the operation"),
        (WhoIsUser(), 403, "give the user the right to read SysAdminUnit through OData"),
        (
            ROWS,
            404,
            "check that the site gives SysProcessLog through OData, and that what is in between lets `/0/odata/`",
        ),
    ],
)
def test_a_reading_that_is_refused_says_what_the_user_must_be_allowed_to_read(
    call: Call, status: int, hint: str
) -> None:
    ending = read(call, reply("", status), site=SITE)
    assert isinstance(ending, CallFailed)
    assert hint in (ending.trouble.hint or "")
    assert "CanRunBusinessProcesses" not in (ending.trouble.hint or "")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "²"}, None),
        ({"retry-after": "9" * 5000}, 999999999.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:28:30 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_by_the_servers_own_clock(
    headers: dict[str, str], seconds: float | None
) -> None:
    for status in (429, 503):
        ending = read(EXECUTE, Reply(status=status, headers=headers, body=b""), site=SITE)
        assert isinstance(ending, CallFailed)
        assert ending.retry_after == seconds


@pytest.mark.parametrize("body", ["", "null", "1", "[]", "{}", '{"value": null}', '{"value": [1]}'])
def test_what_is_no_collection_is_no_answer_to_a_reading(body: str) -> None:
    for call in (ROWS, ReadRow(process_id="p"), ReadElements(process_id="p"), FindProcess(process="P"), WhoIsUser()):
        assert failed(call, reply(body))[:2] == (UNANSWERED, "E307")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{}", "missing"),
        ('{"executionData": {"a": 1}}', "missing"),
        ('{"success": null}', "null"),
        ('{"success": "false"}', "a text"),
        ('{"success": "true"}', "a text"),
        ('{"success": 1}', "a number"),
        ('<string>{"success": "false"}</string>', "a text"),
    ],
)
def test_only_a_boolean_says_whether_an_element_was_completed(body: str, said: str) -> None:
    sentence = f"the answer of site.example makes no sense: its `success` is {said}"
    assert failed(COMPLETE, reply(body)) == (UNANSWERED, "E307", sentence)
    if said != "missing":
        assert failed(ELEMENT, reply(body)) == (UNANSWERED, "E307", sentence)


def test_an_element_that_answers_with_a_record_of_its_own_has_been_executed() -> None:
    assert read(ELEMENT, reply('{"Result": 1}'), site=SITE) == Answered(value={"Result": 1})
    assert read(ELEMENT, reply("{}"), site=SITE) == Answered(value={})


def test_a_refusal_of_an_element_is_one_in_xml_too() -> None:
    body = '<string>{"success": false, "errorInfo": {"message": "No right to run"}}</string>'
    assert failed(ELEMENT, reply(body)) == (REFUSED, "E205", "site.example refused the call: No right to run")


@given(
    call=st.sampled_from(
        [
            EXECUTE,
            ELEMENT,
            COMPLETE,
            ROWS,
            ReadRow(process_id="p"),
            FindProcess(process="p"),
            ReadFamily(root="r"),
            WhoAmI(),
        ]
    ),
    status=st.sampled_from([200, 201, 204, 302, 400, 401, 404, 429, 500, 503, 600]),
    body=st.binary(max_size=100) | st.sampled_from([LOGIN, PAGE, FAULT, b'{"value": [{"Id": 1}]}', b'{"error": 1}']),
    location=st.text(max_size=20),
)
def test_any_reply_to_any_call_is_a_value_or_a_failure(call: Call, status: int, body: bytes, location: str) -> None:
    answer = reply(body, status, location=location, retry_after=location, date=location, content_type=location)
    ending = read(call, answer, site=SITE)
    assert isinstance(ending, Answered | CallFailed)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"errorInfo": {"errorCode": "SecurityException", "message": "", "stackTrace": "at X"}}', "SecurityException"),
        ('{"responseStatus": {"ErrorCode": "E", "Message": "No such schema"}, "success": false}', "No such schema"),
        ('{"title": "Validation failed", "status": 400, "errors": {"top": ["too many"]}}', "Request: top: too many"),
        ('{"title": "Bad Request", "status": 400, "detail": "No such process", "traceId": "0"}', "t: No such process"),
        ('{"type": "https://x/y", "title": "Not permitted", "status": 400}', "Request: Not permitted"),
        ("<Error><Detail>No right</Detail></Error>", "No right"),
        ("<Fault><Code>no words</Code></Fault>", "no words"),
        ("<html><title>Request Error</title><p>The exception message is &#39;&#39;</p></html>", "Request Error"),
        (f"<html><title>Request Error</title><p>{WCF}</p></html>", "Request Error: No right & no name"),
        ("<html><body>Blocked by policy 7</body></html>", "Blocked by policy 7"),
        ("blocked", "blocked"),
    ],
)
def test_a_refusal_is_reported_in_the_services_words_whatever_their_form(body: str, said: str) -> None:
    kind, code, message = failed(EXECUTE, reply(body, 400))
    assert (kind, code) == (REFUSED, "E205")
    assert message.startswith("site.example answered 400 Bad Request: ")
    assert said in message


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (reply('{"errorInfo": {"message": "no", "stackTrace": "at X"}, "success": false}'), "at X"),
        (reply(FAULT, 500), "No right to run"),
        (reply(PAGE, 503), "Maintenance"),
        (reply(PAGE), "Maintenance"),
        (reply("no more", 429), "no more"),
    ],
)
def test_what_a_failed_call_was_answered_with_is_kept_beside_the_sentence(answer: Reply, body: str) -> None:
    ending = read(COMPLETE, answer, site=SITE)
    assert isinstance(ending, CallFailed)
    assert body in (ending.body or "")


def test_half_an_emoji_in_a_record_is_replaced_and_in_a_result_is_an_answer_that_cannot_be_read() -> None:
    page = reply(r'{"value": [{"Name": "Ann \ud83d"}, {"Name": "Bob \ud83d\ude00"}]}')
    names: Json = {"records": [{"Name": "Ann \ufffd"}, {"Name": "Bob \N{GRINNING FACE}"}], "next": None}
    assert read(QUERY, page, site=SITE) == Answered(value=names)
    assert "half of a surrogate pair" in failed(EXECUTE, reply(r'"cut \ud83d"'))[2]


@pytest.mark.parametrize("call", [QUERY, ROWS])
def test_a_list_that_broke_off_with_an_error_is_no_list(call: Call) -> None:
    body = '{"value": [], "error": {"code": "x", "message": "the writer broke"}}'
    kind, code, message = failed(call, reply(body))
    assert (kind, code) == (UNANSWERED, "E307")
    assert "it holds an error beside its records: the writer broke" in message


@pytest.mark.parametrize("call", [QUERY, ROWS, EXECUTE])
def test_a_part_of_an_answer_is_none(call: Call) -> None:
    assert failed(call, reply('{"value": []}', status=206))[:2] == (UNANSWERED, "E307")


def test_what_aspnet_takes_for_html_is_refused_once_the_log_shows_no_start() -> None:
    ending = read(EXECUTE, reply(HTML, 500), site=SITE)
    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.unproved) == (REFUSED, True)


REFUSED_BY_RULES = b"<html><body><h1>403 Forbidden</h1>\nRequest forbidden by rules.\n</body></html>\n"


@pytest.mark.parametrize("call", [EXECUTE, ROWS, QUERY, ELEMENT, CancelCall(process_id="p")])
def test_a_refusal_by_a_page_is_a_gateways_and_no_right_is_named(call: Call) -> None:
    ending = read(call, reply(REFUSED_BY_RULES, 403, server="haproxy"), site=SITE)
    assert isinstance(ending, CallFailed)
    assert ending.trouble.message == "site.example answered 403 Forbidden: Request forbidden by rules."
    hint = ending.trouble.hint or ""
    assert hint.startswith("a gateway (`haproxy`) before the site refused this with a page, not the service: ")
    assert "`/0/odata/`" in hint
    assert "right" not in hint
    own = read(call, reply('{"error": {"message": "no permissions"}}', 403), site=SITE)
    assert isinstance(own, CallFailed)
    assert "gateway" not in (own.trouble.hint or "")


def test_who_is_asked_to_call_later_is_told_how_to_bound_the_pace() -> None:
    ending = read(EXECUTE, reply(b"", 429), site=SITE)
    assert isinstance(ending, CallFailed)
    assert "`rate: 2/s`" in (ending.trouble.hint or "")
