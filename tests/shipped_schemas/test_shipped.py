import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias, get_args

import jsonschema_rs
import pytest
from examples import some
from hypothesis import given, settings
from hypothesis import strategies as st
from journals import RUN_STARTED
from msgspec.structs import replace

from runner.catalogue.differences import About
from runner.catalogue.model import Direction, Kind
from runner.cli.shipped import SCHEMAS
from runner.doctor.findings import WayVerdict
from runner.engine import carry_out
from runner.foundation import durations
from runner.foundation.git import FileChange
from runner.foundation.problems import ExitCode, Severity
from runner.foundation.values import Json, JsonObject, ValuePath
from runner.job.actions import ACTIONS, Decode, WaitFor
from runner.job.actions.signal import Change
from runner.job.model import OnFailure, RetryOn, StepEffect, Until, Verify
from runner.json_schema import flaws as schema_flaws
from runner.json_schema import schemas
from runner.ledger.decisions import VersionState
from runner.reading import load
from runner.reading.document import Document
from runner.runs import events
from runner.runs.events import RunStatus, Section, WaitsFor
from runner.runs.evidence import Confirmation, LockHolder, SiteAccess, Unverified, VerdictBy, VerdictSource
from runner.runs.status import Status
from runner.sandbox.fault_kinds import FAULT_KINDS
from runner.service.site import ElementIdPlace, ExecuteMethod, Runtime

LANGUAGES = ("job", "targets", "process", "catalog")
Place: TypeAlias = tuple[str, JsonObject]


def whole(name: str) -> JsonObject:
    """A file beside this one, in which every key of the language stands."""
    file = Path(__file__).with_name(f"every-key.{name}.yaml")
    document = load.read(file, name=file.name)
    assert isinstance(document, Document)
    assert isinstance(document.data, dict)
    return document.data


WHOLE = {name: whole(name) for name in LANGUAGES}
_TYPED = {*Kind} - {Kind.UNKNOWN}
_WORDS: dict[str, set[Json]] = {
    "job/step/effect": {*StepEffect},
    "job/execute/decode": {*Decode},
    "job/execute/until": {*Until},
    "job/run/until": {*Until},
    "job/wait/for": {*WaitFor},
    "job/signal/until": {*Until},
    "job/retry/on/items": {*RetryOn},
    "job/verify": {*Verify},
    "job/on_failure": {*OnFailure},
    "targets/target/runtime": {*Runtime},
    "targets/target/element_call": {*ElementIdPlace},
    "targets/target/execute_method": {*ExecuteMethod},
    "targets/allow/effects/items": {*StepEffect},
    "process/starts_on/change": {*Change},
    "process/parameter/type": {*_TYPED},
    "process/parameter/direction": {*Direction} - {Direction.UNKNOWN},
    "process/parameter/items/additionalProperties": {*_TYPED} - {Kind.RECORDS},
    "process/fault/fault": {*FAULT_KINDS},
    "doctor/finding/verdict": {verdict.replace(" ", "_") for verdict in WayVerdict},
    "list/change_reason/change": {*FileChange},
    "list/problem/severity": {*Severity},
    "ready/problem/severity": {*Severity},
    "catalog-diff/difference/about": {*About},
    "validate/problem/severity": {*Severity},
    "catalog/kind": {*Kind},
    "catalog/parameter/direction": {*Direction},
    "event/type": {kind.__struct_config__.tag for kind in get_args(events.AnyEvent)},
    "event/call.sent/effect": {*StepEffect},
    "event/step.finished/status": {*Status},
    "event/run.finished/status": {*RunStatus},
    "event/run.finished/undo": {carry_out.NONE, carry_out.COMPLETE, carry_out.INCOMPLETE},
    "event/undo.finished/undo": {carry_out.COMPLETE, carry_out.INCOMPLETE},
    "event/row/section": {*Section},
    "event/row/effect": {*StepEffect},
    "event/row/on_failure": {*OnFailure},
    "history/past_run/status": {*RunStatus},
    "runs/stored_run/status": {*RunStatus},
    "report/exit_code": {*ExitCode},
    "report/problem/severity": {*Severity},
    "report/run/status": {*RunStatus},
    "report/run/undo": {carry_out.NONE, carry_out.COMPLETE, carry_out.INCOMPLETE},
    "report/step/section": {*Section},
    "report/step/status": {*Status},
    "event/run.started/begun_by/confirmed": {*Confirmation},
    "report/run/begun_by/confirmed": {*Confirmation},
    "runs/stored_run/begun_by/confirmed": {*Confirmation},
    "apply/applied_version/decision": {*VersionState},
    "apply/applied_version/state": {*VersionState},
    "apply/applied_version/status": {*RunStatus},
    "apply/before/status": {*RunStatus},
    "apply/gone_version/status": {*RunStatus},
}
"""Each list of words in a schema, and those of the program."""
_OF_NO_TABLE = {
    "event/step.finished/verified",
    "report/step/verified",
    "report/status",
    "history/past_step/last/items",
}


