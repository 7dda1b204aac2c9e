"""What a schema cannot say of a double: its expressions, their names and types, as far as its shape allows."""

from collections.abc import Callable, Collection, Mapping

from msgspec import field
from msgspec.structs import replace

from runner.catalogue.kinds import held_type
from runner.catalogue.model import Kind, Parameter
from runner.expressions.parse import Name, Read, TemplateProblem
from runner.expressions.typed import A_GUID, UNKNOWN, Type, record_of
from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding, Problem
from runner.foundation.suggestions import near_or_listed
from runner.foundation.values import Json, JsonObject, ValuePath, is_guid, items, leaves, record
from runner.lint.fitting import unfit_type, unfit_value
from runner.lint.typed_texts import TypeLint
from runner.odata.names import is_entity
from runner.reading.document import Document
from runner.sandbox.doubles import OWN_ENTITIES
from runner.sandbox.fault_kinds import TAKING_TIME

_TAKES_ID = frozenset({Kind.GUID, Kind.LOOKUP, Kind.TEXT})
_TAKES_RECORDS = frozenset({Kind.RECORDS})
_FUNCTIONS = frozenset({"uuid"})
_BARE = lazy_pattern(r"\s*(parameters|row|run)\.(\w+)(?:\.\w+|\[-?\d+\])*\s*")
_EVALUATED = frozenset({"fail", "text", "if", "where"})
_OF_VALUES = frozenset({"set", "values", "description"})
_OF_JOBS = frozenset({"inputs", "vars", "steps", "target", "case", "item", "index", "result", "outputs", "env"})
"""What expressions of jobs know, and those of doubles do not."""
_ROW = record_of({"Id": A_GUID})
_Names = Mapping[str, Type]


def check(document: Document) -> tuple[Problem, ...]:
    """What the schema of a double cannot say."""
    fields = record(document.data)
    parameters = {code: _parameter(record(declared)) for code, declared in record(fields.get("parameters")).items()}
    held = {code: UNKNOWN if each is None else held_type(each) for code, each in parameters.items()}
    names = {"parameters": record_of(held), "run": record_of({"id": A_GUID})}
    rules = _Rules(document=document, parameters=parameters, names=names)
    rules.no_templates(fields)
    rules.version(fields)
    rules.starts_on(record(fields.get("starts_on")), ("starts_on",))
    for index, activity in enumerate(items(fields.get("activities"))):
        rules.activity(record(activity), ("activities", index))
    rules.faults(items(fields.get("faults")))
    return tuple(rules.problems)


def entity_mistake(name: str) -> str | None:
    """Why no file may name this entity."""
    if name in OWN_ENTITIES:
        return f"`{name}` belongs to the sandbox itself"
    return None if is_entity(name) else f"`{name}` is no name of an entity"


def _parameter(fields: JsonObject) -> Parameter | None:
    """The parameter; None for a wrong declaration."""
    kind = Kind.named(fields.get("type"))
    columns = {name: Kind.named(column) for name, column in record(fields.get("items")).items()}
    return None if kind is Kind.UNKNOWN else Parameter(kind=kind, items=columns, is_exact=True)


