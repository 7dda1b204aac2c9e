"""Addresses of the service in place of the names of processes and entities, and names that none can have."""

from collections.abc import Iterator
from functools import lru_cache

from runner.foundation.lazy import lazy_pattern
from runner.foundation.problems import Finding
from runner.foundation.values import JsonObject, ValuePath, record
from runner.job.outline import RawStep
from runner.lint.texts import JobLint
from runner.lint.uses import results, signalled, starts
from runner.odata.names import entity_in, is_entity

_EXECUTE = lazy_pattern(r"(?:^|/)(\w+)/Execute\b|^(\w+)\?")
_SIGN_IN = lazy_pattern(r"AuthService\.svc|connect/token")
_UNSEEN = lazy_pattern(r"^\s+|\s+$|[\u00ad\u200b-\u200d\u2060\ufeff]")
_CYRILLIC = "\u0410\u0412\u0415\u041a\u041c-\u041e\u0420-\u0422\u0425\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456"
"""Letters that look like Latin ones."""
_LIKE_LATIN = lazy_pattern(rf"(?=.*[A-Za-z])(?=.*[{_CYRILLIC}])[!-~{_CYRILLIC}]+")
_ADDRESS = lazy_pattern(r"\w+://|(?!.* //).*/|\w+\?")


def is_address(code: str) -> bool:
    return ("/" in code or "?" in code) and _ADDRESS.match(code) is not None


def check_addresses(step: RawStep, lint: JobLint) -> None:
    """Report addresses in place of the code of a process, or of the name of an entity."""
    for path, code in _processes(step):
        if is_address(code):
            found = _EXECUTE.search(code)
            code_in_it = found and (found[1] or found[2])
            hint = f"write `{code_in_it}`" if code_in_it else "write the code of the process, as in `UsrAddContact`"
            hint += ", and what follows the `?` in `parameters` and `result`" if "?" in code else ""
            if _SIGN_IN.search(code):
                hint = "leave the step out: `auth` of a target says who signs in, and the runner does it"
            lint.report("E107", f"`{code}` is an address, and no code of a process", path, hint=hint)
    for path, fields in _records(step):
        name = fields.get("entity")
        if isinstance(name, str) and "{{" not in name and not is_entity(name):
            hint = _entity_hint(name, has_options=path[-1] == "query")
            lint.report("E107", f"`{name}` is no name of an entity", (*path, "entity"), hint=hint)


def check_codes(step: RawStep) -> Iterator[Finding]:
    """Codes of processes and parameters that no site can have, where nobody knows which the site has."""
    for path, code, at_key in _codes(step):
        hint = _right_code(code)
        if hint is None and " " in code and path[-1] == "process" and not is_address(code) and "{{" not in code:
            hint = "write its code, which the designer shows as `Code`"
        if hint is not None:
            yield Finding(code="E107", message=f"`{code}` cannot be a code", path=path, hint=hint, at_key=at_key)


@lru_cache(maxsize=1024)  # many steps start the same
def _right_code(code: str) -> str | None:
    bare = code.strip() if code.isascii() else _UNSEEN.sub("", code)
    if bare and bare != code:
        return f"write `{bare}`"
    is_alike = not code.isascii() and _LIKE_LATIN.fullmatch(code)
    return "write it in Latin letters, as in `UsrAddContact`" if is_alike else None


def _codes(step: RawStep) -> Iterator[tuple[ValuePath, str, bool]]:
    yield from ((path, code, False) for path, code in signalled(step))
    for path, code, fields in starts(step):
        yield (*path, "process"), code, False
        yield from (((*path, "parameters", name), name, True) for name in record(fields.get("parameters")))
        yield from ((at, name, False) for at, name in results(fields, path))


def _processes(step: RawStep) -> list[tuple[ValuePath, str]]:
    return [*(((*path, "process"), code) for path, code, _ in starts(step)), *signalled(step)]


def _records(step: RawStep) -> list[tuple[ValuePath, JsonObject]]:
    fields, path = step.fields, step.path
    found = [((*path, "query"), record(fields["query"]))] if "query" in fields else []
    changes = record(fields["signal"]) if "signal" in fields else {}
    return found + [((*path, "signal", change), record(written)) for change, written in changes.items()]


def _entity_hint(name: str, *, has_options: bool) -> str:
    entity = entity_in(name) if is_address(name) else None
    if entity is None:
        return "write the code of the entity, as in `Contact`"
    options = has_options and "?" in name
    return f"write `{entity}`" + (", and its options in `filter`, `select`, `orderby` and `top`" if options else "")
