"""What a schema cannot say of a job's inputs: that each is a JSON Schema, and that its default fits it."""

from runner.foundation.values import JsonObject, Path
from runner.job.outline import schema_of
from runner.json_schema import schemas
from runner.json_schema.as_type import as_wanted
from runner.json_schema.violations import Violation
from runner.lint.schemas import sound
from runner.lint.texts import Texts
from runner.reading.document import Document

_NO_VALUE = ("None", "nil", "undefined")
"""What other languages write for null."""


def check_inputs(texts: Texts) -> None:
    for name, written in texts.known.inputs.items():
        path: Path = ("inputs", name)
        texts.plain(written, path)
        if isinstance(written, dict) and sound(schema_of(written), path, texts) and "default" in written:
            _default(written, path, texts)
    _names_in_the_environment(texts)


def _default(written: JsonObject, path: Path, texts: Texts) -> None:
    default, at = written["default"], (*path, "default")
    is_secret = written.get("secret") is True
    if is_secret:
        message = f"`{path[-1]}` is secret, but its default stands here for everybody to read"
        hint = "leave the default out: the value can come from the environment or a file"
        texts.report("E107", message, at, hint=hint, warning=True, hidden=True)
    if isinstance(default, str) and "{{" in default:
        return  # that no template is read here has been told
    misses = schemas.from_job(schema_of(written)).violations(default)
    for violation in misses:
        why = f"its `{violation.keyword}`" if is_secret else violation.message
        message = f"the default does not fit{' ' if is_secret else ': '}{why}"
        wanted = None if is_secret else _as_wanted(violation, texts.document, at) or _as_null(violation)
        texts.report("E116", message, (*at, *violation.path), hint=wanted, hidden=is_secret)
    if default in _NO_VALUE and not misses and not is_secret and texts.document.is_bare(at):
        hint = f'write `null`, which `type` must allow; a text stands in quotes: "{default}"'
        texts.report("E107", f"`{default}` is a text here, and not null", at, hint=hint, warning=True)


def _as_wanted(violation: Violation, document: Document, at: Path) -> str | None:
    return as_wanted(violation, written=document.written((*at, *violation.path)))


def _as_null(violation: Violation) -> str | None:
    """How to declare that there may be no value, where null, or what other languages write for it, stands."""
    kind, value = violation.expected, violation.value
    if violation.path or violation.keyword != "type" or not isinstance(kind, str) or value not in (None, *_NO_VALUE):
        return None
    return f'for no value, write `type: [{kind}, "null"]`' + ("" if value is None else " and `default: null`")


def _names_in_the_environment(texts: Texts) -> None:
    first: dict[str, str] = {}
    for name in texts.known.inputs:
        earlier = first.setdefault(name.upper(), name)
        if earlier != name:
            message = f"in the environment, `{name}` and `{earlier}` are one: CREATIO_RUNNER_INPUT_{name.upper()}"
            texts.report("E111", message, ("inputs", name), at_key=True, hint="give one of them another name")
