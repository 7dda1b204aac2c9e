"""A document without mistakes → `Job`: defaults are filled in, durations become seconds, the dicts are gone.

Checks nothing: `runner.language.schema` and `runner.job.rules` have found the document clean, and
`runner.language.not_yet` nothing in it that this version lacks. Handed anything else, it raises whatever Python raises.
"""

from collections.abc import Iterator, Mapping

from runner.documents.document import Document
from runner.durations import seconds
from runner.job import defaults
from runner.job.model import (
    Action,
    Decode,
    Element,
    Elements,
    Execute,
    Expectation,
    Expected,
    Input,
    Job,
    OnFailure,
    Retry,
    RetryOn,
    SchemaExpectation,
    Step,
    StepEffect,
    Until,
    Verify,
)
from runner.job.outline import schema_of
from runner.raw import items, one_of, record, sure_text, text
from runner.values import Json, JsonObject, compact

_FOLLOW = 600.0
_TIMEOUT = 100.0
_USUAL_RETRY = Retry()


def job(document: Document) -> Job:
    written = record(document.data)
    return Job(
        name=sure_text(written["name"]),
        file=document.file,
        description=text(written, "description"),
        help=text(written, "help"),
        tags=tuple(sure_text(tag) for tag in items(written.get("tags"))),
        target=text(written, "target"),
        inputs=tuple(_input(name, record(value)) for name, value in record(written.get("inputs")).items()),
        vars=record(written.get("vars")),
        steps=tuple(_steps(document, "steps")),
        final_steps=tuple(_steps(document, "finally")),
        outputs=_expressions(written.get("outputs")),
    )


def _steps(document: Document, section: str) -> Iterator[Step]:
    """The steps of `steps` or of `finally`."""
    written = record(document.data)
    preset = record(written.get("defaults"))
    condition = "success()" if section == "steps" else "always()"
    lines = document.lines_of_items((section,))
    for fields, line in zip(items(written.get(section)), lines, strict=True):
        yield _step(record(fields), preset=preset, condition=condition, line=line)


def _step(fields: JsonObject, *, preset: JsonObject, condition: str, line: int) -> Step:
    return Step(
        id=text(fields, "id"),
        name=text(fields, "name"),
        help=text(fields, "help"),
        condition=_expression(fields["if"]) if "if" in fields else condition,
        effect=defaults.effect(fields) or StepEffect.ONCE,
        retry=_retry(defaults.retry(fields, preset)),
        timeout=_seconds(defaults.setting("timeout", fields, preset), _TIMEOUT),
        follow=_seconds(fields.get("timeout"), _FOLLOW),
        verify=one_of(Verify, defaults.setting("verify", fields, preset), Verify.AUTO),
        expect=tuple(_expected(item) for item in items(fields.get("expect"))),
        outputs=_expressions(fields.get("outputs")),
        secret=fields.get("secret") is True,
        on_failure=one_of(OnFailure, defaults.setting("on_failure", fields, preset), OnFailure.STOP),
        action=_action(fields),
        line=line,
    )


def _action(fields: JsonObject) -> Action:
    match defaults.action(fields):
        case "execute":
            return _execute(record(fields["execute"]))
        case "element":
            return _element(fields["element"])
        case "elements":
            return Elements(items=tuple(_element(item) for item in items(fields["elements"])))
        case other:
            raise AssertionError(other)


def _execute(written: JsonObject) -> Execute:
    return Execute(
        process=sure_text(written["process"]),
        parameters=record(written.get("parameters")),
        result=text(written, "result"),
        required=written.get("required") is True,
        decode=one_of(Decode, written.get("decode"), Decode.AUTO),
        until=one_of(Until, written.get("until"), Until.DONE if "result" in written else Until.STARTED),
    )


def _element(written: Json) -> Element:
    if not isinstance(written, dict):
        return Element(uid=sure_text(written))
    parameters = written.get("parameters")
    return Element(uid=sure_text(written["uid"]), parameters=None if parameters is None else record(parameters))


def _retry(written: JsonObject) -> Retry:
    if not written:
        return _USUAL_RETRY
    usual = _USUAL_RETRY
    return Retry(
        max_attempts=int(_number(written.get("max_attempts"), usual.max_attempts)),
        initial=_seconds(written.get("initial"), usual.initial),
        factor=_number(written.get("factor"), usual.factor),
        max=_seconds(written.get("max"), usual.max),
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


def _input(name: str, written: JsonObject) -> Input:
    return Input(
        name=name,
        schema=schema_of(written),
        secret=written.get("secret") is True,
        required="default" not in written,
        default=written.get("default"),
        description=text(written, "description"),
    )


def _expressions(written: Json) -> Mapping[str, str]:
    return {name: _expression(value) for name, value in record(written).items()}


def _expression(written: Json) -> str:
    """A boolean or a number stands for itself."""
    return written if isinstance(written, str) else compact(written)


def _seconds(written: Json, otherwise: float) -> float:
    found = seconds(written) if isinstance(written, str) else None
    return otherwise if found is None else found


def _number(written: Json, otherwise: float) -> float:
    return float(written) if isinstance(written, int | float) else otherwise