def written(name: str) -> JsonObject:
    schema: JsonObject = json.loads(schemas.shipped_text(name))
    return schema


def at(value: Json, *path: str | int) -> Json:
    for part in path:
        match value, part:
            case (dict(), str()) | (list(), int()):
                value = value[part]  # type: ignore[index]  # the pattern pairs a record with a text, a list with a number
            case _:
                raise KeyError(part)
    return value


def subschemas(schema: Json, place: str = "") -> Iterator[Place]:
    """Every part that is a schema and says what may stand there; conditions (`if`, `not`) say nothing to people."""
    if not isinstance(schema, dict):
        return
    yield place, schema
    for key, value in schema.items():
        match key, value:
            case ("properties" | "$defs", dict()):
                for name, item in value.items():
                    yield from subschemas(item, f"{place}/{key}/{name}")
            case ("allOf" | "oneOf", list()):
                for index, item in enumerate(value):
                    yield from subschemas(item, f"{place}/{key}/{index}")
            case ("items" | "additionalProperties" | "propertyNames" | "then" | "else", _):
                yield from subschemas(value, f"{place}/{key}")


def properties(schema: Json) -> Iterator[Place]:
    """Every named property, with the path that leads to it."""
    return ((place, part) for place, part in subschemas(schema) if place.split("/")[-2:-1] == ["properties"])


def test_every_file_of_schema_is_printed_by_runner_schema() -> None:
    files = Path(__file__).parents[2].joinpath("schema").glob("*.schema.json")
    assert {file.name.removesuffix(".schema.json") for file in files} == {*SCHEMAS}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_shipped_schema_is_one_of_draft_2020_12_with_an_address_of_its_own(name: str) -> None:
    schema = written(name)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"https://creatio-runner.invalid/schema/{name}.schema.json"
    assert jsonschema_rs.meta.is_valid(schema)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_shipped_schema_has_no_flaw_but_the_words_for_editors(name: str) -> None:
    flaws = schema_flaws.check({key: value for key, value in written(name).items() if key != "$id"})

    assert {flaw.path[-1] for flaw in flaws} <= {"errorMessage", "patternErrorMessage"}


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_property_is_described_for_editors(name: str) -> None:
    schema = written(name)

    def is_described(item: JsonObject) -> bool:
        reference = item.get("$ref")
        behind = at(schema, "$defs", reference.rpartition("/")[2]) if isinstance(reference, str) else {}
        examples_alone = set(item) <= {"examples"}
        return "description" in item or examples_alone or (isinstance(behind, dict) and "description" in behind)

    assert [place for place, item in properties(schema) if not is_described(item)] == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_example_and_default_fits_its_own_schema(name: str) -> None:
    schema = written(name)
    wrong = []
    for place, part in subschemas(schema):
        alone = {key: value for key, value in part.items() if key not in ("$id", "$schema")}
        examples = part.get("examples", [])
        shown = [*(examples if isinstance(examples, list) else []), *([part["default"]] if "default" in part else [])]
        fits = schemas.from_job({"$defs": schema["$defs"], **alone})
        wrong += [(place, example) for example in shown if fits.violations(example)]

    assert wrong == []


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_file_that_uses_every_key_is_accepted(name: str) -> None:
    assert schemas.shipped(name).violations(WHOLE[name]) == ()


@pytest.mark.parametrize("name", LANGUAGES)
def test_the_file_that_uses_every_key_really_does(name: str) -> None:
    used = set(json.dumps(WHOLE[name]).split('"'))
    known = {place.rpartition("/")[2] for place, item in properties(written(name)) if "not" not in item}
    of_json_schema = {"description", "maximum", "minLength", "maxLength", "pattern", "items", "properties", "enum"}

    assert known - used - of_json_schema == set()


def test_the_words_of_the_schemas_are_those_of_the_program() -> None:
    listed: list[tuple[str, set[Json]]] = []
    for name in SCHEMAS:
        for place, part in subschemas(written(name)):
            words = part.get("enum")
            if isinstance(words, list):
                listed.append((f"{name}{place.replace('/$defs', '').replace('/properties', '')}", {*words} - {None}))

    assert {place: words for place, words in listed if place not in _OF_NO_TABLE} == _WORDS
    assert {place for place, _ in listed} >= _OF_NO_TABLE


def test_a_step_and_its_undo_know_the_actions_of_the_program() -> None:
    job = written("job")
    choices = at(job, "$defs", "one_action", "then", "oneOf")

    assert isinstance(choices, list)
    assert [at(choice, "required", 0) for choice in choices] == list(ACTIONS)
    assert tuple(at(job, "$defs", "undo", "properties") or ()) == tuple(ACTIONS)  # type: ignore[arg-type]  # a record of them
    assert set(ACTIONS) <= set(at(job, "$defs", "step", "properties") or ())  # type: ignore[arg-type]  # likewise


