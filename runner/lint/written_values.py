"""What a template gives, where that is written out in the file: a var, the default of an input, an item, a case."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from runner.expressions.typed import type_of
from runner.foundation.values import Json, ValuePath, items, record
from runner.job.outline import Outline, RawStep
from runner.lint.places import name_in
from runner.lint.schema_types import schema_type

_LONGEST_CHAIN = 8  # so many vars that only name each other are followed


class WrittenValue(Struct, frozen=True, kw_only=True):
    """A value and its path in the job."""

    value: Json
    path: ValuePath
    is_certain: bool = True  # a run that is given nothing else sends it
    case: str = ""  # of another file that has it


def written_values(text: str, step: RawStep, job: Outline, *, depth: int = 0) -> Iterator[WrittenValue]:
    """Every value that the template `text` is known to give in `step`, nothing of a secret."""
    path = name_in(text)
    if path is None or depth > _LONGEST_CHAIN:
        return
    for root, keys in _roots(path, step, job):
        found = _inside(root, keys)
        if found is None:
            continue
        if isinstance(found.value, str) and "{{" in found.value:
            yield from written_values(found.value, step, job, depth=depth + 1)
        else:
            yield found


def _roots(path: ValuePath, step: RawStep, job: Outline) -> Iterator[tuple[WrittenValue, ValuePath]]:
    """The values that the first names of `path` lead to, with the keys that are left."""
    match path:
        case ("vars", str() as name, *keys) if name in job.vars:
            yield WrittenValue(value=job.vars[name], path=("vars", name)), tuple(keys)
        case ("inputs", str() as name, *keys):
            yield from ((value, tuple(keys)) for value in _input_values(name, job))
        case ("item", *keys) if "for_each" in step.fields:
            for index, item in enumerate(items(step.fields["for_each"])):
                yield WrittenValue(value=item, path=(*step.path, "for_each", index)), tuple(keys)


def _input_values(name: str, job: Outline) -> Iterator[WrittenValue]:
    """What the cases give, and the default where a case, or its unread file, gives nothing; of the input's type."""
    declared = record(job.inputs.get(name))
    if declared.get("secret") is True:
        return
    kinds = schema_type(declared).kinds
    cases = [record(case) for case in items(job.cases)]
    given = [record(case.get("inputs")) for case in cases]
    for index, inputs in enumerate(given):
        if name in inputs and type_of(inputs[name]).kinds & kinds:
            case = str(cases[index].get("name")) if job.in_a_file else ""
            yield WrittenValue(value=inputs[name], path=("cases", index, "inputs", name), case=case)
    is_typed = "type" in declared or isinstance(declared.get("default"), str)
    is_typed = is_typed and bool(type_of(declared.get("default")).kinds & kinds)
    if "default" in declared and is_typed and not (given and all(name in inputs for inputs in given)):
        is_certain = not isinstance(job.cases, str)
        yield WrittenValue(value=declared["default"], path=("inputs", name, "default"), is_certain=is_certain)


def _inside(root: WrittenValue, keys: ValuePath) -> WrittenValue | None:
    value = root.value
    for key in keys:
        match value, key:
            case dict(), str() if key in value:
                value = value[key]
            case list(), int() if -len(value) <= key < len(value):
                value = value[key]
            case _:
                return None
    return replace(root, value=value, path=(*root.path, *keys))
