"""A `query`: records through OData, page by page, up to the step's `top`. More are an error, never cut off."""

from msgspec.structs import replace

from runner.engine.answer import judged
from runner.engine.attempt import Attempt, call_failed, not_passed
from runner.engine.effects import Failed, Running
from runner.engine.perform import send
from runner.engine.process_log import no_end
from runner.engine.state import OpenRow
from runner.foundation.raw import items, record
from runner.foundation.values import Json
from runner.job.actions import Query
from runner.runs.status import Status
from runner.service.calls import QueryCall


def attempt_query(row: OpenRow) -> Running[Attempt]:
    """Read every page. One record more than `top` is asked for, so that more of them show."""
    action = row.step.action
    assert isinstance(action, Query)
    condition = None if action.filter is None else row.text(action.filter, "filter")
    call = QueryCall(
        entity=action.entity, filter=condition, select=action.select, orderby=action.orderby, top=action.top + 1
    )
    records: list[Json] = []
    pages, ends = set[str](), row.t + row.attempt_seconds
    while True:
        outcome = yield from send(row, call)
        if isinstance(outcome, Failed):
            return call_failed(outcome.failure, row.step.effect)
        page = record(outcome.value)
        found, following = items(page.get("records")), page.get("next")
        records += found
        if len(records) > action.top:
            message = f"`{action.entity}` has more records than `top: {action.top}` allows"
            hint = "write a larger `top` to read them all, or a `filter` to read fewer"
            return not_passed("E209", message, hint, status=Status.ERROR)
        if not isinstance(following, str):
            return judged(row, records)
        if following in pages or not (found or row.t < ends):
            return Attempt(status=Status.ERROR, trouble=no_end(action.entity))
        pages.add(following)
        call = replace(call, next=following)
