"""A document without mistakes → `Job`: defaults are filled in, durations become seconds, the dicts are gone.

Checks nothing: `runner.language.schema` and `runner.job.rules` have found the document clean, and
`runner.language.not_yet` nothing in it that this version lacks. Handed anything else, it raises whatever Python raises.
Reads no other file either: the jobs and cases that stand in files of their own are handed in.
"""

from collections.abc import Iterator, Mapping

from runner.documents.document import Document
from runner.job import defaults
from runner.job.build_action import action
from runner.job.model import (
    Case,
    Expectation,
    Expected,
    Job,
    OnFailure,
    Retry,
    RetryOn,
    SchemaExpectation,
    Step,
    StepEffect,
    Verify,
)
from runner.job.outline import declared_inputs
from runner.raw import duration, items, number, one_of, record, sure_text, text
from runner.values import Json, JsonObject, Path, compact

_FOLLOW = 600.0
_USUAL_RETRY = Retry()
_NO_JOBS: Mapping[Path, Job] = {}


def job(document: Document, *, included: Mapping[Path, Job] = _NO_JOBS, cases: tuple[Case, ...] | None = None) -> Job:
    """The job that `document` holds. `included` are the jobs in the place of steps, by the paths of these steps."""
    written = record(document.data)
    return Job(
        name=sure_text(written["name"]),
        file=document.file,
        description=text(written, "description"),
        help=text(written, "help"),
        tags=tuple(sure_text(tag) for tag in items(written.get("tags"))),
        target=text(written, "target"),
        inputs=declared_inputs(written.get("inputs")),
        cases=cases,
        vars=record(written.get("vars")),
        steps=tuple(_steps(document, "steps", included)),
        final_steps=tuple(_steps(document, "finally", included)),
        outputs=_expressions(written.get("outputs")),
    )


def _steps(document: Document, section: str, included: Mapping[Path, Job]) -> Iterator[Step]:
    """The steps of `steps` or of `finally`."""
    written = record(document.data)
    preset = record(written.get("defaults"))
    condition = "success()" if section == "steps" else "always()"
    lines = document.lines_of_items((section,))
    for index, (fields, line) in enumerate(zip(items(written.get(section)), lines, strict=True)):
        other = included.get((section, index))
        yield _step(record(fields), preset=preset, condition=condition, line=line, included=other)


def _step(fields: JsonObject, *, preset: JsonObject, condition: str, line: int, included: Job | None) -> Step:
    each = fields.get("for_each")
    return Step(
        id=text(fields, "id"),
        name=text(fields, "name"),
        help=text(fields, "help"),
        condition=_expression(fields["if"]) if "if" in fields else condition,
        effect=defaults.effect(fields) or StepEffect.READ,  # a `job` has none of its own
        retry=_retry(defaults.retry(fields, preset)),
        timeout=duration(defaults.timeout(fields, preset)),
        follow=duration(fields.get("timeout")) or _FOLLOW,
        verify=one_of(Verify, defaults.setting("verify", fields, preset), Verify.AUTO),
        expect=tuple(_expected(item) for item in items(fields.get("expect"))),
        outputs=_expressions(fields.get("outputs")),
        secret=fields.get("secret") is True,
        on_failure=one_of(OnFailure, defaults.setting("on_failure", fields, preset), OnFailure.STOP),
        action=action(fields, included=included),
        for_each=each if isinstance(each, str | list) else None,
        line=line,
    )


def _retry(written: JsonObject) -> Retry:
    if not written:
        return _USUAL_RETRY
    usual = _USUAL_RETRY
    return Retry(
        max_attempts=number(written.get("max_attempts"), usual.max_attempts),
        initial=duration(written.get("initial")) or usual.initial,
        factor=_number(written.get("factor"), usual.factor),
        max=duration(written.get("max")) or usual.max,
        jitter=_number(written.get("jitter"), usual.jitter),
        on=frozenset(RetryOn(sure_text(item)) for item in items(written.get("on"))) or usual.on,
    )


def _expected(written: Json) -> Expected:
    if not isinstance(written, dict):
        return Expectation(that=_expression(written))
    message = text(written, "message")
    if "schema" in written:
        schema = written["schema"]
        return SchemaExpectation(schema=schema if isinstance(schema, bool) else record(schema), message=message)
    return Expectation(that=_expression(written["that"]), message=message)


def _expressions(written: Json) -> Mapping[str, str]:
    return {name: _expression(value) for name, value in record(written).items()}


def _expression(written: Json) -> str:
    """A boolean or a number stands for itself."""
    return written if isinstance(written, str) else compact(written)


def _number(written: Json, otherwise: float) -> float:
    return float(written) if isinstance(written, int | float) else otherwise