class _Rules(TypeLint, frozen=True, kw_only=True):
    """`names` are the types of what every expression may use; for conditions on records, `row` is added."""

    parameters: Mapping[str, Parameter | None]
    names: _Names
    uids: set[str] = field(default_factory=set)

    def no_templates(self, fields: JsonObject) -> None:
        """Templates in values that are taken as they are."""
        for path, text in leaves(fields):
            is_plain = path[-1] not in _EVALUATED and _OF_VALUES.isdisjoint(path)
            if is_plain and isinstance(text, str) and "{{" in text:
                hint = "write templates in `set`, `values` and `fail` only"
                self.report("E122", "no template is read here", path, hint=hint)

    def version(self, fields: JsonObject) -> None:
        """A version is a schema of its own: it has a code and a number."""
        root = fields.get("of")
        if not isinstance(root, str):
            return
        if root == fields.get("process"):
            hint = f"each version is a schema of its own, called as `{root}_v1`; the root's double has no `of`"
            self.report("E107", f"`{root}` cannot be a version of itself", ("of",), hint=hint)
        if "version" not in fields:
            hint = "write its number, as in `version: 2`"
            self.report("E105", f"`version` is missing: a version of `{root}` has a number", ("of",), hint=hint)

    def starts_on(self, start: JsonObject, path: ValuePath) -> None:
        """A change of a record that starts the process: before it starts, nothing but the record is known."""
        self._entity(start.get("entity"), (*path, "entity"))
        self._into(start, path, takes=_TAKES_ID, what="an Id")
        self.condition(start.get("where"), (*path, "where"), {"row": _ROW})

    def faults(self, faults: list[Json]) -> None:
        """They are taken in order, so a fault without `times` leaves nothing for those after it."""
        endless = False
        for index, fault in enumerate(faults):
            if not isinstance(fault, dict):
                continue
            path = ("faults", index)
            if endless:
                hint = "give the fault before it `times`, or put it last"
                self.report("E107", "no call meets this fault: the fault before it has no `times`", path, hint=hint)
            if "seconds" in fault and fault.get("fault") not in TAKING_TIME:
                listed = " and ".join(f"`{kind}`" for kind in TAKING_TIME)
                self.report("E107", f"only {listed} take `seconds`", (*path, "seconds"), at_key=True)
            endless = "times" not in fault

    def activity(self, fields: JsonObject, path: ValuePath) -> None:
        self.condition(fields.get("if"), (*path, "if"), self.names)
        for kind, value in fields.items():
            here = (*path, kind)
            match kind, value:
                case "set", dict():
                    self._set(value, here)
                case "fail", str():
                    self.value(value, here, self.names)
                case "fail", dict():
                    self.value(value.get("text"), (*here, "text"), self.names)
                    self._named_element(value, here)
                case "element", dict():
                    self._into(value, here, takes=_TAKES_ID, what="the id of an element")
                    self._named_element(value, here)
                case "insert" | "select" | "update" | "delete", dict():
                    self._on_records(kind, value, here)

    def _set(self, values: JsonObject, path: ValuePath) -> None:
        for code, value in values.items():
            here = (*path, code)
            if code not in self.parameters:
                self._unknown_parameter(code, here, at_key=True)
            parameter = self.parameters.get(code)
            if parameter is not None and parameter.kind is not Kind.TEXT and self._is_bare(value, self.names):
                self._bare(str(value), here, warning=False)
                continue
            given = self.value(value, here, self.names)
            if parameter is not None:
                self._fits(value, parameter, given, here)

    def _fits(self, value: Json, parameter: Parameter, given: Type, path: ValuePath) -> None:
        """A value without templates is known already."""
        if isinstance(value, str) and "{{" in value:
            wrong = unfit_type(str(path[-1]), parameter, given, source=value.strip())
            found = [wrong] if wrong is not None else []
        else:
            found = [*unfit_value(str(path[-1]), parameter, value)]
        for each in found:
            self.add(each, path)

    def _named_element(self, fields: JsonObject, path: ValuePath) -> None:
        uid, here = fields.get("uid"), (*path, "uid")
        if not isinstance(uid, str) or "{{" in uid:
            return
        if not is_guid(uid):
            hint = "write 8-4-4-4-12 hexadecimal digits, without braces"
            self.report("E113", f"`{uid}` is not a GUID", here, hint=hint)
        elif uid.lower() in self.uids:
            self.report("E111", "two elements have this id", here)
        self.uids.add(uid.lower())

    def _on_records(self, kind: str, fields: JsonObject, path: ValuePath) -> None:
        with_row = {**self.names, "row": _ROW}
        self._entity(fields.get("entity"), (*path, "entity"))
        self.condition(fields.get("where"), (*path, "where"), with_row)
        for column, value in record(fields.get("values")).items():
            here = (*path, "values", column)
            self.value(value, here, with_row if kind == "update" else self.names)
            if not is_entity(column):  # columns are called alike
                self.report("E107", f"`{column}` is no name of a column", here, at_key=True)
            elif kind == "update" and column == "Id":
                self.report("E107", "the Id of a record cannot be changed", here, at_key=True)
        takes, what = (_TAKES_RECORDS, "records") if kind == "select" else (_TAKES_ID, "an Id")
        self._into(fields, path, takes=takes, what=what)

    def _entity(self, name: Json, path: ValuePath) -> None:
        wrong = entity_mistake(name) if isinstance(name, str) else None
        if wrong is not None:
            self.report("E107", wrong, path)

    def _into(self, fields: JsonObject, path: ValuePath, *, takes: Collection[Kind], what: str) -> None:
        code, here = fields.get("into"), (*path, "into")
        if not isinstance(code, str):
            return
        if code not in self.parameters:
            self._unknown_parameter(code, here)
            return
        parameter = self.parameters[code]
        if parameter is not None and parameter.kind not in takes:
            hint = f"use a parameter of type {' or '.join(f'`{kind}`' for kind in sorted(takes))}"
            self.report("E107", f"`{code}` is of type `{parameter.kind}` and cannot hold {what}", here, hint=hint)

    def value(self, value: Json, path: ValuePath, names: _Names) -> Type:
        if self._is_bare(value, names):
            self._bare(str(value), path, warning=True)
        return TypeLint.value(self, value, path, names)

    def read(self, read: Callable[[str], Read], text: str, path: ValuePath, names: _Names) -> Read | None:
        """Read a text with known names; everything else is reported."""
        try:
            parsed = read(text)
        except TemplateProblem as problem:
            self.add_unreadable(problem.finding, path, text)
            return None
        wrong = [replace(each, line=name.line) for name in parsed.names if (each := self._mistake(name, names))]
        wrong += (
            Finding(code="E124", message=f"`{function}()` is known in jobs only", part=function)
            for function in sorted(parsed.functions - _FUNCTIONS)
        )
        self.add_all_in_text(wrong, path, text)
        return None if wrong else parsed

    def _bare(self, value: str, path: ValuePath, *, warning: bool) -> None:
        message = f"`{value.strip()}` is a text here: only what is in braces is worked out"
        self.report("E123", message, path, hint=f'write `"{{{{ {value.strip()} }}}}"`', warning=warning)

    def _is_bare(self, value: Json, names: _Names) -> bool:
        """Whether `value` is a name as expressions have it, and nothing else."""
        found = _BARE.fullmatch(value) if isinstance(value, str) else None
        if found is None or found[1] not in names:
            return False
        return found[1] == "row" or (found[2] in self.parameters if found[1] == "parameters" else found[2] == "id")

    def _mistake(self, name: Name, names: _Names) -> Finding | None:
        root, word = str(name.path[0]), str(name.path[1]) if len(name.path) > 1 else None
        if root in names:
            if root == "parameters" and word is not None and word not in self.parameters:
                return _unknown(f"unknown parameter `{word}`", self._parameter_hint(word), word)
            if root == "run" and word is not None and word != "id":
                return _unknown(f"`run` has no `{word}`", "a double knows `run.id`", word)
            return None
        if root == "row":
            return _unknown("`row` is known in `where` and in the `values` of `update`", None, root)
        if root in self.names:
            return _unknown(f"`{root}` is not known before the process starts", "use `row`, the changed record", root)
        return _unknown(f"unknown name `{root}`", self._root_hint(root, names, is_alone=word is None), root)

    def _parameter_hint(self, word: str) -> str | None:
        return near_or_listed(word, self.parameters, has="the parameters are") if self.parameters else None

    def _root_hint(self, root: str, names: _Names, *, is_alone: bool) -> str:
        """A name without dots is a parameter's or, in a condition on records, most probably a column's."""
        is_parameter, may_be_column = root in self.parameters, "row" in names and is_alone and root not in _OF_JOBS
        if is_parameter and may_be_column:
            return f"write `row.{root}` for the column, `parameters.{root}` for the parameter"
        if is_parameter:
            return f"did you mean `parameters.{root}`?"
        listed = ", ".join(f"`{known}`" for known in ("parameters", "run", "row") if known in names)
        return f"did you mean `row.{root}`?" if may_be_column else f"known here are {listed}"

    def _unknown_parameter(self, code: str, path: ValuePath, *, at_key: bool = False) -> None:
        self.report("E126", f"unknown parameter `{code}`", path, hint=self._parameter_hint(code), at_key=at_key)


def _unknown(message: str, hint: str | None, part: str) -> Finding:
    return Finding(code="E126", message=message, hint=hint, part=part)
