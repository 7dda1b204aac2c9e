"""What the expressions of a run can see, and which of it is secret; what is made from a secret is secret.

A step that did not run leaves its status only: an expression with its result gets a message, never a silent null.
"""

import json
import uuid
from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct, field

from runner.expressions.evaluate import EvaluationError, Room, Scope, boolean, evaluate, render
from runner.expressions.parse import Expression, Template, expression, template
from runner.foundation.values import Json, JsonObject, ValuePath, as_text, compact
from runner.job.model import Job
from runner.planning.plan import Plan
from runner.runs.events import RunFacts
from runner.secrets.redact import Secrets

NOTHING_MORE: JsonObject = {}
LARGEST_OUTPUTS = 64 << 20
"""Characters that the outputs of all steps of a run may have together: they are kept until its end."""


class Names(Struct, frozen=True, kw_only=True):
    """The names of a run."""

    known: JsonObject
    functions: dict[str, Callable[..., Json]]
    secrets: Secrets
    missing: dict[ValuePath, str] = field(default_factory=dict)  # why a known name has no value
    tainted: set[tuple[str, ...]] = field(default_factory=set)  # paths made from secrets
    room_for_outputs: Room = field(default_factory=lambda: Room("the outputs of all steps", most=LARGEST_OUTPUTS))

    def value(self, written: Json, label: str, room: Room) -> Json:
        """Work out every template inside `written`, within `room`. Raises `EvaluationError`."""
        match written:
            case list():
                return [self.value(item, label, room) for item in written]
            case dict():
                for key in written:
                    room.take(key)
                return {key: self.value(item, label, room) for key, item in written.items()}
            case _:
                value = self._text(written, label) if isinstance(written, str) and "{{" in written else written
                room.take(value)
                return value

    @property
    def outside(self) -> JsonObject:
        """What every job of the run sees alike."""
        return {name: self.known[name] for name in ("target", "run")}

    def text(self, written: str, label: str) -> str:
        """Work out a template that must give a text: anything else becomes its JSON. Raises `EvaluationError`."""
        value = self._text(written, label) if "{{" in written else written
        return as_text(value)

    def result_of(self, text: str, label: str, more: JsonObject = NOTHING_MORE) -> Json:
        """Evaluate an expression; `more` are names beside the run's own. Raises `EvaluationError`."""
        parsed = expression(text)
        return self._kept(parsed, text, label, lambda: evaluate(parsed, self.scope(more)))

    def holds(self, text: str) -> bool:
        """Evaluate a condition. Raises `EvaluationError`, also where it gives no boolean."""
        parsed = expression(text)
        try:
            return boolean(parsed, self.scope())
        except EvaluationError as error:
            raise self.shown(error, parsed, text) from None

    def shown(self, error: EvaluationError, parsed: Expression | Template, source: str) -> EvaluationError:
        return error.without_values(source) if self.is_tainted(parsed) else error

    def scope(self, more: JsonObject = NOTHING_MORE) -> Scope:
        return Scope(
            names={**self.known, **more} if more else self.known, functions=self.functions, missing=self.missing
        )

    def is_tainted(self, parsed: Expression | Template) -> bool:
        """Whether `parsed` is made from a secret, as far as the names in it show."""
        return bool(self.tainted) and any(_meets(name.path, self.tainted) for name in parsed.names)

    def keep_secret(self, value: Json, label: str) -> None:
        """Hide every text inside `value`, and the value itself as text, from here on."""
        for text in _texts(value):
            self.secrets.add(label, text)

    def _text(self, written: str, label: str) -> Json:
        parsed = template(written)
        if self.tainted and len(parsed.parts) > 1:  # what is secret within a longer text is so by itself, too
            for part in parsed.parts:
                if not isinstance(part, str) and self.is_tainted(part):
                    self.result_of(part.text, label)
        return self._kept(parsed, written, label, lambda: render(parsed, self.scope()))

    def _kept(self, parsed: Expression | Template, source: str, label: str, work_out: Callable[[], Json]) -> Json:
        """The value that `work_out` gives, hidden from here on where it is made from a secret."""
        try:
            value = work_out()
        except EvaluationError as error:
            raise self.shown(error, parsed, source) from None
        if self.is_tainted(parsed):
            self.keep_secret(value, label)
        return value


def names_of(plan: Plan, run: RunFacts) -> Names:
    """The names of a run before its first step, `vars` not yet worked out and without the functions of conditions."""
    run_id = uuid.UUID(run.run)
    known: JsonObject = {
        "inputs": dict(plan.inputs),
        "target": {"name": plan.target.name, "url": plan.target.url},
        "run": {"id": run.run, "started_at": run.started_at},
        "case": None if plan.case is None else {"name": plan.case.name, "index": plan.case.index},
        "vars": {},
        "steps": {},
    }
    functions: dict[str, Callable[..., Json]] = {"uuid": lambda label: str(uuid.uuid5(run_id, label))}
    names = Names(known=known, functions=functions, secrets=plan.secrets, tainted=tainted_inputs(plan.job))
    for _, name in sorted(names.tainted):
        if name in plan.inputs:  # an answer may hold a part of it before an expression has read that part
            names.keep_secret(plan.inputs[name], f"inputs.{name}")
    return names


def tainted_inputs(job: Job) -> set[tuple[str, ...]]:
    return {("inputs", declared.name) for declared in job.inputs if declared.secret}


def work_out_vars(job: Job, names: Names) -> None:
    """Work the job's `vars` out, in their order. Raises `EvaluationError` of the first that breaks."""
    values: JsonObject = {}
    names.known["vars"] = values
    room = Room("the vars")
    for name, written in job.vars.items():
        values[name] = names.value(written, f"vars.{name}", room)
        if makes_secret(written, names):
            names.tainted.add(("vars", name))


def makes_secret(written: Json, names: Names) -> bool:
    """Whether a template inside `written` is made from a secret."""
    match written:
        case str():
            return "{{" in written and names.is_tainted(template(written))
        case list():
            return any(makes_secret(item, names) for item in written)
        case dict():
            return any(makes_secret(item, names) for item in written.values())
        case _:
            return False


def _meets(path: tuple[str | int, ...], tainted: set[tuple[str, ...]]) -> bool:
    """Whether `path` leads into a secret, or to something that holds a secret."""
    return any(path[: len(secret)] == secret[: len(path)] for secret in tainted)


def _texts(value: Json) -> list[str]:
    match value:
        case None | bool():
            return []
        case str():
            return [value, *_texts_of_json(value)] if value else []
        case int() | float():
            return [compact(value)]
        case list():
            return [text for item in value for text in _texts(item)]
        case dict():
            keys = [key for key in value if key and not key.isidentifier()]  # a name says nothing, a token or host does
            return keys + [text for item in value.values() for text in _texts(item)]


def _texts_of_json(text: str) -> list[str]:
    """What is inside a text that is JSON, as the key of an account: an answer that holds the text may be decoded."""
    if text.lstrip().startswith(("{", "[")):
        with suppress(ValueError, RecursionError):
            return _texts(json.loads(text))
    return []
