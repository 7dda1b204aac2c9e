"""Makes a `Job` of a document without mistakes: with defaults, in seconds, without dicts.

It checks nothing, and reads no other file: jobs and cases in files of their own are handed in.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import cast

from msgspec import Struct

from runner.foundation.values import (
    Json,
    JsonObject,
    ValuePath,
    as_text,
    duration,
    enum_member,
    items,
    number,
    record,
    sure_text,
    text,
)
from runner.job import defaults, model
from runner.job.actions import ACTIONS, Failures, IncludedJob
from runner.job.actions.failures import SINCE_RUN
from runner.job.outline import declared_inputs
from runner.reading.document import Document

_USUAL_RETRY = model.Retry()
_NO_JOBS: Mapping[ValuePath, model.Job] = {}


class _Whole(Struct, frozen=True, kw_only=True):
    """The document that a step is part of, the `defaults` of its job, and the jobs in the place of its steps."""

    document: Document
    preset: JsonObject
    included: Mapping[ValuePath, model.Job]


def job(
    document: Document,
    *,
    included: Mapping[ValuePath, model.Job] = _NO_JOBS,
    cases: tuple[model.Case, ...] | None = None,
) -> model.Job:
    """The job of `document`; `included` are jobs in place of steps, by their paths."""
    written = record(document.data)
    whole = _Whole(document=document, preset=record(written.get("defaults")), included=included)
    steps = _steps(written.get("steps"), ("steps",), whole=whole, condition="success()")
    final_steps = _steps(written.get("finally"), ("finally",), whole=whole, condition="always()")
    return model.Job(
        name=sure_text(written["name"]),
        file=document.file,
        description=text(written, "description"),
        help=text(written, "help"),
        tags=tuple(sure_text(tag) for tag in items(written.get("tags"))),
        target=text(written, "target"),
        timeout=duration(written.get("timeout")),
        cleanup_timeout=duration(written.get("cleanup_timeout")) or model.CLEANUP_SECONDS,
        concurrency=text(written, "concurrency"),
        needs=tuple(sure_text(name) for name in items(written.get("needs"))),
        inputs=declared_inputs(written.get("inputs")),
        cases=cases,
        vars=record(written.get("vars")),
        steps=steps,
        final_steps=final_steps,
        outputs=_expressions(written.get("outputs")),
        moments=frozenset(_moments((*steps, *final_steps))),
    )


def _steps(written: Json, path: ValuePath, *, whole: _Whole, condition: str) -> tuple[model.Step, ...]:
    """The steps of the list at `path`; `condition` holds where a step has no `if`."""
    lines = whole.document.lines_of_items(path)
    return tuple(
        _step(record(fields), (*path, index), whole=whole, condition=condition, line=line)
        for index, (fields, line) in enumerate(zip(items(written), lines, strict=True))
    )


def _moments(steps: tuple[model.Step, ...]) -> Iterator[str]:
    """The steps since which failures are counted, also in `undo` and in included jobs."""
    for step in steps:
        match step.action:
            case Failures(since=since):
                yield since
            case IncludedJob(job=inner) if SINCE_RUN in inner.moments:
                yield SINCE_RUN
        if step.undo is not None:
            yield from _moments(step.undo.steps)


def _undo(written: Json, path: ValuePath, *, whole: _Whole) -> model.Undo | None:
    """The undo of a step; its steps are carried out whatever else failed, unless they say otherwise."""
    if written is None:
        return None  # as of most steps, whose lines need not be asked for
    if isinstance(written, dict):
        step = _step(written, path, whole=whole, condition="always()", line=whole.document.line_of(path))
        return model.Undo(steps=(step,), alone=True)
    steps = _steps(written, path, whole=whole, condition="always()")
    return model.Undo(steps=steps, alone=False) if steps else None


def _step(fields: JsonObject, path: ValuePath, *, whole: _Whole, condition: str, line: int) -> model.Step:
    preset = whole.preset
    each = fields.get("for_each")
    action = next(known for key, known in ACTIONS.items() if key in fields)
    return model.Step(
        id=text(fields, "id"),
        name=text(fields, "name"),
        help=text(fields, "help"),
        condition=as_text(fields["if"]) if "if" in fields else condition,
        effect=defaults.effect(fields) or model.StepEffect.READ,  # a `job` has none of its own
        retry=_retry(defaults.retry(fields, preset)),
        timeout=duration(defaults.timeout(fields, preset)),
        follow=duration(fields.get("timeout")) or model.FOLLOW_SECONDS,
        verify=enum_member(model.Verify, defaults.setting("verify", fields, preset), model.Verify.AUTO),
        expect=tuple(_expected(item) for item in items(fields.get("expect"))),
        outputs=_expressions(fields.get("outputs")),
        secret=fields.get("secret") is True,
        on_failure=enum_member(model.OnFailure, defaults.setting("on_failure", fields, preset), model.OnFailure.STOP),
        action=action.build(fields[action.key], whole.included.get(path)),
        for_each=each if isinstance(each, str | list) else None,
        undo=_undo(fields.get("undo"), (*path, "undo"), whole=whole),
        line=line,
    )


def _retry(written: JsonObject) -> model.Retry:
    if not written:
        return _USUAL_RETRY
    usual = _USUAL_RETRY
    return model.Retry(
        max_attempts=number(written.get("max_attempts"), usual.max_attempts),
        initial=duration(written.get("initial")) or usual.initial,
        factor=_number(written.get("factor"), usual.factor),
        max=duration(written.get("max")) or usual.max,
        jitter=_number(written.get("jitter"), usual.jitter),
        on=frozenset(model.RetryOn(sure_text(item)) for item in items(written.get("on"))) or usual.on,
    )


def _expected(written: Json) -> model.Expected:
    if not isinstance(written, dict):
        return _expectation(as_text(written))
    message = text(written, "message")
    if "schema" in written:
        schema = written["schema"]
        return model.SchemaExpectation(schema=schema if isinstance(schema, bool) else record(schema), message=message)
    return model.Expectation(that=as_text(written["that"]), message=message)


@lru_cache(maxsize=256)  # many steps expect the same
def _expectation(that: str) -> model.Expectation:
    return model.Expectation(that=that)


def _expressions(written: Json) -> Mapping[str, str]:
    """A boolean or a number is its own value."""
    values = record(written)
    if all(isinstance(value, str) for value in values.values()):
        return cast("Mapping[str, str]", values)
    return {name: as_text(value) for name, value in values.items()}


def _number(written: Json, otherwise: float) -> float:
    return float(written) if isinstance(written, int | float) else otherwise
