"""A request within an event: no secret is left in it, also one that is too short to be searched inside of texts."""

from runner.runs.events import CallSent
from runner.runs.evidence import SentRequest
from runner.runs.safe_events import safe
from runner.secrets.redact import Secrets

PIN = "\ue000[inputs.pin]"


def cut(request: SentRequest) -> SentRequest:
    secrets = Secrets()
    secrets.add("inputs.pin", "a1")
    secrets.add("inputs.token", "long enough")
    call = {"kind": "execute", "parameters": {"P": "a1"}}
    event = safe(CallSent(t=0, key="a", effect="once", call=call, request=request), secrets).event
    assert isinstance(event, CallSent)
    assert isinstance(event.request, SentRequest)
    return event.request


def test_a_short_secret_is_a_hole_where_it_is_a_whole_value_of_a_query_or_a_path() -> None:
    found = cut(SentRequest(method="GET", path="/odata/Contact(a1)?x=a1&y=a12", query=(("P", "a1"), ("Q", "a12"))))
    assert found.path == f"/odata/Contact({PIN})?x={PIN}&y=a12"
    assert found.query == (("P", PIN), ("Q", "a12"))


def test_a_short_secret_is_a_hole_within_json_that_is_sent_as_text() -> None:
    found = cut(SentRequest(method="POST", path="/run", query=(("P", '["a1", 2]'),), body=[{"value": '{"k":"a1"}'}]))
    assert found.query == (("P", f'["{PIN}",2]'),)
    assert found.body == [{"value": f'{{"k":"{PIN}"}}'}]


def test_json_that_is_sent_as_text_stays_as_it_is_written_around_a_secret() -> None:
    found = cut(SentRequest(method="POST", path="/run", query=(("P", '{ "k" :  "long enough" }'),)))
    assert found.query == (("P", '{ "k" :  "\ue000[inputs.token]" }'),)
    both = cut(SentRequest(method="POST", path="/run", query=(("P", '["long enough",  "a1"]'),)))
    assert both.query == (("P", f'["\ue000[inputs.token]","{PIN}"]'),)


def test_a_text_without_secrets_stays_as_it_was_sent() -> None:
    found = cut(SentRequest(method="POST", path="/a%20b", query=(("P", "[1, 2]"), ("Q", "[no json")), body=None))
    assert found == SentRequest(method="POST", path="/a%20b", query=(("P", "[1, 2]"), ("Q", "[no json")), body=None)


def test_a_long_secret_is_a_hole_in_its_encoded_spelling() -> None:
    found = cut(SentRequest(method="GET", path="/p/long%20enough"))
    assert "long" not in found.path
    assert found.path.startswith("/p/\ue000[inputs.token")
