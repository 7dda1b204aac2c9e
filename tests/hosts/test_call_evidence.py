"""A request as evidence, and where a host writes it down."""

from pathlib import Path

from journals import new_journal, read
from msgspec import UNSET
from no_other_runs import NoOtherRuns
from sites import Answer, site, xml
from stories import RUN, planned

from runner.hosts.local import LocalHost
from runner.hosts.sent_calls import MOST_BYTES, sent_request
from runner.hosts.stop import Stop
from runner.hosts.turns import Turn, Turns
from runner.runs.events import AnyEvent, AttemptFailed, CallAnswered, CallSent, SignedIn
from runner.runs.evidence import SentRequest
from runner.secrets.redact import Secrets
from runner.service.auth import PASSWORD
from runner.service.client import Client
from runner.service.site import Request, Site


def test_a_query_is_taken_apart_where_it_can_be_put_together_again() -> None:
    found = sent_request(Request(method="GET", path="/a/Execute?P=x%20y%26z&$top=1"))
    assert found == SentRequest(method="GET", path="/a/Execute", query=(("P", "x y&z"), ("$top", "1")))
    for kept in ("/a?P=x+y", "/a?P=1&$count"):
        assert sent_request(Request(method="GET", path=kept)) == SentRequest(method="GET", path=kept)


def test_a_body_is_the_json_that_was_sent_and_null_where_it_was_empty() -> None:
    assert sent_request(Request(method="POST", path="/a", body=b'{"x":[1]}')).body == {"x": [1]}
    assert sent_request(Request(method="POST", path="/a", body=b"")).body is None
    assert sent_request(Request(method="GET", path="/a")).body is UNSET


def test_method_path_and_size_of_a_large_request_are_given() -> None:
    large = Request(method="POST", path="/a?b=c", body=b'"' + b"x" * MOST_BYTES + b'"')
    assert sent_request(large) == SentRequest(method="POST", path="/a", left_out=3 + len(large.body or b""))


STEP = "  - id: a\n    execute: {process: UsrA, result: R, parameters: {P: 'x y'}}\n    verify: none\n"


def events_against(folder: Path, answer: Answer) -> list[AnyEvent]:
    """The events of a run of one call to a site that answers so, and has to be signed in to."""
    with site(lambda _method, _path: answer) as served:
        credentials = PASSWORD.credentials(username="somebody", password="hunter-22")
        client = Client(Site(url=served.url, prefix="/0"), credentials=credentials)
        journal = new_journal(folder, Secrets())
        stop, turn = Stop(grace=30.0), Turn(Turns())
        LocalHost(caller=client, journal=journal, stop=stop, turn=turn, ask=lambda *_: True, owned=NoOtherRuns()).carry(
            planned(STEP), RUN
        )
        client.close()
    return [line.event for line in read(folder).lines]


def test_a_call_is_written_down_with_its_request_and_its_answer_with_status_and_size(tmp_path: Path) -> None:
    answer = xml(7)
    events = events_against(tmp_path / "run", answer)
    sent = next(event for event in events if isinstance(event, CallSent))
    answered = next(event for event in events if isinstance(event, CallAnswered))
    path = "/0/ServiceModel/ProcessEngineService.svc/UsrA/Execute"
    query = (("ResultParameterName", "R"), ("P", "x y"))
    assert sent.request == SentRequest(method="GET", path=path, query=query)
    assert (answered.status, answered.bytes) == (200, len(answer.body))
    assert isinstance(sent.t, float)
    assert sent.t <= answered.t


def test_a_sign_in_is_written_down_before_the_call_that_needed_it(tmp_path: Path) -> None:
    events = events_against(tmp_path / "run", xml(7))
    signed_in, sent = (event for event in events if isinstance(event, SignedIn | CallSent))
    assert isinstance(signed_in, SignedIn)
    assert isinstance(sent, CallSent)
    assert (signed_in.key, signed_in.kind) == ("a", "password")


def test_a_call_that_was_refused_is_written_down_with_status_size_and_words(tmp_path: Path) -> None:
    answer = Answer(status=500, body='{"Message":"no luck"}')
    failed = next(event for event in events_against(tmp_path / "run", answer) if isinstance(event, AttemptFailed))
    assert (failed.status, failed.bytes, failed.body) == (500, len(answer.body), "Message: no luck")
