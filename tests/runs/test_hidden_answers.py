"""Which answers a run was written without, so that it may not be resumed."""

import pytest

from runner.foundation.values import Json
from runner.runs.events import CallAnswered, Row, Section, decode
from runner.runs.hidden_answers import SECRET_VALUE, HiddenAnswer, hidden_answer
from runner.runs.safe_events import LARGE, referred_to, safe
from runner.secrets.redact import Secrets

CERTAIN, PERHAPS = (HiddenAnswer(key="a", is_certain=certain) for certain in (True, False))


def row(kind: str, effect: str = "once", *, needed: bool) -> Row:
    where = {"id": "a", "name": "a", "section": Section.STEPS, "index": None, "line": 1}
    return Row(key="a", kind=kind, effect=effect, needs_result=needed, **where)  # type: ignore[arg-type]


def hidden(value: Json, of: Row) -> HiddenAnswer | None:
    return hidden_answer(CallAnswered(key="a", t=1.0, value=value), of)


def cut(secret: str) -> Json:
    secrets = Secrets()
    secrets.add(secret, "web-node-1")
    return secrets.cut({"processId": "1", "results": {"Out": "on web-node-1"}})


@pytest.mark.parametrize("value", [SECRET_VALUE, cut("target.cookie.SERVERID"), cut("target.token")])
def test_a_secret_that_nobody_knows_any_more_matters_where_the_job_needs_what_the_process_gave(value: Json) -> None:
    assert hidden(value, row("execute", needed=True)) == CERTAIN
    assert hidden(value, row("execute", needed=False)) is None
    assert hidden(value, row("execute", "idempotent", needed=False)) == PERHAPS
    assert hidden(value, row("query", "read", needed=False)) == CERTAIN


def test_the_answer_of_a_run_names_its_process_which_is_always_needed() -> None:
    assert hidden(SECRET_VALUE, row("run", needed=False)) == CERTAIN
    assert hidden(cut("target.cookie.SERVERID"), row("run", needed=False)) is None
    assert hidden(cut("target.cookie.SERVERID"), row("run", needed=True)) == CERTAIN


@pytest.mark.parametrize("value", [cut("inputs.token"), cut("target.password"), "plain", 7, None, {"a": "\ue000"}])
def test_what_is_given_again_hides_nothing(value: Json) -> None:
    assert hidden(value, row("execute", needed=True)) is None


@pytest.mark.parametrize(
    ("secret", "known"), [("target.cookie.SERVERID", CERTAIN), ("target.token", CERTAIN), ("inputs.token", None)]
)
def test_an_answer_that_lies_in_a_file_of_its_own_says_that_a_secret_was_cut_out_of_it(
    secret: str, known: HiddenAnswer | None
) -> None:
    secrets = Secrets()
    secrets.add(secret, "web-node-1")
    stored = safe(CallAnswered(key="a", t=1.0, value=["web-node-1", "x" * LARGE]), secrets)
    assert isinstance(stored.event, CallAnswered)
    assert stored.apart is not None
    assert referred_to(stored.event.value) == stored.apart.name
    assert hidden(stored.event.value, row("execute", needed=True)) == known
    assert decode(stored.body) == stored.event
