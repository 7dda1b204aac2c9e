"""What a job declares, by name: inputs, vars, and steps with ids, as far as the raw document has their shape."""

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from runner.foundation.values import Json, JsonObject, ValuePath, items, record, text
from runner.job.actions import ACTIONS
from runner.job.model import Input


class RawStep(Struct, frozen=True, kw_only=True):
    """A step as it is in the file."""

    path: ValuePath
    fields: JsonObject
    rank: int  # in the order of execution; in an `undo` that of `undone`
    undo: ValuePath | None = None  # the path of the list that it is in
    turn: int = 0  # its place there
    undone: "RawStep | None" = None


class Declared(Struct, frozen=True, kw_only=True):
    """A step that has an id, and what it gives."""

    step: RawStep
    outputs: frozenset[str]

    @property
    def is_loop(self) -> bool:
        return "for_each" in self.step.fields


class Outline(Struct, frozen=True, kw_only=True):
    """What a job declares."""

    inputs: JsonObject
    vars: JsonObject
    steps: tuple[RawStep, ...]
    by_id: Mapping[str, Declared]  # the first step with the id
    outputs: JsonObject
    has_cases: bool = True
    cases: Json = None  # as they are written, or in their file once it is read
    in_a_file: bool = False
    included: Mapping[ValuePath, "Outline"] = field(default_factory=dict)  # jobs in place of steps, if readable


def outline(data: JsonObject) -> Outline:
    """The parts of a job as they are written, right or not; of two steps with the same id, `by_id` has the first."""
    steps = tuple(_every_step(data))
    by_id: dict[str, Declared] = {}
    for step in steps:
        name = step.fields.get("id")
        if isinstance(name, str) and (name not in by_id or ACTIONS.keys().isdisjoint(by_id[name].step.fields)):
            by_id[name] = Declared(step=step, outputs=_outputs(step.fields))
    return Outline(
        inputs=_by_name(data, "inputs"),
        vars=_by_name(data, "vars"),
        steps=steps,
        by_id=by_id,
        outputs=_by_name(data, "outputs"),
        has_cases="cases" in data,
        cases=data.get("cases"),
    )


class _Unread(dict[str, Json]):
    """Names that nobody can read, as of a list where a record must be: whichever is asked for may be there."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Json:
        return {}


class _UnreadOutputs(frozenset[str]):
    def __contains__(self, name: object) -> bool:
        return True


def _by_name(fields: JsonObject, key: str) -> JsonObject:
    written = fields.get(key, {})
    return written if isinstance(written, dict) else _Unread()


def _outputs(step: JsonObject) -> frozenset[str]:
    written = step.get("outputs", {})
    return frozenset(written) if isinstance(written, dict) else _UnreadOutputs()


def _with_result(step: JsonObject) -> JsonObject:
    """A step with the `result` beside its action moved into the action; lint reports that."""
    for action, key in (("execute", "result"), ("run", "results")):
        asked = step.get(key)
        if asked is not None and isinstance(step.get(action), dict):
            return {**step, action: {key: asked, **record(step[action])}}
    return step


def schema_of(written: JsonObject) -> JsonObject:
    """The JSON Schema of the value of an input, without our own keys."""
    return {key: value for key, value in written.items() if key not in ("secret", "default")}


def declared_inputs(written: Json) -> tuple[Input, ...]:
    """An input whose schema cannot be read takes any value."""
    any_value: JsonObject = {"default": None}
    schemas = record(written).items()
    return tuple(_input(name, fields if isinstance(fields, dict) else any_value) for name, fields in schemas)


def _input(name: str, written: JsonObject) -> Input:
    return Input(
        name=name,
        schema=schema_of(written),
        secret=written.get("secret") is True,
        required="default" not in written,
        default=written.get("default"),
        description=text(written, "description"),
    )


def _every_step(data: JsonObject) -> Iterator[RawStep]:
    rank = 0
    for section in ("steps", "finally"):
        for path, fields in _entries(data.get(section), section):
            if isinstance(fields, dict):
                step = RawStep(path=path, fields=_with_result(fields), rank=rank)
                yield step
                yield from _undoing(step)
            rank += 1


def _entries(written: Json, section: str) -> Iterator[tuple[ValuePath, Json]]:
    """The items of a list of steps, also where somebody wrote names, or nothing, in the place of the dashes."""
    if isinstance(written, dict) and any(action in written for action in ACTIONS):
        yield (section,), written
    elif isinstance(written, dict):
        for name, fields in written.items():
            yield (section, name), {"id": name, **fields} if isinstance(fields, dict) else fields
    for index, fields in enumerate(items(written)):
        yield (section, index), fields


def _undoing(step: RawStep) -> Iterator[RawStep]:
    """The steps of the `undo` of a step: those of its list, or its only action."""
    undo, path = step.fields.get("undo"), (*step.path, "undo")
    alone = [(path, 0, undo)] if isinstance(undo, dict) else []
    for at, turn, fields in (*alone, *(((*path, index), index, item) for index, item in enumerate(items(undo)))):
        if isinstance(fields, dict):
            yield RawStep(path=at, fields=fields, rank=step.rank, undo=path, turn=turn, undone=step)
