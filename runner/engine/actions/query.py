"""A `query`: records through OData, page by page, up to the step's `top`. More are an error, never cut off."""

from runner.engine.answer import judged
from runner.engine.attempt import Attempt, call_failed, not_passed
from runner.engine.effects import Failed, Running
from runner.engine.perform import send
from runner.engine.state import OpenRow
from runner.expressions.evaluate import EvaluationError
from runner.job.actions import Query
from runner.runs.status import Status
from runner.service.calls import QueryCall
from runner.service.odata import Pages


def attempt_query(row: OpenRow) -> Running[Attempt]:
    """Read every page, and a record more than `top`, which shows that there are more."""
    action = row.step.action
    assert isinstance(action, Query)
    condition = None if action.filter is None else row.text(action.filter, "filter")
    if condition is not None and not condition.strip():
        raise EvaluationError("`filter` is empty, which would read all records", hint="to read them all, leave it out")
    call = QueryCall(
        entity=action.entity, filter=condition, select=action.select, orderby=action.orderby, top=action.top + 1
    )
    pages, ends = Pages(call=call, most=call.top), row.t + row.attempt_seconds
    while pages.call is not None:
        outcome = yield from send(row, pages.call)
        if isinstance(outcome, Failed):
            return call_failed(outcome.failure, row.step.effect)
        pages.take(outcome.value, is_late=row.t >= ends)
    if pages.trouble is not None:
        return Attempt(status=Status.ERROR, trouble=pages.trouble)
    if len(pages.records) > action.top:
        message = f"`{action.entity}` has more records than `top: {action.top}` allows"
        hint = "write a larger `top` to read them all, or a `filter` to read fewer"
        return not_passed("E209", message, hint, status=Status.ERROR)
    return judged(row, [*pages.records])
