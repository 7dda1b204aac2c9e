"""Types, as they flow through a job: from what a process gives, through outputs, into what later steps send and expect.

Without a catalogue there is less to know, and types still flow: of inputs by their schemas, of what filters give, of
what a `query` reads. What is not certain is not told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from runner.catalogue.model import Catalogue, Kind, Parameter, Process
from runner.expressions.parse import texts_in
from runner.expressions.typed import (
    A_GUID,
    A_NUMBER,
    A_TEXT,
    LIST,
    NULL,
    RECORD,
    TEXT,
    UNKNOWN,
    Type,
    any_of,
    in_words,
    list_of,
    or_null,
    record_of,
)
from runner.foundation.problems import Problem
from runner.foundation.raw import items, record
from runner.foundation.values import Json, Path, compact, numbers_in, value_at
from runner.job import defaults
from runner.job.actions import ACTIONS
from runner.job.outline import Outline, RawStep
from runner.lint import site_types
from runner.lint.filters import result_mistake
from runner.lint.fitting import (
    Unfit,
    column_of,
    lost_signs,
    numbers_for_texts,
    unfit_number,
    unfit_records,
    unfit_type,
    unfit_value,
)
from runner.lint.known_values import Known, known_values
from runner.lint.places import ids
from runner.lint.schema_types import unmet
from runner.lint.statuses import PROCESS_STATUSES, STEP_STATUSES
from runner.lint.telling import Telling
from runner.lint.uses import starts
from runner.reading.document import Document

_MOST_VALUES = 200
"""So many cases or items of one template are looked at: more of them have been written by a program."""
_Names = dict[str, Type]
_OF_A_JOB: Mapping[str, Type] = {
    "run": record_of({"id": A_GUID, "started_at": Type(kinds=TEXT, form="datetime")}),
    "target": record_of({"name": A_TEXT, "url": A_TEXT}),
    "case": or_null(record_of({"name": A_TEXT, "index": A_NUMBER})),
}
_OF_AN_ATTEMPT: Mapping[str, Type] = {
    "process_status": or_null(
        Type(kinds=TEXT, note=f"it is a word: {', '.join(f'`{one}`' for one in PROCESS_STATUSES)}")
    ),
    "process_id": or_null(A_GUID),
    "seconds": A_NUMBER,
}
_OF_A_STEP: Mapping[str, Type] = {
    "status": Type(kinds=TEXT, note=f"it is a word: {', '.join(f'`{one}`' for one in STEP_STATUSES)}"),
    "process_id": or_null(A_GUID),
    "attempts": A_NUMBER,
    "seconds": A_NUMBER,
}


def check(document: Document, known: Outline, catalogue: Catalogue | None) -> tuple[Problem, ...]:
    """Everything in the document that goes wrong for sure, by the types of its values."""
    telling = Telling(document=document)
    _Flow(telling=telling, known=known, catalogue=catalogue).through()
    return tuple(telling.problems)


@dataclass(slots=True, kw_only=True)
class _Flow:
    """One job on its way. `steps` and `vars` are the types of what has been passed; `own` are the bare names of a step,
    by its path, for those that undo it.
    """

    telling: Telling
    known: Outline
    catalogue: Catalogue | None
    names: _Names = field(default_factory=dict)
    steps: _Names = field(default_factory=dict)
    vars: _Names = field(default_factory=dict)
    own: dict[Path, _Names] = field(default_factory=dict)

    def through(self) -> Mapping[str, Type]:
        """Go through the whole job; the types of its outputs."""
        inputs = {name: site_types.of_schema(schema) for name, schema in self.known.inputs.items()}
        self.names = {**_OF_A_JOB, "inputs": record_of(inputs), "vars": record_of(self.vars)}
        for name, value in self.known.vars.items():
            self.vars[name] = self.telling.value(value, ("vars", name), self.names)
        self.names["steps"] = record_of(self.steps)
        undone: RawStep | None = None
        for step in self.known.steps:
            undone = undone if step.undo is not None else step
            self._step(step, self._before(step, undone))
        return {
            name: self.telling.expression(value, ("outputs", name), self.names)
            for name, value in self.known.outputs.items()
        }

    def _before(self, step: RawStep, undone: RawStep | None) -> _Names:
        """What a step knows before its first turn; one that undoes another knows what that one had."""
        if step.undo is None or undone is None:
            return self.names
        own = self.own.get(undone.path, {})
        name = undone.fields.get("id")
        if not isinstance(name, str) or name not in self.steps:
            return {**self.names, **own}
        alone = {**self.steps, name: _of_step(own.get("result", UNKNOWN), own.get("outputs", UNKNOWN))}
        return {**self.names, **own, "steps": record_of(alone)}

    def _step(self, step: RawStep, before: _Names) -> None:
        fields, path = step.fields, step.path
        self.telling.condition(fields.get("if"), (*path, "if"), before)
        inside = before
        if "for_each" in fields:
            item = self._items(fields["for_each"], (*path, "for_each"), before)
            inside = {**before, "item": item, "index": A_NUMBER}
        result = self._action(step, inside)
        after = {**inside, **_OF_AN_ATTEMPT, "result": result}
        for index, expected in enumerate(items(fields.get("expect"))):
            self._expectation(expected, (*path, "expect", index), after)
        given = {
            name: self.telling.expression(value, (*path, "outputs", name), after)
            for name, value in record(fields.get("outputs")).items()
        }
        self._keep(step, after, given)

    def _keep(self, step: RawStep, after: _Names, given: _Names) -> None:
        """What others may know of a step that has passed."""
        outputs, result = record_of(given), after["result"]
        self.own[step.path] = {**{name: after[name] for name in ("item", "index") if name in after}, **_OF_AN_ATTEMPT}
        self.own[step.path] |= {"result": result, "outputs": outputs}
        name = step.fields.get("id")
        if isinstance(name, str) and name not in self.steps:
            one = _of_step(result, outputs)
            self.steps[name] = _of_loop(one, result, given) if "for_each" in step.fields else one

    def _items(self, written: Json, path: Path, before: _Names) -> Type:
        if not isinstance(written, str):
            return self.telling.value(written, path, before).of_items
        found = self.telling.expression(written, path, before)
        if not found.may_be(LIST):
            message = f"`for_each` needs a list, and `{written.strip()}` is {in_words(found)}"
            has_list = found.kinds == RECORD and (found.fields or {}).get("result", A_NUMBER).kinds & LIST
            hint = f"write `{written.strip()}.result`" if has_list else None
            self.telling.report("E176", message, path, hint=hint)
        return found.of_items if found.kinds & LIST else UNKNOWN

    def _expectation(self, expected: Json, path: Path, after: _Names) -> None:
        if isinstance(expected, dict):
            self.telling.condition(expected.get("that"), (*path, "that"), after)
            self.telling.value(expected.get("message"), (*path, "message"), after)
            self._schema(expected.get("schema"), (*path, "schema"), after["result"])
        else:
            self.telling.condition(expected, path, after)

    def _schema(self, schema: Json, path: Path, result: Type) -> None:
        """A schema that the result never fits, null or not, or that checks nothing of it."""
        found = [*unmet(schema, result)]
        for one in found:
            at = (*path, *one.path)
            self.telling.report(one.code, one.message, at, hint=one.hint, at_key=one.at_key, warning=one.warning)
        wanted = site_types.of_schema(schema)
        if not found and not wanted.kinds & result.kinds:
            message = f"the result is {in_words(result)}, and never {in_words(wanted)}, as this schema wants it"
            self.telling.report("E177", message, path)

    def _action(self, step: RawStep, inside: _Names) -> Type:
        """The type of what the step's action gives; what it sends is looked at by the way."""
        fields, path = step.fields, step.path
        for at, code, start in starts(step):
            process = self.catalogue.called(code, start.get("version")) if self.catalogue is not None else None
            self._parameters(record(start.get("parameters")), (*at, "parameters"), process, inside, step=step)
            return ACTIONS[str(at[-1])].result(start, process)
        action = defaults.action_type(fields)
        if action is not None and action.key != "job":
            self.telling.value(fields[action.key], (*path, action.key), inside)
        for found in ids(step):
            if isinstance(found.value, str) and "{{" in found.value:
                self._id(found.value, found.path, inside)
        if "job" in fields:
            return self._included(step, inside)
        if "query" in fields:
            self._filter(step, inside)
        return UNKNOWN if action is None else action.result(record(fields[action.key]), None)

    def _filter(self, step: RawStep, inside: _Names) -> None:
        """What steps give may end a text of a filter with a quote of its own; `filters` reports all else."""
        wrong = result_mistake(step, self.known, inside)
        if wrong is not None:
            self.telling.add(wrong, (*step.path, "query", "filter"))

    def _id(self, text: str, path: Path, inside: _Names) -> None:
        """A template in the place of an id."""
        found = Telling(document=self.telling.document).value(text, path, inside)
        key = next(key for key in reversed(path) if isinstance(key, str))
        name = "uid" if key.startswith("element") else key
        wrong = unfit_type(name, Parameter(kind=Kind.GUID), found, source=text.strip())
        if wrong is not None:
            self.telling.report("E113", wrong.message, path, hint=wrong.hint)

    def _parameters(
        self, given: Mapping[str, Json], path: Path, process: Process | None, inside: _Names, *, step: RawStep
    ) -> None:
        for code, value in given.items():
            found = self.telling.value(value, (*path, code), inside)
            if process is not None and code in process.takes:
                self._fits((*path, code), (process.parameters or {})[code], step, found)
            else:
                self._numbers(value, (*path, code))

    def _numbers(self, value: Json, path: Path) -> None:
        """Numbers that may be texts; of those that are given to a parameter that is known, its type tells."""
        for inner, number in numbers_in(value):
            written = self.telling.document.written((*path, *inner))
            unfit = lost_signs(str((*path, *inner)[-1]), written=written, sent=compact(number))
            self._unfit(unfit, (*path, *inner))

    def _fits(self, path: Path, parameter: Parameter, step: RawStep, found: Type) -> None:
        """Hold a value against the parameter that it is given to, and templates in its records against the columns."""
        code, value = str(path[-1]), value_at(path, self.telling.document.data)
        for unfit in unfit_value(code, parameter, value):
            self._unfit(unfit, path)
        for inner, column in numbers_for_texts(parameter, value):
            written = self.telling.document.written((*path, *inner))
            self._unfit(unfit_number(str((*path, *inner)[-1]), column, written=written), (*path, *inner))
        for inner, text in texts_in(value):
            taker = column_of(parameter, str(inner[-1])) if inner else parameter
            if taker is not None:
                self._template_fits(text, (*path, *inner), taker, _inner(found, inner), step=step)

    def _template_fits(self, text: str, path: Path, taker: Parameter, found: Type, *, step: RawStep) -> None:
        """Hold what a template gives against what takes it: by its type, and by its value where that is known."""
        name, source = str(path[-1]), text.strip()
        wrong, known = unfit_type(name, taker, found, source=source), self._unfit_known(name, text, taker, step)
        is_better = known is not None and known.is_mended and found.kinds == TEXT
        wrong = known if wrong is None or is_better else wrong
        self._unfit(wrong, path)
        for one in [] if wrong else unfit_records(name, taker, found, source=source):
            self._unfit(one, path)

    def _unfit_known(self, name: str, text: str, taker: Parameter, step: RawStep) -> Unfit | None:
        """Hold what a template is known to give against what takes it; the first that does not fit."""
        for one in islice(known_values(text, step, self.known), _MOST_VALUES):
            for unfit in unfit_value(name, taker, one.value):
                return self._of_known(unfit, one, text.strip())
        return None

    def _of_known(self, unfit: Unfit, one: Known, source: str) -> Unfit:
        line = self.telling.document.line_of((*one.path, *unfit.path))
        message = f"{unfit.message}, which `{source}` gives from line {line}"
        return replace(unfit, message=message, path=(), at_key=False, warning=unfit.warning or not one.is_certain)

    def _unfit(self, one: Unfit | None, path: Path) -> None:
        """Tell of what stands in the value at `path`."""
        if one is not None:
            at, is_warning = (*path, *one.path), one.warning
            self.telling.report(one.code, one.message, at, hint=one.hint, at_key=one.at_key, warning=is_warning)

    def _included(self, step: RawStep, inside: _Names) -> Type:
        """What an included job gives; what is handed to it is held against the schemas of its inputs."""
        action, other = record(step.fields["job"]), self.known.included.get(step.path)
        path = (*step.path, "job", "inputs")
        given = {
            name: self.telling.value(value, (*path, name), inside)
            for name, value in record(action.get("inputs")).items()
        }
        if other is None:
            return UNKNOWN
        for name, found in given.items():
            wanted = site_types.of_schema(other.inputs.get(name))
            if (
                found.kinds & wanted.kinds == 0
                and found.kinds != NULL
                and any(texts_in(record(action["inputs"])[name]))
            ):
                message = f"input `{name}` of `{action.get('file')}` is {in_words(wanted)}, not {in_words(found)}"
                self.telling.report("E171", message, (*path, name))
        quiet = Telling(document=self.telling.document)
        return record_of(_Flow(telling=quiet, known=other, catalogue=self.catalogue).through())


def _inner(one: Type, path: Path) -> Type:
    """The type at `path` within a value."""
    for part in path:
        one = one.of_items if isinstance(part, int) else (one.fields or {}).get(part, UNKNOWN)
    return one


def _of_step(result: Type, outputs: Type) -> Type:
    return record_of({**_OF_A_STEP, "result": result, "outputs": outputs})


def _of_loop(one: Type, result: Type, given: _Names) -> Type:
    """A step with `for_each`: an item a turn."""
    outputs = record_of({name: list_of(found) for name, found in given.items()})
    turns = any_of([one]) or UNKNOWN
    return record_of({**_OF_A_STEP, "result": list_of(result), "outputs": outputs, "turns": list_of(turns)})
