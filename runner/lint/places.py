"""The texts of a step: in which of them templates are read, and what each can use at its place."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from runner.expressions.parse import Expression, readable, template
from runner.expressions.typed import A_GUID, A_NUMBER, A_TEXT, PLAIN_TEXT, TEXT, Type, or_null, record_of, word_of
from runner.foundation.values import Json, ValuePath, record
from runner.job.actions import ACTIONS, ActionType
from runner.job.actions.action import PROCESS_STATUS
from runner.job.outline import Outline, RawStep
from runner.runs.status import Status

CONDITIONS = frozenset({"success", "failure", "always"})
JOB_NAMES: Final[Mapping[str, Type]] = {
    "run": record_of({"id": A_GUID, "started_at": Type(kinds=TEXT, form="datetime")}),
    "target": record_of({"name": PLAIN_TEXT, "url": PLAIN_TEXT}),
    "case": or_null(record_of({"name": A_TEXT, "index": A_NUMBER})),
}
ATTEMPT_NAMES: Final[Mapping[str, Type]] = {
    "process_status": or_null(PROCESS_STATUS),
    "process_id": or_null(A_GUID),
    "seconds": A_NUMBER,
}
STEP_KEYS: Final[Mapping[str, Type]] = {
    "status": word_of(Status, vocabulary="step_status"),
    "process_id": or_null(A_GUID),
    "attempts": A_NUMBER,
    "seconds": A_NUMBER,
}
"""Of a step that has ended; beside these it has `result` and `outputs`, and `turns` where it has turns."""
OF_AN_ATTEMPT = frozenset({"result", *ATTEMPT_NAMES})
OF_A_TURN = frozenset({"item", "index"})
NEVER = -1
_LAST = 1_000_000_000
_NONE: frozenset[str] = frozenset()
ELEMENT_IDS = frozenset({"element", "element.uid", "elements.*", "elements.*.uid"})
_IDS = (
    ELEMENT_IDS
    | {"element.of", "elements.of", "elements.*.of", "signal.insert.id", "signal.update.id", "signal.delete.id"}
    | {f"{key}.process_id" for key in ACTIONS}
)
"""The places where a GUID is wanted."""


class NameScope(Struct, frozen=True, kw_only=True):
    """What is known at a place of `job`."""

    job: Outline
    rank: int  # steps of a lower rank have ended
    bare: frozenset[str] = _NONE  # names that need no root
    functions: frozenset[str] = _NONE
    vars: AbstractSet[str] | None = None  # with a value; None: all
    step: RawStep | None = None  # that the place is a part of
    undone: RawStep | None = None  # the step that it undoes
    own_result: RawStep | None = None  # the step whose result is called `result` here


def after_all_steps(job: Outline) -> NameScope:
    return NameScope(job=job, rank=_LAST)


def before_the_steps(job: Outline, evaluated: AbstractSet[str]) -> NameScope:
    """Where `vars` are evaluated, those of `evaluated` being known; it may grow."""
    return NameScope(job=job, rank=NEVER, vars=evaluated)


def condition(step: RawStep, job: Outline) -> NameScope:
    """An `if`."""
    return replace(turns(step, job), functions=CONDITIONS)


def turns(step: RawStep, job: Outline) -> NameScope:
    """The list of a `for_each`, before its first turn."""
    undone = step.undone
    if undone is None:
        return NameScope(job=job, rank=step.rank, step=step)
    bare = OF_AN_ATTEMPT | {"outputs"} | _names_of_turns(undone)
    return NameScope(job=job, rank=step.rank + 1, bare=bare, step=step, undone=undone, own_result=undone)


def values(step: RawStep, job: Outline) -> NameScope:
    """What a step sends."""
    before = turns(step, job)
    return replace(before, bare=before.bare | _names_of_turns(step))


def outcome(step: RawStep, sent: NameScope) -> NameScope:
    """A step's own `expect` and `outputs`; `sent` is what it sends."""
    return replace(sent, bare=sent.bare | OF_AN_ATTEMPT, own_result=step)


def _names_of_turns(step: RawStep) -> frozenset[str]:
    return OF_A_TURN if "for_each" in step.fields else _NONE


class ActionValue(Struct, frozen=True, kw_only=True):
    """`place` is its path in the step with `*` for numbers, as in `elements.*.uid`."""

    path: ValuePath
    value: Json
    place: str
    is_template: bool = False


def action_values(step: RawStep) -> list[ActionValue]:
    """The values of the step's actions: those that may be templates whole, all others as far as they hold none."""
    found: list[ActionValue] = []
    for key, value in step.fields.items():
        if key in ACTIONS:
            _add_values(ACTIONS[key], value, (*step.path, key), place=key, found=found)
    return found


def _add_values(action: ActionType, value: Json, path: ValuePath, *, place: str, found: list[ActionValue]) -> None:
    is_text = action.is_template and path[-1] not in action.durations
    if path[-1] in action.templates or (is_text and not isinstance(value, dict | list)):
        found.append(ActionValue(path=path, value=value, place=place, is_template=True))
    elif isinstance(value, dict):
        for key, item in value.items():
            _add_values(action, item, (*path, key), place=f"{place}.{key}", found=found)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _add_values(action, item, (*path, index), place=f"{place}.*", found=found)
    elif path[-1] != action.key or not action.templates:  # else it is no record, which the schema reports
        found.append(ActionValue(path=path, value=value, place=place))


def name_in(text: str) -> ValuePath | None:
    """The path of a template that is nothing but a name: `{{ steps.a.process_id }}`."""
    parsed = readable(template, text)
    only = parsed.parts[0] if parsed is not None and len(parsed.parts) == 1 else None
    return only.path if isinstance(only, Expression) else None


def ids(values_of_step: Iterable[ActionValue]) -> Iterator[ActionValue]:
    """Those that must be GUIDs, and are texts; of a new record whatever it is."""
    for found in values_of_step:
        if found.place in _IDS and isinstance(found.value, str):
            yield found
        if found.place == "signal.insert.values" and (own := record(found.value).get("Id")) is not None:
            yield ActionValue(path=(*found.path, "Id"), value=own, place="signal.insert.values.Id")
