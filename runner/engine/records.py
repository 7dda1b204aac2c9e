"""Records that the engine reads of its own accord, all pages of them. What was not answered is tried again."""

from dataclasses import replace

from runner.engine.effects import Done, Pause, Running, Send
from runner.engine.perform import perform
from runner.engine.process_log import BETWEEN_TRIES, READING_SECONDS, READING_TRIES
from runner.engine.state import State
from runner.foundation.values import Json, JsonObject
from runner.job.model import StepEffect
from runner.service.calls import CallFailed, FailureKind, QueryCall


def read_records(state: State, key: str, call: QueryCall) -> Running[list[JsonObject] | CallFailed]:
    """The records that `call` asks for, no more than its `top`; or why they cannot be read."""
    found: list[JsonObject] = []
    while True:
        answer = yield from _page(state, key, call)
        if isinstance(answer, CallFailed):
            return answer
        page = answer if isinstance(answer, dict) else {}
        records, following = page.get("records"), page.get("next")
        more = [record for record in records if isinstance(record, dict)] if isinstance(records, list) else []
        found += more
        if not isinstance(following, str) or not more or len(found) >= call.top:
            return found[: call.top]
        call = replace(call, next=following)


def _page(state: State, key: str, call: QueryCall) -> Running["Json | CallFailed"]:
    number = 1
    while True:
        send = Send(key=key, call=call, effect=StepEffect.READ, seconds=READING_SECONDS)
        outcome = yield from perform(state, send)
        if isinstance(outcome, Done):
            return outcome.value
        failure = outcome.failure
        if number == READING_TRIES or failure.final or failure.kind is FailureKind.REFUSED:
            return failure
        yield from perform(state, Pause(key=key, seconds=BETWEEN_TRIES))
        number += 1
