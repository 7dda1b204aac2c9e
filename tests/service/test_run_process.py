import json

import pytest

from runner.foundation.values import Json, JsonObject
from runner.service import odata
from runner.service.calls import Answered, CallFailed, FailureKind, RunProcessCall
from runner.service.replies import read
from runner.service.site import Reply, Site

SITE = Site(url="https://site.example")
CALL = RunProcessCall(process="UsrAdd", parameters={}, results=("Score",))
ID = "1f0c9a3e-92a3-4c0b-8f1c-0a9b6f6a0001"
NO_ID = "00000000-0000-0000-0000-000000000000"
ENDED: JsonObject = {
    "processId": ID,
    "processStatus": 2,
    "resultParameterValues": {"Score": 7},
    "executionData": None,
    "success": True,
    "errorInfo": None,
}


def ending(**changes: Json) -> Answered | CallFailed:
    body = json.dumps({**ENDED, **changes}).encode()
    found = read(CALL, Reply(status=200, headers={}, body=body), site=SITE)
    assert not isinstance(found, odata.RecordsPage)
    return found


def answered(**changes: Json) -> JsonObject:
    found = ending(**changes)
    assert isinstance(found, Answered), found
    assert isinstance(found.value, dict)
    return found.value


def failed(**changes: Json) -> tuple[FailureKind, str, str]:
    found = ending(**changes)
    assert isinstance(found, CallFailed), found
    return found.kind, found.trouble.code, found.trouble.message


def test_a_process_that_ended_is_reported_with_its_id_and_its_results() -> None:
    assert answered() == {"process_id": ID, "status": "done", "results": {"Score": 7}, "error": None}


@pytest.mark.parametrize(
    ("status", "process_id", "word"),
    [
        (0, NO_ID, "queued"),
        (0, None, "queued"),
        (0, ID, "inactive"),
        (1, ID, "running"),
        (2, ID.upper(), "done"),
        (3, ID, "error"),
        (4, ID, "cancelled"),
        (5, ID, "cancelling"),
        (6, ID, "6"),
        (-1, ID, "-1"),
    ],
)
def test_each_status_has_its_word_and_one_that_is_unknown_is_its_number(
    status: int, process_id: str | None, word: str
) -> None:
    found = answered(processStatus=status, processId=process_id)

    assert found["status"] == word
    assert found["process_id"] == (ID if process_id and process_id != NO_ID else None)


def test_success_is_not_the_verdict() -> None:
    words: JsonObject = {"errorCode": None, "message": "An error has occurred", "stackTrace": None}

    for success in (True, False):
        found = answered(processStatus=3, success=success, errorInfo=words)
        assert (found["status"], found["process_id"], found["error"]) == ("error", ID, "An error has occurred")


def test_a_refusal_is_reported_in_the_services_own_words() -> None:
    words: JsonObject = {"errorCode": "ItemNotFoundException", "message": 'Process "UsrAdd" was not found'}
    refused = failed(success=False, processId=NO_ID, processStatus=0, errorInfo=words)

    assert refused == (
        FailureKind.REFUSED,
        "E205",
        'site.example refused the call: Process "UsrAdd" was not found [ItemNotFoundException]',
    )
    by_hand: JsonObject = {"errorCode": "ProcessCannotBeManuallyStartedException", "message": "Вручную нельзя"}
    assert "a `signal` step changes the record" in str(ending(success=False, processId=NO_ID, errorInfo=by_hand))
    assert "`runner catalog check -t TARGET`" in str(ending(success=False, processId=NO_ID, errorInfo=words))
    assert failed(success=False, processId=None, processStatus=3)[0] is FailureKind.REFUSED
    assert failed(success=False, processStatus=0)[0] is FailureKind.REFUSED
    assert failed(success=False, processId=NO_ID, errorInfo=None)[2] == ("site.example refused the call without a word")


@pytest.mark.parametrize(("status", "word"), [(1, "running"), (2, "done")])
def test_a_refusal_that_names_the_process_that_has_begun_is_none(status: int, word: str) -> None:
    found = answered(success=False, processStatus=status)
    assert (found["process_id"], found["status"], found["error"]) == (ID, word, "its `success` is false")


@pytest.mark.parametrize("success", [False, "false", "False", 0])
def test_an_answer_that_is_done_and_says_in_any_spelling_that_it_did_not_succeed_holds_an_error(success: Json) -> None:
    found = answered(success=success, processStatus=2)
    assert (found["status"], found["error"]) == ("done", "its `success` is false")


@pytest.mark.parametrize("status", [[], {}, [3], "x", 3.5])
def test_a_refusal_whose_status_is_none_is_a_refusal(status: Json) -> None:
    assert failed(success=False, processStatus=status)[0] is FailureKind.REFUSED


