"""What a schema cannot say of a double: its expressions, the names in them, and what fits whom.

Called for a document of any shape, so that all that is wrong with a file is told in one pass: what has not the shape
that the schema asks for is passed over here.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from runner.catalogue.model import Kind, Parameter
from runner.catalogue.values import CannotReadError, read
from runner.expressions.parse import Expression, Name, Template, TemplateProblem, expression, template
from runner.foundation.guids import is_guid
from runner.foundation.problems import Finding, Problem
from runner.foundation.suggestions import did_you_mean
from runner.foundation.values import Json, JsonObject, Path
from runner.reading.collector import ProblemCollector
from runner.reading.document import Document
from runner.sandbox.doubles import OWN_ENTITIES
from runner.sandbox.fault_kinds import TAKING_TIME

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TAKES_ID = frozenset({Kind.GUID, Kind.LOOKUP, Kind.TEXT})
_TAKES_RECORDS = frozenset({Kind.RECORDS})
_FUNCTIONS = frozenset({"uuid"})
_BARE = re.compile(r"\s*(parameters|row|run)\.(\w+)(?:\.\w+|\[-?\d+\])*\s*")
_OF_JOBS = frozenset({"inputs", "vars", "steps", "target", "case", "item", "index", "result", "outputs", "env"})
"""What expressions of jobs know, and those of doubles do not."""
_TELLING = 4
"""Letters at its beginning that tell which parameter is meant."""


def check(document: Document) -> tuple[Problem, ...]:
    fields = document.data
    if not isinstance(fields, dict):
        return ()
    rules = _Rules(document=document, parameters=_parameters(fields.get("parameters")))
    rules.plain(fields, ("process", "caption", "of"), ())
    rules.version(fields)
    rules.starts_on(fields.get("starts_on"))
    activities = fields.get("activities")
    for index, activity in enumerate(activities if isinstance(activities, list) else ()):
        if isinstance(activity, dict):
            rules.activity(activity, ("activities", index))
    rules.faults(fields.get("faults"))
    return tuple(rules.problems)


def _parameters(declared: Json) -> dict[str, Parameter | None]:
    """By code; None for one whose declaration is wrong."""
    if not isinstance(declared, dict):
        return {}
    return {code: _parameter(fields) for code, fields in declared.items()}


def _parameter(fields: Json) -> Parameter | None:
    kind = Kind.named(fields.get("type")) if isinstance(fields, dict) else Kind.UNKNOWN
    return None if kind is Kind.UNKNOWN else Parameter(kind=kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules(ProblemCollector):
    parameters: Mapping[str, Parameter | None]
    uids: set[str] = field(default_factory=set)

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

    def starts_on(self, start: Json) -> None:
        """A change of a record that starts the process: before it begins, nothing but the record is known."""
        if not isinstance(start, dict):
            return
        path = ("starts_on",)
        self.plain(start, ("entity", "into"), path)
        self._entity(start.get("entity"), (*path, "entity"))
        self._into(start, path, takes=_TAKES_ID, what="an Id")
        where = start.get("where")
        if isinstance(where, str):
            try:
                parsed = expression(where)
            except TemplateProblem as problem:
                self._unreadable(problem, where, (*path, "where"))
                return
            for name in parsed.names:
                if name.path[0] != "row":
                    message = f"`{name.path[0]}` is not known before the process begins"
                    hint = "known here is `row`, the record that was changed"
                    self.report("E126", message, (*path, "where"), hint=hint)

    def faults(self, faults: Json) -> None:
        """They are taken in order, so one without `times` leaves nothing for those behind it."""
        endless = False
        for index, fault in enumerate(faults if isinstance(faults, list) else ()):
            if not isinstance(fault, dict):
                continue
            path = ("faults", index)
            if endless:
                hint = "give the one before it `times`, or put it last"
                self.report("E107", "no call meets this fault: the one before it has no `times`", path, hint=hint)
            if "seconds" in fault and str(fault.get("fault")) not in TAKING_TIME:
                listed = " and ".join(f"`{kind}`" for kind in TAKING_TIME)
                self.report("E107", f"only {listed} take `seconds`", (*path, "seconds"), at_key=True)
            endless = "times" not in fault

    def activity(self, fields: JsonObject, path: Path) -> None:
        self.expression(fields.get("if"), (*path, "if"))
        for kind, value in fields.items():
            here = (*path, kind)
            match kind, value:
                case "set", dict():
                    self._set(value, here)
                case "fail", str():
                    self.value(value, here)
                case "fail", dict():
                    self.value(value.get("text"), (*here, "text"))
                    self._named_element(value, here)
                case "element", dict():
                    self._element(value, here)
                case "insert" | "select" | "update" | "delete", dict():
                    self._on_records(kind, value, here)
                case _:
                    pass

    def _set(self, values: JsonObject, path: Path) -> None:
        for code, value in values.items():
            here = (*path, code)
            if code not in self.parameters:
                self._unknown_parameter(code, here, at_key=True)
            parameter = self.parameters.get(code)
            if parameter is not None and parameter.kind is not Kind.TEXT and self._is_bare(value, row=False):
                self._bare(str(value), here, warning=False)
                continue
            self.value(value, here)
            self._fits(value, code, here)

    def _fits(self, value: Json, code: str, path: Path) -> None:
        """A value without templates is known already."""
        parameter = self.parameters.get(code)
        if parameter is None or "{{" in str(value):
            return
        try:
            read(value, parameter)
        except CannotReadError as error:
            self.report("E106", f"{error}, which `{code}` holds", path)

    def _element(self, fields: JsonObject, path: Path) -> None:
        self.plain(fields, ("into",), path)
        self._into(fields, path, takes=_TAKES_ID, what="the id of an element")
        self._named_element(fields, path)

    def _named_element(self, fields: JsonObject, path: Path) -> None:
        self.plain(fields, ("uid", "caption"), path)
        uid, here = fields.get("uid"), (*path, "uid")
        if not isinstance(uid, str) or "{{" in uid:
            return
        if not is_guid(uid):
            hint = "write 8-4-4-4-12 hexadecimal digits, without braces"
            self.report("E113", f"`{uid}` is not a GUID", here, hint=hint)
        elif uid.lower() in self.uids:
            self.report("E111", "two elements have this id", here)
        self.uids.add(uid.lower())

    def _on_records(self, kind: str, fields: JsonObject, path: Path) -> None:
        self.plain(fields, ("entity", "into"), path)
        self._entity(fields.get("entity"), (*path, "entity"))
        self.expression(fields.get("where"), (*path, "where"), row=True)
        values = fields.get("values")
        for column, value in values.items() if isinstance(values, dict) else ():
            here = (*path, "values", column)
            self.value(value, here, row=kind == "update")
            if not _NAME.fullmatch(column):
                self.report("E107", f"`{column}` is no name of a column", here, at_key=True)
            elif kind == "update" and column == "Id":
                self.report("E107", "the Id of a record cannot be changed", here, at_key=True)
        if kind == "select":
            self._into(fields, path, takes=_TAKES_RECORDS, what="records")
        else:
            self._into(fields, path, takes=_TAKES_ID, what="an Id")

    def _entity(self, name: Json, path: Path) -> None:
        if not isinstance(name, str):
            return
        if name in OWN_ENTITIES:
            self.report("E107", f"`{name}` is kept by the sandbox itself", path)
        elif not _NAME.fullmatch(name):
            self.report("E107", f"`{name}` is no name of an entity", path)

    def _into(self, fields: JsonObject, path: Path, *, takes: Collection[Kind], what: str) -> None:
        code, here = fields.get("into"), (*path, "into")
        if not isinstance(code, str):
            return
        if code not in self.parameters:
            fitting = [name for name, one in self.parameters.items() if one is not None and one.kind in takes]
            begun = [name for name in fitting if name.casefold()[:_TELLING] == code.casefold()[:_TELLING]]
            self._unknown_parameter(code, here, hint=f"did you mean `{begun[0]}`?" if len(begun) == 1 else None)
            return
        parameter = self.parameters[code]
        if parameter is not None and parameter.kind not in takes:
            hint = f"it needs a parameter of type {' or '.join(f'`{kind}`' for kind in sorted(takes))}"
            self.report("E107", f"`{code}` is of type `{parameter.kind}` and cannot hold {what}", here, hint=hint)

    def expression(self, value: Json, path: Path, *, row: bool = False) -> None:
        if isinstance(value, str):
            try:
                self._names(expression(value), value, path, row=row)
            except TemplateProblem as problem:
                self._unreadable(problem, value, path)

    def value(self, value: Json, path: Path, *, row: bool = False) -> None:
        match value:
            case str() if self._is_bare(value, row=row):
                self._bare(value, path, warning=True)
            case str():
                try:
                    self._names(template(value), value, path, row=row)
                except TemplateProblem as problem:
                    self._unreadable(problem, value, path)
            case list():
                for index, item in enumerate(value):
                    self.value(item, (*path, index), row=row)
            case dict():
                for key, item in value.items():
                    self.value(item, (*path, key), row=row)

    def plain(self, fields: JsonObject, keys: Iterable[str], path: Path) -> None:
        """Texts in which no template is read."""
        for key in keys:
            if "{{" in str(fields.get(key, "")):
                hint = "templates are read in `set`, `values` and `fail`"
                self.report("E122", "no template is read here", (*path, key), hint=hint)

    def _bare(self, value: str, path: Path, *, warning: bool) -> None:
        message = f"`{value.strip()}` is a text here: only what stands in braces is worked out"
        self.report("E123", message, path, hint=f'write `"{{{{ {value.strip()} }}}}"`', warning=warning)

    def _is_bare(self, value: Json, *, row: bool) -> bool:
        """Whether `value` is a name as it stands in an expression, and nothing else."""
        found = _BARE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            return False
        root, word = found.groups()
        return row if root == "row" else word in self.parameters if root == "parameters" else word == "id"

    def _names(self, parsed: Expression | Template, text: str, path: Path, *, row: bool) -> None:
        roots = ("parameters", "run", "row") if row else ("parameters", "run")
        for name in parsed.names:
            wrong = self._mistake(name, roots)
            if wrong is not None:
                message, hint, part = wrong
                found = Finding(code="E126", message=message, hint=hint, part=part, line=name.line)
                self.add_in_text(found, path, text)
        for function in sorted(parsed.functions - _FUNCTIONS):
            found = Finding(code="E124", message=f"`{function}()` is known in jobs only", part=function)
            self.add_in_text(found, path, text)

    def _mistake(self, name: Name, roots: tuple[str, ...]) -> tuple[str, str | None, str] | None:
        """Message, hint and the part that is wrong."""
        root, word = str(name.path[0]), str(name.path[1]) if len(name.path) > 1 else None
        if root not in roots:
            if root == "row":
                return "`row` is known in `where` and in the `values` of `update`", None, root
            return f"unknown name `{root}`", self._root_meant(root, roots, is_alone=word is None), root
        if root == "parameters" and word is not None and word not in self.parameters:
            return f"unknown parameter `{word}`", self._near(word), word
        if root == "run" and word is not None and word != "id":
            return f"`run` has no `{word}`", "a double knows `run.id`", word
        return None

    def _root_meant(self, root: str, roots: tuple[str, ...], *, is_alone: bool) -> str:
        """A name that stands alone is a parameter's or, where records are looked at, most probably a column's."""
        is_parameter, may_be_column = root in self.parameters, "row" in roots and is_alone and root not in _OF_JOBS
        if is_parameter and may_be_column:
            return f"write `row.{root}` for the column, `parameters.{root}` for the parameter"
        if is_parameter:
            return f"did you mean `parameters.{root}`?"
        return f"did you mean `row.{root}`?" if may_be_column else _listed(roots)

    def _unknown_parameter(self, code: str, path: Path, *, hint: str | None = None, at_key: bool = False) -> None:
        self.report("E126", f"unknown parameter `{code}`", path, hint=self._near(code) or hint, at_key=at_key)

    def _near(self, code: str) -> str | None:
        return did_you_mean(code, self.parameters)

    def _unreadable(self, problem: TemplateProblem, text: str, path: Path) -> None:
        hint = (self.document.quote_hint(path) if problem.code == "E120" else None) or problem.hint
        self.add_in_text(replace(problem.finding, hint=hint), path, text)


def _listed(roots: tuple[str, ...]) -> str:
    return f"known here are {', '.join(f'`{root}`' for root in roots)}"
