"""What a plan would send, for `runner plan`. Pure. The unknown and secrets are source, `⟨steps.add.result.Id⟩`."""

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from runner.expressions.evaluate import EvaluationError, Room, Scope, boolean, evaluate
from runner.expressions.parse import Expression, expression, template
from runner.foundation.durations import format_duration
from runner.foundation.sentences import job_and_case
from runner.foundation.values import Json, JsonObject, as_text, compact, record
from runner.job.actions import ACTIONS, IncludedJob
from runner.job.model import CLEANUP_SECONDS, Expectation, Expected, Job, Step
from runner.planning.plan import Plan, PlannedStep, steps_within, undo_of

_LARGEST = 64 << 20  # characters of all values that are worked out for a preview
_ALWAYS_KNOWN = frozenset({"success()", "always()"})


class _KnownSoFar(Struct):
    """What can be worked out before a run. `shown` is how a var reads that cannot be. `room` bounds the whole text."""

    names: JsonObject
    timeout: float
    shown: dict[str, str] = field(default_factory=dict)
    room: Room = field(default_factory=lambda: Room("the values of this plan", most=_LARGEST))

    def has(self, parsed: Expression) -> bool:
        return not parsed.functions and all(self._leads_somewhere(name.path) for name in parsed.names)

    def scope(self) -> Scope:
        return Scope(names=self.names, functions={}, missing={})

    def show(self, value: Json) -> str:
        return compact(_rendered(value, self)[0])

    def _leads_somewhere(self, path: tuple[str | int, ...]) -> bool:
        if path[0] not in self.names:
            return False
        root = self.names[str(path[0])]
        return root is None or (isinstance(root, dict) and len(path) > 1 and path[1] in root)


def preview(plan: Plan) -> Iterator[str]:
    """The plan line by line, a step a paragraph. What comes from outside may hold anything, line ends too."""
    target = plan.target
    where = f"the sandbox `{target.name}`" if target.sandbox else f"{target.name} ({target.url})"
    yield f"{job_and_case(plan.job.name, plan.case.name if plan.case else None)} on {where}"
    yield f"  digest {plan.digest}"
    yield from _bounds(plan.job)
    known = _known(plan)
    yield from (f"  input {name} = {compact(value)}" for name, value in record(known.names["inputs"]).items())
    yield from _steps(plan.steps, known)
    if plan.final_steps:
        yield from ("", "finally")
        yield from _steps(plan.final_steps, known)


def _bounds(job: Job) -> Iterator[str]:
    """How long a run may take, and what it must not overlap with."""
    if job.timeout is not None:
        yield f"  timeout {format_duration(job.timeout)}"
    if job.cleanup_timeout != CLEANUP_SECONDS:
        yield f"  cleanup_timeout {format_duration(job.cleanup_timeout)}"
    if job.concurrency is not None:
        yield f"  concurrency {compact(job.concurrency)}"


def _steps(steps: tuple[PlannedStep, ...], known: _KnownSoFar) -> Iterator[str]:
    for planned in steps:
        yield ""
        yield from _step(planned, known)


def _known(plan: Plan) -> _KnownSoFar:
    target: JsonObject = {"name": plan.target.name}
    if not plan.target.sandbox:  # its address is known when it has been started
        target["url"] = plan.target.url
    case: Json = None if plan.case is None else {"name": plan.case.name, "index": plan.case.index}
    names: JsonObject = {"inputs": _open(plan.job, plan.inputs), "target": target, "case": case, "vars": {}}
    known = _KnownSoFar(names, timeout=plan.times.timeout)
    _work_out_vars(plan.job, known)
    return known


def _open(job: Job, inputs: Mapping[str, Json]) -> JsonObject:
    secret = {declared.name for declared in job.inputs if declared.secret}
    return {name: value for name, value in inputs.items() if name not in secret}


def _work_out_vars(job: Job, known: _KnownSoFar) -> None:
    variables = record(known.names["vars"])
    for name, value in job.vars.items():
        rendered, complete = _rendered(value, known)
        if complete:
            variables[name] = rendered
        else:
            known.shown[name] = as_text(rendered)


