"""A `query`: records through OData, page by page, up to the step's `top`. More are an error, never cut off."""

from dataclasses import replace

from runner.engine.answer import judged
from runner.engine.attempt import Attempt, of_failed_call
from runner.engine.effects import Failed, Running, Send
from runner.engine.perform import perform
from runner.engine.state import OpenRow, State
from runner.foundation.values import Json
from runner.job.actions import Query
from runner.job.model import Step
from runner.runs.events import Status, Trouble
from runner.service.calls import QueryCall


def attempt_query(state: State, row: OpenRow, step: Step) -> Running[Attempt]:
    """Read every page. One record more than `top` is asked for, so that more of them show."""
    action = step.action
    assert isinstance(action, Query)
    call = _call(state, row, action)
    records: list[Json] = []
    while True:
        seconds = state.attempt_seconds(row, step)
        send = Send(key=row.key, call=call, effect=step.effect, seconds=seconds, secret=step.secret)
        outcome = yield from perform(state, send)
        if isinstance(outcome, Failed):
            return of_failed_call(outcome.failure, step.effect)
        page = outcome.value if isinstance(outcome.value, dict) else {}
        found, following = page.get("records"), page.get("next")
        records.extend(found if isinstance(found, list) else [])
        if len(records) > action.top:
            return _too_many(action)
        if not isinstance(following, str) or not found:
            return judged(state, row, step, records)
        call = replace(call, next=following)


def _call(state: State, row: OpenRow, action: Query) -> QueryCall:
    condition = None if action.filter is None else state.names.text(action.filter, f"{row.key}.filter")
    return QueryCall(
        entity=action.entity, filter=condition, select=action.select, orderby=action.orderby, top=action.top + 1
    )


def _too_many(action: Query) -> Attempt:
    message = f"`{action.entity}` has more records than `top: {action.top}` allows"
    hint = "a larger `top` reads them all, a `filter` fewer"
    return Attempt(status=Status.ERROR, trouble=Trouble(code="E209", message=message, hint=hint))
