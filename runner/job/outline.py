"""What a job declares, by name: its inputs, its vars, and the steps that can be referred to.

Reads the raw document, also a faulty one: whatever has not the shape of the language is left out. Checks nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runner.job.model import Input
from runner.raw import items, record, text
from runner.values import Json, JsonObject, Path

ACTIONS = ("execute", "element", "elements", "run", "wait", "query", "job", "confirm", "pause")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A step as it stands in the file.

    `rank` counts the steps in the order in which they are carried out, those under `finally` after all others. A step
    of an `undo` list has the rank of the step it undoes; `undo` is then the path of the list, `turn` its place in it.
    """

    path: Path
    fields: JsonObject
    rank: int
    undo: Path | None = None
    turn: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A step that has an id, and what it gives."""

    step: Written
    outputs: frozenset[str]

    @property
    def is_loop(self) -> bool:
        return "for_each" in self.step.fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """`vars` keep their order. Of two steps with one id, `by_id` holds the first.

    `included` are the jobs in the place of steps, by the paths of these, as far as they could be read.
    """

    inputs: JsonObject
    vars: JsonObject
    steps: tuple[Written, ...]
    by_id: Mapping[str, Declared]
    outputs: JsonObject
    included: Mapping[Path, "Outline"] = field(default_factory=dict)


def outline(data: JsonObject) -> Outline:
    steps = tuple(_every_step(data))
    by_id: dict[str, Declared] = {}
    for step in steps:
        name = step.fields.get("id")
        if isinstance(name, str) and name not in by_id:
            by_id[name] = Declared(step=step, outputs=frozenset(record(step.fields.get("outputs"))))
    return Outline(
        inputs=record(data.get("inputs")),
        vars=record(data.get("vars")),
        steps=steps,
        by_id=by_id,
        outputs=record(data.get("outputs")),
    )


def schema_of(written: JsonObject) -> JsonObject:
    """The JSON Schema of the value of an input, without what stands beside it."""
    return {key: value for key, value in written.items() if key not in ("secret", "default")}


def declared_inputs(written: Json) -> tuple[Input, ...]:
    """What stands behind `inputs`."""
    return tuple(_input(name, fields) for name, fields in record(written).items() if isinstance(fields, dict))


def _input(name: str, written: JsonObject) -> Input:
    return Input(
        name=name,
        schema=schema_of(written),
        secret=written.get("secret") is True,
        required="default" not in written,
        default=written.get("default"),
        description=text(written, "description"),
    )


def _every_step(data: JsonObject) -> Iterator[Written]:
    rank = 0
    for section in ("steps", "finally"):
        for index, fields in enumerate(items(data.get(section))):
            if isinstance(fields, dict):
                path: Path = (section, index)
                yield Written(path=path, fields=fields, rank=rank)
                if "undo" in fields:
                    yield from _undoing(fields["undo"], path=(*path, "undo"), rank=rank)
            rank += 1


def _undoing(undo: Json, *, path: Path, rank: int) -> Iterator[Written]:
    """The steps of an `undo`: those of its list, or its one action."""
    if isinstance(undo, dict):
        yield Written(path=path, fields=undo, rank=rank, undo=path)
    for index, fields in enumerate(items(undo)):
        if isinstance(fields, dict):
            yield Written(path=(*path, index), fields=fields, rank=rank, undo=path, turn=index)
