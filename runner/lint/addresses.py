"""Addresses of the service in place of the names of processes and entities, and names that no entity can have."""

from collections.abc import Iterator

from runner.foundation.lazy import lazy_pattern
from runner.foundation.raw import record
from runner.foundation.values import JsonObject, Path
from runner.job.outline import RawStep
from runner.lint.texts import JobLint
from runner.lint.uses import signalled, starts
from runner.odata.names import entity_in, is_entity

_EXECUTE = lazy_pattern(r"/(\w+)/Execute\b")
_ADDRESS = lazy_pattern(r"\w+://|.*/|\w+\?")


def is_address(code: str) -> bool:
    return _ADDRESS.match(code) is not None


def check_addresses(step: RawStep, lint: JobLint) -> None:
    for path, code in _processes(step):
        if is_address(code):
            found = _EXECUTE.search(code)
            hint = f"write `{found[1]}`" if found else "write the code of the process, as in `UsrAddContact`"
            hint += ", and what follows the `?` in `parameters` and `result`" if "?" in code else ""
            lint.report("E107", f"`{code}` is an address, and no code of a process", path, hint=hint)
    for path, fields in _records(step):
        name = fields.get("entity")
        if isinstance(name, str) and "{{" not in name and not is_entity(name):
            hint = _entity_hint(name, has_options=path[-1] == "query")
            lint.report("E107", f"`{name}` is no name of an entity", (*path, "entity"), hint=hint)


def _processes(step: RawStep) -> Iterator[tuple[Path, str]]:
    yield from (((*path, "process"), code) for path, code, _ in starts(step))
    yield from signalled(step)


def _records(step: RawStep) -> Iterator[tuple[Path, JsonObject]]:
    yield (*step.path, "query"), record(step.fields.get("query"))
    for change, written in record(step.fields.get("signal")).items():
        yield (*step.path, "signal", change), record(written)


def _entity_hint(name: str, *, has_options: bool) -> str:
    entity = entity_in(name) if is_address(name) else None
    if entity is None:
        return "write the code of the entity, as in `Contact`"
    options = has_options and "?" in name
    return f"write `{entity}`" + (", and its options in `filter`, `select`, `orderby` and `top`" if options else "")