def test_results_stay_what_they_are_and_a_collection_is_json_in_json() -> None:
    values: JsonObject = {
        "Text": "007",
        "Word": "true",
        "Float": "1e3",
        "Number": 1.5,
        "Flag": False,
        "None": None,
        "Rows": '[{"Id":"1","Rows":"[1]"}]',
        "Brackets": "[no list",
    }

    assert answered(resultParameterValues=values)["results"] == {**values, "Rows": [{"Id": "1", "Rows": "[1]"}]}


PAIR: JsonObject = {"Key": "Score", "Value": "42"}


def test_results_may_be_written_as_wcf_writes_a_dictionary() -> None:
    assert answered(resultParameterValues=[PAIR])["results"] == {"Score": "42"}


def test_no_results_are_an_empty_record() -> None:
    assert answered(resultParameterValues=None)["results"] == {}
    assert answered(resultParameterValues=[])["results"] == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"processId": None, "processStatus": None}, "its `processStatus` is null"),
        ({"processId": NO_ID, "processStatus": "x"}, "its `processStatus` is a text"),
        ({"processId": "", "processStatus": True}, "its `processStatus` is a boolean"),
        ({"resultParameterValues": [7]}, "its `resultParameterValues` are a list"),
        ({"resultParameterValues": [PAIR, PAIR]}, "its `resultParameterValues` are a list"),
        ({"resultParameterValues": [PAIR | {"More": 1}]}, "its `resultParameterValues` are a list"),
        ({"processId": "not-a-guid", "processStatus": 1}, "its `processId` is no GUID, but `not-a-guid`"),
        ({"processId": ID + "0"}, f"its `processId` is no GUID, but `{ID}0`"),
        ({"processId": 5}, "its `processId` is no GUID, but a number"),
        ({"processId": NO_ID, "success": None}, "it holds no `processId`, and its `success` is null"),
        (
            {"processId": None, "processStatus": 0, "success": "false"},
            "it holds no `processId`, and its `success` is a text",
        ),
    ],
)
def test_a_reply_that_names_no_process_is_nonsense(changes: JsonObject, said: str) -> None:
    assert failed(**changes) == (
        FailureKind.UNANSWERED,
        "E307",
        f"the answer of site.example makes no sense: {said}",
    )


@pytest.mark.parametrize(
    ("status", "word"),
    [
        *(("2", "done"), ("3", "error"), ("0", "inactive"), ("99", "99"), ("Completed", "Completed")),
        *(("", "a text"), (None, "null"), (True, "a boolean"), (3.5, "a number"), ([], "a list")),
    ],
)
def test_the_id_counts_also_where_the_status_beside_it_is_no_number(status: Json, word: str) -> None:
    """By it the log shows how the process ended: in doubt it would be started again."""
    found = answered(processStatus=status)
    assert (found["process_id"], found["status"]) == (ID, word)


def test_an_id_may_be_in_braces() -> None:
    assert answered(processId="{" + ID.upper() + "}")["process_id"] == ID
    assert answered(processId="{" + NO_ID + "}", processStatus=0)["process_id"] is None


def test_what_succeeded_needs_no_process_with_an_id() -> None:
    for success in (None, "false", "true"):
        for status, word in ((1, "running"), (2, "done"), (3, "error")):
            found = answered(success=success, processStatus=status)
            assert (found["process_id"], found["status"]) == (ID, word)


def test_a_refusal_needs_no_sound_id() -> None:
    assert failed(success=False, processId="none", processStatus=0)[0] is FailureKind.REFUSED


def test_a_reply_without_an_id_and_without_success_names_no_process() -> None:
    body = json.dumps({"processStatus": 0}).encode()
    found = read(CALL, Reply(status=200, headers={}, body=body), site=SITE)

    assert isinstance(found, CallFailed)
    assert (found.kind, found.trouble.code) == (FailureKind.UNANSWERED, "E307")
    assert found.trouble.message.endswith("it holds no `processId`, and its `success` is missing")


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"42", b'<string>"x"</string>', b"<html></html>"])
def test_a_reply_of_another_kind_may_have_started_the_process(body: bytes) -> None:
    found = read(CALL, Reply(status=200, headers={}, body=body), site=SITE)

    assert isinstance(found, CallFailed)
    assert (found.kind, found.trouble.code) == (FailureKind.UNANSWERED, "E307")


def test_a_reply_that_is_wrapped_in_xml_is_read_like_a_bare_one() -> None:
    body = f"<string>{json.dumps(ENDED)}</string>".encode()

    assert read(CALL, Reply(status=200, headers={}, body=body), site=SITE) == ending()


def test_a_collection_that_was_modified_is_a_refusal_of_a_process_and_no_answer_to_a_reading() -> None:
    body = b'{"Message":"Collection was modified; enumeration operation may not execute."}'
    found = read(CALL, Reply(status=500, headers={}, body=body), site=SITE)

    assert isinstance(found, CallFailed)
    assert found.kind is FailureKind.REFUSED
