"""Types, as they flow through a job: from processes, queries, inputs and filters into later steps and expectations.

Without a catalogue less is known. Only what is certain is reported.
"""

from collections.abc import Mapping
from itertools import islice

from msgspec import field
from msgspec.structs import replace

from runner.catalogue.model import Catalogue, Kind, Parameter, Process
from runner.expressions.parse import texts_in
from runner.expressions.typed import (
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
    record_of,
)
from runner.foundation.values import Json, JsonObject, ValuePath, items, record
from runner.job import defaults
from runner.job.actions import ACTIONS
from runner.job.outline import Outline, RawStep
from runner.language.slipped_keys import slipped_keys
from runner.lint import fitting
from runner.lint.places import ATTEMPT_NAMES, JOB_NAMES, STEP_KEYS, ActionValue, action_values, ids
from runner.lint.schema_types import schema_type
from runner.lint.typed_texts import TypeLint
from runner.lint.uses import named_elements, process_of, starts
from runner.lint.written_items import lacking_items
from runner.lint.written_values import written_values

_MOST_VALUES = 200  # so many cases or items of a template are checked: more of them have been written by a program
_Names = dict[str, Type]


class Flow(TypeLint, frozen=True, kw_only=True):
    """`steps` and `vars`: types of what came before; `own`: a step's bare names; `called`: known targets and cases."""

    job: Outline
    catalogue: Catalogue | None
    called: Mapping[str, frozenset[str]] = field(default_factory=dict)
    elsewhere: frozenset[ValuePath] = frozenset()  # steps that are for other targets alone
    names: _Names = field(default_factory=dict)
    steps: _Names = field(default_factory=dict)
    vars: _Names = field(default_factory=dict)
    own: dict[ValuePath, _Names] = field(default_factory=dict)

    def through(self) -> Mapping[str, Type]:
        """Go through the whole job; the types of its outputs."""
        inputs = {name: schema_type(schema) for name, schema in self.job.inputs.items()}
        self.names.update({**JOB_NAMES, "inputs": record_of(inputs), "vars": record_of(self.vars)})
        for root, words in self.called.items():
            known = self.names[root]
            self.names[root] = replace(known, fields={**(known.fields or {}), "name": replace(A_TEXT, words=words)})
        for name, value in self.job.vars.items():
            self.vars[name] = self.value(value, ("vars", name), self.names)
        self.names["steps"] = record_of(self.steps)
        for step in self.job.steps:
            self._step(step, self._before(step))
        return {name: self.expression(value, ("outputs", name), self.names) for name, value in self.job.outputs.items()}

    def _before(self, step: RawStep) -> _Names:
        """What a step knows before its first turn; a step of an `undo` also knows what the undone step had."""
        if step.undone is None:
            return self.names
        own = self.own.get(step.undone.path, {})
        name = step.undone.fields.get("id")
        if not isinstance(name, str) or name not in self.steps:
            return {**self.names, **own}
        alone = {**self.steps, name: _step_type(own.get("result", UNKNOWN), own.get("outputs", UNKNOWN))}
        return {**self.names, **own, "steps": record_of(alone)}

    def _step(self, step: RawStep, before: _Names) -> None:
        fields, path = step.fields, step.path
        if "if" in fields:
            self.condition(fields["if"], (*path, "if"), before)
        inside = before
        if "for_each" in fields:
            item = self._items(fields["for_each"], (*path, "for_each"), before)
            inside = {**before, "item": item, "index": A_NUMBER}
            for lacking in lacking_items(step, self.job, names=before, document=self.document):
                self.add(lacking, lacking.path)
        result = self._action(step, inside)
        after = {**inside, **ATTEMPT_NAMES, "result": result}
        for index, expected in enumerate(items(fields.get("expect"))):
            self._expectation(expected, (*path, "expect", index), after)
        given = {
            name: self.expression(value, (*path, "outputs", name), after)
            for name, value in record(fields.get("outputs")).items()
        }
        self._keep(step, after, given)

    def _keep(self, step: RawStep, after: _Names, given: _Names) -> None:
        """What others may know of a step that has passed."""
        outputs, result = record_of(given), after["result"]
        if "undo" in step.fields:
            turn_names: _Names = {name: after[name] for name in ("item", "index") if name in after}
            self.own[step.path] = {**turn_names, **ATTEMPT_NAMES, "result": result, "outputs": outputs}
        name = step.fields.get("id")
        if isinstance(name, str) and name not in self.steps:
            turn = _step_type(result, outputs)
            self.steps[name] = _loop_type(turn, result, given) if "for_each" in step.fields else turn

    def _items(self, written: Json, path: ValuePath, before: _Names) -> Type:
        if not isinstance(written, str):
            return self.value(written, path, before).any_item
        found = self.expression(written, path, before)
        if not found.may_be(LIST):
            message = f"`for_each` needs a list, and `{written.strip()}` is {in_words(found)}"
            has_list = found.kinds == RECORD and (found.fields or {}).get("result", A_NUMBER).kinds & LIST
            hint = f"write `{written.strip()}.result`" if has_list else None
            self.report("E176", message, path, hint=hint)
        return found.any_item if found.kinds & LIST else UNKNOWN

    def _expectation(self, expected: Json, path: ValuePath, after: _Names) -> None:
        if isinstance(expected, dict):
            self.condition(expected.get("that"), (*path, "that"), after)
            self.value(expected.get("message"), (*path, "message"), after)
            self._schema(expected.get("schema"), (*path, "schema"), after["result"])
        else:
            self.condition(expected, path, after)

    def _schema(self, schema: Json, path: ValuePath, result: Type) -> None:
        """A schema that the result never fits, null or not, or that checks nothing of it."""
        if not isinstance(schema, dict):
            return
        from runner.lint.unmet_schemas import unmet  # noqa: PLC0415  2 ms, for an expectation with a schema

        for each in unmet(schema, result):
            self.add(each, path)

    def _action(self, step: RawStep, inside: _Names) -> Type:
        """The type of what the action gives; what it sends is checked."""
        fields = step.fields
        written = action_values(step)
        sent = {found.path: self.value(found.value, found.path, inside) for found in written if found.is_template}
        for found in ids(written):
            self._id(found, sent)
        for at, code, start in starts(step):
            known = None if step.path in self.elsewhere else self.catalogue
            process = known.called(code, start.get("version")) if known is not None else None
            self._parameters(record(start.get("parameters")), (*at, "parameters"), process, sent=sent, step=step)
            return ACTIONS[str(at[-1])].result(start, process)
        for named in named_elements(step):
            double = self.catalogue.double(process_of(named.of, step, self.job)) if self.catalogue else None
            self._parameters(named.parameters, named.parameters_at, double, sent=sent, step=step)
        if "job" in fields:
            return self._included(step, sent)
        if "query" in fields:
            from runner.lint.filters import unfit_value  # noqa: PLC0415  1 ms, for a query

            if (wrong := unfit_value(step, inside)) is not None:
                self.add_quoted(wrong, (*step.path, "query", "filter"))
            if (records := self._records(record(fields["query"]))) is not None:
                return records
        action = defaults.action_type(fields)
        return UNKNOWN if action is None else action.result(record(fields[action.key]), None)

    def _records(self, query: JsonObject) -> Type | None:
        """The records of a query without `select`, where the columns of its entity are known."""
        known = self.catalogue.entities if self.catalogue is not None else None
        entity = (known or {}).get(str(query.get("entity")))
        if entity is None or "select" in query:
            return None
        return list_of(record_of(dict.fromkeys(entity.columns, UNKNOWN), closed=True))

    def _id(self, written: ActionValue, sent: Mapping[ValuePath, Type]) -> None:
        text, path = str(written.value), written.path
        if "{{" not in text:
            return
        found = sent[path] if path in sent else _inner(sent.get(path[:-1], UNKNOWN), path[-1:])
        key = next(key for key in reversed(path) if isinstance(key, str))
        name = "uid" if key.startswith("element") else key
        wrong = fitting.unfit_type(name, Parameter(kind=Kind.GUID), found, source=text.strip())
        if wrong is not None:
            self.report("E113", wrong.message, path, hint=wrong.hint)

    def _parameters(
        self,
        values: JsonObject,
        path: ValuePath,
        process: Process | None,
        *,
        sent: Mapping[ValuePath, Type],
        step: RawStep,
    ) -> None:
        given = sent.get(path, UNKNOWN).fields or {}
        for code, value in values.items():
            known = (process.parameters or {})[code] if process is not None and code in process.takes else None
            self._fits((*path, code), value, known, given.get(code, UNKNOWN), step=step)
            if process is not None and isinstance(value, str) and ":" in value:
                self.problems.extend(slipped_keys(self.document, (*path, code), process.takes - values.keys()))

    def _fits(self, path: ValuePath, value: Json, parameter: Parameter | None, found: Type, *, step: RawStep) -> None:
        """Check a value against its parameter, and templates in its records against the columns."""
        code = str(path[-1])
        wrong = [] if parameter is None else [*fitting.unfit_value(code, parameter, value)]
        wrong += fitting.misread_numbers(
            code, parameter, value, written=lambda inner: self.document.written((*path, *inner))
        )
        for misfit in wrong:
            self.add(misfit, path)
        if parameter is None:
            return
        for inner, text in texts_in(value):
            taker = fitting.column_of(parameter, str(inner[-1])) if inner else parameter
            if taker is not None:
                self._template_fits(text, (*path, *inner), taker, _inner(found, inner), step=step)

    def _template_fits(self, text: str, path: ValuePath, taker: Parameter, found: Type, *, step: RawStep) -> None:
        """Check a template against its parameter, by type, and by its value if known."""
        name, source = str(path[-1]), text.strip()
        by_type = fitting.unfit_type(name, taker, found, source=source)
        by_value = self._unfit_written(name, text, taker, step)
        is_better = by_value is not None and fitting.has_own_hint(by_value) and found.kinds == TEXT
        wrong = by_value if by_type is None or is_better else by_type
        for misfit in [wrong] if wrong else fitting.unfit_records(name, taker, found, source=source):
            self.add(misfit, path)

    def _unfit_written(self, name: str, text: str, taker: Parameter, step: RawStep) -> fitting.Misfit | None:
        """The first value that a template is known to give, and that does not fit."""
        for written in islice(written_values(text, step, self.job), _MOST_VALUES):
            for misfit in fitting.unfit_value(name, taker, written.value):
                at = (*written.path, *misfit.path)
                where = f"in case `{written.case}`" if written.case else f"from line {self.document.line_of(at)}"
                message = f"{misfit.message}, which `{text.strip()}` gives {where}"
                warning = misfit.warning or not written.is_certain
                return replace(misfit, message=message, path=(), at_key=False, warning=warning)
        return None

    def _included(self, step: RawStep, sent: Mapping[ValuePath, Type]) -> Type:
        """What an included job gives; what is handed to it is checked against the schemas of its inputs."""
        action, other = record(step.fields["job"]), self.job.included.get(step.path)
        if other is None:
            return UNKNOWN
        path = (*step.path, "job", "inputs")
        for name, found in (sent.get(path, UNKNOWN).fields or {}).items():
            wanted = schema_type(other.inputs.get(name))
            never_fits = found.kinds & wanted.kinds == 0 and found.kinds != NULL
            if never_fits and any(texts_in(record(action["inputs"])[name])):
                message = f"input `{name}` of `{action.get('file')}` is {in_words(wanted)}, not {in_words(found)}"
                self.report("E171", message, (*path, name))
        return record_of(Flow(document=self.document, job=other, catalogue=self.catalogue).through())


def _inner(given: Type, path: ValuePath) -> Type:
    for part in path:
        given = given.any_item if isinstance(part, int) else (given.fields or {}).get(part, UNKNOWN)
    return given


def _step_type(result: Type, outputs: Type) -> Type:
    return record_of({**STEP_KEYS, "result": result, "outputs": outputs})


def _loop_type(turn: Type, result: Type, given: _Names) -> Type:
    """A step with `for_each`: an item a turn."""
    outputs = record_of({name: list_of(found) for name, found in given.items()})
    turns = any_of([turn]) or UNKNOWN
    return record_of({**STEP_KEYS, "result": list_of(result), "outputs": outputs, "turns": list_of(turns)})
