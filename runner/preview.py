"""What a plan would send, for people: `runner plan`. Pure; it sends nothing and asks nobody.

What is known before the run is rendered. The rest stands as its source, `⟨steps.add.result.Id⟩`; so do secrets.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from runner.durations import written
from runner.job.model import Element, Elements, Execute, Expectation, Expected, Step
from runner.plan import Plan, PlannedStep
from runner.template.evaluate import EvaluationError, Scope, boolean, evaluate
from runner.template.parse import Expression, expression, template
from runner.values import Json, JsonObject, compact

_ALWAYS_KNOWN = frozenset({"success()", "always()"})


@dataclass(slots=True)
class _Known:
    """What can be worked out before a run. `shown` is how a var reads that cannot be."""

    names: JsonObject
    shown: dict[str, str] = field(default_factory=dict)

    def has(self, parsed: Expression) -> bool:
        return not parsed.functions and all(self._leads_somewhere(name.path) for name in parsed.names)

    def scope(self) -> Scope:
        return Scope(names=self.names, functions={}, missing={})

    def _leads_somewhere(self, path: tuple[str | int, ...]) -> bool:
        if path[0] not in self.names:
            return False
        root = self.names[str(path[0])]
        return root is None or (isinstance(root, dict) and len(path) > 1 and path[1] in root)


def preview(plan: Plan) -> str:
    """The plan as text, a step a paragraph, ending in a line feed."""
    known = _known(plan)
    lines = [f"{plan.job.name} on {_target(plan)}", f"  digest {plan.digest}"]
    for name, value in known.names["inputs"].items() if isinstance(known.names["inputs"], dict) else ():
        lines.append(f"  input {name} = {_one_line(value)}")
    for planned in plan.steps:
        lines.extend(("", *_step(planned, known)))
    if plan.final_steps:
        lines.extend(("", "finally"))
    for planned in plan.final_steps:
        lines.extend(("", *_step(planned, known)))
    return "\n".join(lines) + "\n"


def _target(plan: Plan) -> str:
    return f"the sandbox `{plan.target.name}`" if plan.target.sandbox else f"{plan.target.name} ({plan.target.url})"


def _known(plan: Plan) -> _Known:
    secret = {declared.name for declared in plan.job.inputs if declared.secret}
    known = _Known(
        {
            "inputs": {name: value for name, value in plan.inputs.items() if name not in secret},
            "target": {"name": plan.target.name, "url": plan.target.url} if not plan.target.sandbox else {},
            "case": None,
            "vars": {},
        }
    )
    variables = known.names["vars"]
    assert isinstance(variables, dict)
    for name, value in plan.job.vars.items():
        rendered, complete = _rendered(value, known)
        if complete:
            variables[name] = rendered
        else:
            known.shown[name] = rendered if isinstance(rendered, str) else compact(rendered)
    return known


def _step(planned: PlannedStep, known: _Known) -> Iterator[str]:
    step = planned.step
    title = "" if planned.name == planned.key else f"  {planned.name}"
    yield f"{planned.key}{title}"
    yield from _condition(step, known)
    yield from _action(step, known)
    for expected in step.expect:
        yield f"    expect {_expected(expected)}"
    for name, text in step.outputs.items():
        yield f"    output {name} = {text}"
    on = ", ".join(sorted(step.retry.on))
    yield f"    {step.effect} · {written(step.timeout)} · up to {step.retry.max_attempts} attempts on {on or 'nothing'}"


def _condition(step: Step, known: _Known) -> Iterator[str]:
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


def _action(step: Step, known: _Known) -> Iterator[str]:
    match step.action:
        case Execute() as action:
            result = f" → {action.result}" if action.result else ""
            yield f"    execute {action.process}{result}, until {action.until}"
            yield from _parameters(action.parameters.items(), known)
        case Element() as element:
            yield from _element(element, known)
        case Elements(items=items):
            for element in items:
                yield from _element(element, known)


def _element(element: Element, known: _Known) -> Iterator[str]:
    yield f"    element {_one_line(_rendered(element.uid, known)[0])}"
    if element.parameters is not None:
        yield from _parameters(element.parameters.items(), known)


def _parameters(parameters: Iterator[tuple[str, Json]] | object, known: _Known) -> Iterator[str]:
    assert hasattr(parameters, "__iter__")
    for name, value in parameters:
        shown, _ = _rendered(value, known)
        yield f"      {name} = {_one_line(shown)}"


def _expected(expected: Expected) -> str:
    return expected.that if isinstance(expected, Expectation) else f"schema {compact(expected.schema)}"


def _rendered(value: Json, known: _Known) -> tuple[Json, bool]:
    """The value with every template in it worked out as far as it can be, and whether that was all of them."""
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


def _text(text: str, known: _Known) -> tuple[Json, bool]:
    parts = template(text).parts
    if len(parts) == 1 and isinstance(parts[0], Expression):
        return _expression(parts[0], known)
    pieces: list[str] = []
    complete = True
    for part in parts:
        value, done = (part, True) if isinstance(part, str) else _expression(part, known)
        pieces.append(value if isinstance(value, str) else compact(value))
        complete = complete and done
    return "".join(pieces), complete


def _expression(parsed: Expression, known: _Known) -> tuple[Json, bool]:
    if known.has(parsed):
        try:
            return evaluate(parsed, known.scope()), True
        except EvaluationError as error:
            return f"⟨{parsed.text}: {error}⟩", False
    variable = parsed.text.strip().removeprefix("vars.")
    return known.shown.get(variable, f"⟨{parsed.text.strip()}⟩"), False


def _one_line(value: Json) -> str:
    return compact(value)
