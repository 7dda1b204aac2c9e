"""Records that the engine reads of its own accord, all pages of them. What was not answered is tried again."""

from dataclasses import replace

from runner.engine import process_log
from runner.engine.effects import Running
from runner.engine.process_log import Unread
from runner.engine.state import State
from runner.foundation.values import JsonObject
from runner.service.calls import CallFailed, QueryCall


def read_records(state: State, key: str, call: QueryCall) -> Running[list[JsonObject] | CallFailed]:
    """The records that `call` asks for, no more than its `top`; or why they cannot be read."""
    found: list[JsonObject] = []
    while True:
        answer = yield from process_log.read(state, key, call)
        if isinstance(answer, Unread):
            return answer.failure
        page = answer if isinstance(answer, dict) else {}
        records, following = page.get("records"), page.get("next")
        more = [record for record in records if isinstance(record, dict)] if isinstance(records, list) else []
        found += more
        if not isinstance(following, str) or not more or len(found) >= call.top:
            return found[: call.top]
        call = replace(call, next=following)