def _step(planned: PlannedStep, known: _KnownSoFar) -> Iterator[str]:
    step = planned.step
    title = "" if planned.name == planned.key else f"  {planned.name}"
    yield f"{planned.key}{title}"
    yield from _condition(step, known)
    if step.for_each is not None:
        yield f"    for each of {(step.for_each if isinstance(step.for_each, str) else known.show(step.for_each))}"
    yield from _action(planned, known)
    yield from _outcome(step, known)
    undo = undo_of(planned)
    if undo:
        yield "    if the run fails after it has passed:"
    for undoing in undo:
        yield from (f"    {line}" for line in _step(undoing, known))


def _outcome(step: Step, known: _KnownSoFar) -> Iterator[str]:
    """What is checked, what it gives, and how often it is tried."""
    for expected in step.expect:
        yield f"    expect {_expected(expected)}"
    for name, text in step.outputs.items():
        yield f"    output {name} = {text}"
    action = ACTIONS[step.action.kind]
    if action.has_attempts and not action.own_time:
        on = ", ".join(sorted(step.retry.on)) or "nothing"
        time = format_duration(step.timeout or known.timeout)
        yield f"    {step.effect} · {time} · up to {step.retry.max_attempts} attempts on {on}"


def _condition(step: Step, known: _KnownSoFar) -> Iterator[str]:
    if step.condition in _ALWAYS_KNOWN:
        return
    parsed = expression(step.condition)
    if not known.has(parsed):
        yield f"    only if {step.condition}"
        return
    try:
        if not boolean(parsed, known.scope()):
            yield f"    skipped: {step.condition} is false"
    except EvaluationError as error:
        yield f"    fails: {error}"


def _action(planned: PlannedStep, known: _KnownSoFar) -> Iterator[str]:
    action = planned.step.action
    yield from (f"    {line}" for line in action.preview(known.show))
    if isinstance(action, IncludedJob):
        yield from _included(action, planned, known)


def _included(included: IncludedJob, planned: PlannedStep, known: _KnownSoFar) -> Iterator[str]:
    """The steps of the included job, each under its own key. What is known of its inputs here is known there."""
    given = {name: _rendered(value, known) for name, value in included.inputs.items()}
    values = {declared.name: declared.default for declared in included.job.inputs if not declared.required}
    values |= {name: value for name, (value, complete) in given.items() if complete}
    inputs = _open(included.job, {name: value for name, value in values.items() if given.get(name, (0, True))[1]})
    names = {**known.names, "inputs": inputs, "case": None, "vars": {}}
    inner = _KnownSoFar(names, timeout=known.timeout, room=known.room)
    _work_out_vars(included.job, inner)
    for step in steps_within(planned, included.job):
        yield from (f"    {line}" for line in _step(step, inner))


def _expected(expected: Expected) -> str:
    return expected.that if isinstance(expected, Expectation) else f"schema {compact(expected.schema)}"


def _rendered(value: Json, known: _KnownSoFar) -> tuple[Json, bool]:
    """The value with its templates evaluated as far as possible, and whether all were."""
    match value:
        case str():
            return _text(value, known) if "{{" in value else (value, True)
        case list():
            parts = [_rendered(item, known) for item in value]
            return [part for part, _ in parts], all(complete for _, complete in parts)
        case dict():
            pairs = {key: _rendered(item, known) for key, item in value.items()}
            return {key: part for key, (part, _) in pairs.items()}, all(complete for _, complete in pairs.values())
        case _:
            return value, True


def _text(text: str, known: _KnownSoFar) -> tuple[Json, bool]:
    parts = template(text).parts
    if len(parts) == 1 and isinstance(parts[0], Expression):
        return _expression(parts[0], known)
    pieces: list[str] = []
    complete = True
    for part in parts:
        value, done = (part, True) if isinstance(part, str) else _expression(part, known)
        pieces.append(as_text(value))
        complete = complete and done
    return "".join(pieces), complete


def _expression(parsed: Expression, known: _KnownSoFar) -> tuple[Json, bool]:
    if known.has(parsed):
        try:
            value = evaluate(parsed, known.scope())
            known.room.take(value)
            return value, True  # noqa: TRY300
        except EvaluationError as error:
            return f"⟨{parsed.text}: {error}⟩", False
    variable = parsed.text.strip().removeprefix("vars.")
    return known.shown.get(variable, f"⟨{parsed.text.strip()}⟩"), False
