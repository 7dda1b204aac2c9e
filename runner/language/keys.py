"""The keys of a record: unknown ones, missing ones, and ones of which there must be exactly one.

One mistake is told once: a misspelt key is not also a missing one, and a step whose action is misspelt does not also
lack an action.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runner.foundation.guids import is_guid
from runner.foundation.near_misses import folded
from runner.foundation.raw import items, record
from runner.foundation.sentences import both, either
from runner.foundation.suggestions import foreign, suggest
from runner.foundation.values import Json, JsonObject, Path, compact
from runner.json_schema.violations import Violation
from runner.language import misplaced_keys as displaced_keys
from runner.language.advice import IN_THE_PLACE_OF_ACTIONS, IS_SENT, advice, disguised, is_condition
from runner.language.belongs import Language
from runner.language.wording import Mistake, braces, example, subject

_FEW = 10
_WORD = r"[\w.$-]+( [\w.$-]+)*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """All violations about the keys of the record at `path`, whose value is `written`."""

    path: Path
    written: JsonObject
    unknown: list[Violation] = field(default_factory=list)
    missing: list[Violation] = field(default_factory=list)
    choices: list[Violation] = field(default_factory=list)


def mistakes(keys: Keys, language: Language) -> Iterator[Mistake]:
    """What is wrong with the keys of one record."""
    names = [str(violation.path[-1]) for violation in keys.unknown]
    if len(names) == 1 and is_guid(names[0]):
        yield braces(names[0], keys.path)
        return
    displaced = _displaced(keys, language=language) if keys.unknown else None
    if displaced:
        yield displaced
        return
    known = record(_schema(keys.unknown[0]).get("properties")) if keys.unknown else {}
    meant = {name: _meant(name, known, keys) for name in names}
    given = _given(keys, meant=meant)
    if given:
        yield displaced_keys.inputs_of_a_case(given, keys.path)
    for name in (name for name in names if name not in given):
        yield _unknown(name, keys, meant=meant[name], language=language)
    yield from _missing(keys, meant=meant, language=language)
    yield from _choices(keys, meant=meant, language=language)


def _displaced(keys: Keys, *, language: Language) -> Mistake | None:
    missing = [violation.expected for violation in keys.missing]
    if not keys.path:
        return displaced_keys.whole_file(keys.written, missing)
    return displaced_keys.record(keys.path, keys.written, language)


def _given(keys: Keys, *, meant: Mapping[str, str | None]) -> list[str]:
    """The unknown keys of a case that are its inputs."""
    if not keys.unknown or _schema(keys.unknown[0]).get("title") != "case":
        return []
    return [name for name, near in meant.items() if near is None or near in keys.written]


def _meant(name: str, known: JsonObject, keys: Keys) -> str | None:
    """The key that `name` stands for. Of several that a word of another tool may mean, one that is wanted, or free."""
    near = suggest(name, known)
    if near is None or near != foreign(name, known):
        return near
    wanted = [key for key in known if key in _wanted(keys)]
    return foreign(name, wanted) or foreign(name, [key for key in known if key not in keys.written]) or near


def emptied(keys: Keys, language: Language) -> Iterator[Path]:
    """Keys with nothing behind them because what belongs there stands beside them, not indented far enough."""
    empty = [name for name, value in keys.written.items() if value is None]
    below = language.below(keys.path) if empty else {}
    for violation in keys.unknown:
        yield from ((*keys.path, name) for name in below.get(str(violation.path[-1]), ()) if name in empty)


def _unknown(name: str, keys: Keys, *, meant: str | None, language: Language) -> Mistake:
    schema = _schema(keys.unknown[0])
    return Mistake(
        code="E104",
        message=f"unknown key `{name}` in {subject(keys.path, schema)}",
        hint=_hint(name, keys, meant=meant, language=language),
        path=(*keys.path, name),
        at_key=True,
        meant=meant,
    )


def _hint(name: str, keys: Keys, *, meant: str | None, language: Language) -> str | None:
    """The best of several guesses, the surest first."""
    known = record(_schema(keys.unknown[0]).get("properties"))
    below = language.below(keys.path)
    surest = disguised(name, known) or advice(name, known, keys.written)
    if surest := surest or _for_an_action(name, keys, below=below):
        return surest
    if not re.fullmatch(_WORD, name):
        return "YAML reads `: ` as the end of a key: if this is a text, put it in quotes as a whole"
    if meant in _wanted(keys):
        return f"did you mean `{meant}`?"
    there = next((key for key in below.get(name, ()) if key in keys.written), None)
    if not keys.path and "defaults" in below.get(name, ()) and keys.written.get("defaults", {}) is not None:
        return f"`{name}` belongs in a step, or for all of them in `defaults`"
    if there and _may_stand(name, keys.written[name]):
        return f"`{name}` belongs in `{there}`" + (": indent it further" if keys.written[there] is None else "")
    if meant and meant not in keys.written:
        return f"did you mean `{meant}`?"
    if not meant and (ours := _in_its_record(name, keys)):
        return ours
    if in_list := _in_list(name, keys, language):
        return in_list
    return _elsewhere(name, keys, meant=meant, language=language)


def _elsewhere(name: str, keys: Keys, *, meant: str | None, language: Language) -> str | None:
    """In which other record the key belongs, or what could stand here instead."""
    if not meant and (there := language.of_names(keys.path, record(keys.written[name]))):
        return f"write it below `{there}:`, indented"
    below = language.below(keys.path)
    if meant and name in below:
        return _below(name, below, keys)
    other = language.beside(name, keys.path)
    if other or meant:
        return (
            f"`{name}` is known in `{other}`, not in `{keys.path[-1]}`"
            if other
            else f"`{name}` means `{meant}`, which stands here already"
        )
    return language.above(name, keys.path) or _below(name, below, keys) or _known(keys)


def _in_its_record(name: str, keys: Keys) -> str | None:
    """What is meant in an expectation by `result: 5`, and by words of others."""
    title, value = _schema(keys.unknown[0]).get("title"), keys.written[name]
    if title != "expectation":
        return None
    if name in _EXPECTED:
        return f"did you mean `{_EXPECTED[name]}`?"
    if name in ("result", "process_status", "process_id") and isinstance(value, str | int | float):
        return f"write `- {name} == {compact(value)}`"
    return _known(keys)


def _for_an_action(name: str, keys: Keys, *, below: Mapping[str, list[str]]) -> str | None:
    """What a step hands in, by the word of another tool, beside the action that it has already."""
    ours = foreign(name, [key for key in ("parameters", "inputs") if key in below])
    there = next((key for key in _ACTIONS if key in keys.written), None)
    for key in ("parameters", "inputs"):
        if ours and there in below.get(key, ()) and isinstance(keys.written[name], dict):
            return f"`{key}` belongs in `{there}`"
    return None


def _in_list(name: str, keys: Keys, language: Language) -> str | None:
    title, known = language.in_list(keys.path)
    near = name if name in known else suggest(name, known)
    article = "an" if title[:1] in "aeiou" else "a"
    return near and f"{article} {title} may have `{near}`: make a list of {title}s of it"


def _below(name: str, below: Mapping[str, list[str]], keys: Keys) -> str | None:
    near = name if name in below else suggest(name, below)
    if near is None or not _may_stand(name, keys.written[name]):
        return None
    there = [key for key in below[near] if key in keys.written and keys.path] or below[near]
    return f"`{near}` belongs in {either([f'`{key}`' for key in there])}"


def _may_stand(name: str, value: Json) -> bool:
    """Whether `value` may be what our key of that name holds: `until: result == 1` is of another language."""
    return name != "until" or not is_condition(value)


def _known(keys: Keys) -> str | None:
    """What could stand there, where it is short enough to read: what is needed, or all that is known."""
    wanted = [alternative for choice in keys.choices for alternative in _alternatives(choice)]
    known = wanted or list(record(_schema(keys.unknown[0]).get("properties")))
    if (wanted and keys.written.keys() & set(wanted)) or not 0 < len(known) <= _FEW:
        return None
    return f"{'needed' if wanted else 'known'} here: {', '.join(f'`{key}`' for key in known)}"


def _missing(keys: Keys, *, meant: Mapping[str, str | None], language: Language) -> Iterator[Mistake]:
    """Keys that are missing, told together. A misspelt key may also have led into the wrong branch of the schema."""
    is_misspelt = any(meant.values())
    is_of_http = any(folded(name) in IS_SENT for name in meant)
    missing = [
        violation
        for violation in keys.missing
        if violation.expected not in meant.values()
        and not (is_misspelt and _is_branch(violation))
        and not (is_of_http and violation.expected == "process")
    ]
    if missing:
        names = [str(violation.expected) for violation in missing]
        schema = _schema(missing[0])
        yield Mistake(
            code="E105",
            message=f"{subject(keys.path, schema)} needs {both(names)}",
            hint=_too_deep(names[0], keys.written) or example(names[0], language.property(schema, names[0])),
            path=keys.path,
            at_key=True,
        )


def _too_deep(name: str, written: JsonObject) -> str | None:
    """Where a key that is missing stands one floor too deep."""
    around = next((key for key, value in written.items() if isinstance(value, dict) and name in value), None)
    return around and f"`{name}` stands in `{around}`: indent it less"


def _choices(keys: Keys, *, meant: Mapping[str, str | None], language: Language) -> Iterator[Mistake]:
    for choice in keys.choices:
        names = _alternatives(choice)
        there = [key for key in keys.written if key in names]
        title = str(_schema(choice).get("title"))
        if there:
            yield _too_many(there, keys.path, title=title)
        elif not any(_may_be(name, names, meant[name], keys=keys, language=language) for name in meant):
            yield _none(names, keys.path, title=title, written=keys.written)


def _may_be(name: str, names: list[str], meant: str | None, *, keys: Keys, language: Language) -> bool:
    """Whether the unknown key `name` is what somebody wrote for one of `names`."""
    if "pause" in names and folded(name) in IN_THE_PLACE_OF_ACTIONS:
        return True
    return meant in names if meant else language.above(name, keys.path) is None


def _none(names: list[str], path: Path, *, title: str, written: JsonObject) -> Mistake:
    called = subject(path, {"title": title})
    if title not in _WITH_ACTION:
        needs = either([f"`{name}`" for name in names])
        return Mistake(code="E105", message=f"{called} needs {needs}", path=path, at_key=True)
    this = f"this {called}" if called.startswith("`") else f"this {title}"
    hint = f"it needs exactly one of {', '.join(f'`{name}`' for name in names)}"
    if _is_of_the_step_above(written, path, title):
        hint = f"leave the `-` out, if `{next(iter(written))}` belongs to the step above"
    return Mistake(code="E110", message=f"{this} has no action", hint=hint, path=path, at_key=True)


def _is_of_the_step_above(written: JsonObject, path: Path, title: str) -> bool:
    is_further = title == "step" and bool(path) and isinstance(path[-1], int) and path[-1] > 0
    return is_further and bool(written) and written.keys() <= _OF_THE_STEP_ABOVE


def _too_many(there: list[str], path: Path, *, title: str) -> Mistake:
    second = (*path, there[1])
    if title not in _WITH_ACTION:
        message, hint = f"{both(there)} do not go together", f"make two {title}s of it"
        return Mistake(code="E107", message=message, hint=hint, path=second, at_key=True)
    called = subject(path, {"title": title})
    message = f"{called} has one action, this one has {len(there)}: {both(there)}"
    hint = "make a list of steps of it" if called.startswith("`") else f"make {_PLURALS[title]} of it"
    return Mistake(code="E110", message=message, hint=hint, path=second, at_key=True)


_OF_THE_STEP_ABOVE = frozenset(
    {"expect", "outputs", "retry", "effect", "undo", "verify", "timeout", "on_failure", "help", "secret", "if"}
)
"""Keys that no step consists of alone."""
_EXPECTED = {
    "assert": "that",
    "expr": "that",
    "condition": "that",
    "check": "that",
    "msg": "message",
    "fail_msg": "message",
}
_ACTIONS = ("execute", "run", "element", "job")
_WITH_ACTION = ("step", "activity")
_PLURALS = {"step": "several steps", "activity": "several activities"}


def _wanted(keys: Keys) -> set[Json]:
    """The keys that are missing, and those of which one is."""
    choices = [_alternatives(choice) for choice in keys.choices]
    open_choices = [names for names in choices if not keys.written.keys() & set(names)]
    return {violation.expected for violation in keys.missing} | {name for names in open_choices for name in names}


def _alternatives(choice: Violation) -> list[str]:
    """The keys of which there must be exactly one: `oneOf` in our schemas only ever counts keys."""
    branches = choice.expected if isinstance(choice.expected, list) else []
    return [str(key) for branch in branches for key in items(record(branch).get("required"))]


def _is_branch(violation: Violation) -> bool:
    """Whether the key is required by a part of a schema that applies only beside certain other keys."""
    return "additionalProperties" not in _schema(violation)


def _schema(violation: Violation) -> JsonObject:
    return record(violation.schema)