def test_every_event_of_the_program_fits_its_schema() -> None:
    row = events.Row(
        key="a", id=None, name="A", kind="execute", section=events.Section.STEPS, index=None, line=3, help=None
    )
    trouble = events.Trouble(code="E301", message="no")
    check = events.Check(that="x", passed=False, message="no")
    story: list[events.AnyEvent] = [
        replace(RUN_STARTED, access=SiteAccess(auth="password", identity_url=None, headers=("X-Key",))),
        events.StepStarted(row=row, t=0.0),
        events.CallSent(t=0, key="a", effect="once", call={}),
        events.CallAnswered(key="a", t=0.1, value=None),
        events.AttemptFailed(key="a", t=0.1, kind="refused", error=trouble, status=500, body="no"),
        events.Paused(key="a", t=0.1, seconds=1),
        events.Asked(key="a", t=0.1, value=True, by=VerdictBy(how=VerdictSource.YES, user="ada", ci_user=None)),
        events.Waited(
            key="a", t=0.1, what=WaitsFor.TURN, seconds=1.5, name="UsrA", held_by=LockHolder(job="b@here", run=None)
        ),
        events.LogUnreadable(error=trouble),
        events.StepFinished(
            key="a",
            t=1.0,
            status=Status.FAILED,
            seconds=1.0,
            attempts=2,
            verified="inferred",
            checks=(check,),
            error=trouble,
            unverified=Unverified.NOT_ASKED,
        ),
        events.StepSkipped(row=row, reason="condition"),
        events.RunClosing(t=1.0, why="done"),
        events.RunFinished(t=1.0, status=events.RunStatus.FAILED, exit_code=1),
    ]
    envelope: JsonObject = {"v": 2, "seq": 1, "at": "2026-01-31T09:00:00.000Z", "prev": "0" * 64}

    for event in story:
        line = {**envelope, **json.loads(events.encode(event))}
        assert schemas.shipped("event").violations(line) == ()
        del line[next(key for key in ("t", "row", "error", "key", "run") if key in line)]
        assert len(schemas.shipped("event").violations(line)) == 1


@given(st.from_regex(r"[0-9]{0,3}(\.[0-9]{0,2})?(ms|s|m|h|d|)", fullmatch=True) | st.text(max_size=5))
@settings(deadline=None)
def test_the_schema_and_the_program_agree_on_durations(text: str) -> None:
    accepted = not schemas.shipped("job").violations({**WHOLE["job"], "timeout": text})

    assert accepted == (durations.seconds(text) is not None)


def paths_in(value: Json) -> list[ValuePath]:
    match value:
        case dict():
            return [(), *((key, *rest) for key, item in value.items() for rest in paths_in(item))]
        case list():
            return [(), *((index, *rest) for index, item in enumerate(value) for rest in paths_in(item))]
        case _:
            return [()]


VALUES: list[Json] = [None, True, 0, -1, 1.5, "", "x", "30s", "{{ x }}", [], ["x"], {}, {"uid": 1}, [None]]
JSON: st.SearchStrategy[Json] = st.sampled_from(VALUES)
NEW_KEYS = st.sampled_from(
    ["execute", "element", "retry", "job", "url", "auth", "set", "that", "schema", "attemps", "", "a b"]
)


@st.composite
def mutated(draw: st.DrawFn, whole: JsonObject) -> JsonObject:
    """A file with every key, and a few faults: values replaced, keys taken away, renamed, or added."""
    data = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        paths = paths_in(data)[1:]
        if not paths:
            break
        *above, last = draw(st.sampled_from(paths))
        parent = at(data, *above)
        if isinstance(parent, list) and isinstance(last, int):
            parent[last] = copy.deepcopy(draw(JSON))
        elif isinstance(parent, dict) and isinstance(last, str):
            match draw(st.sampled_from(["replace", "remove", "rename", "add"])):
                case "replace":
                    parent[last] = copy.deepcopy(draw(JSON))
                case "remove":
                    del parent[last]
                case "rename":
                    parent[draw(NEW_KEYS)] = parent.pop(last)
                case _:
                    parent[draw(NEW_KEYS)] = copy.deepcopy(draw(JSON))
    return data


@pytest.mark.slow
@pytest.mark.parametrize("name", LANGUAGES)
@given(data=st.data())
@settings(max_examples=some(80), deadline=None)
def test_what_one_validator_refuses_the_other_can_explain(name: str, data: st.DataObject) -> None:
    document = data.draw(mutated(WHOLE[name]))

    schema = schemas.shipped(name)
    explained = schema.violations(document)

    assert bool(explained) != schema._validator.is_valid(document)  # noqa: SLF001  what it refuses without a word
    assert all(
        at(document, *violation.path) == violation.value or violation.keyword == "propertyNames"
        for violation in explained
    )
