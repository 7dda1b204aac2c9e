"""The keys of a record: unknown keys, missing keys, and exclusive keys. A misspelt key is not also missing."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, takewhile

from runner.foundation.problems import Finding
from runner.foundation.sentences import joined_by_and, joined_by_or
from runner.foundation.suggestions import folded, foreign, suggest
from runner.foundation.values import JsonObject, ValuePath, is_guid, record
from runner.language import key_hints
from runner.language.structure import RecordKeys, properties
from runner.language.values import example, guid_in_braces, subject

_WITH_ACTION = {"step": "several steps of it, each with a `-`", "activity": "several activities of it, each with a `-`"}
"""Records that have a single action, and what to make of a record with more."""
_ONLY_WANTED = {"element of a chain": "name", "included job": "file"}
"""What a key that is none of ours was written for, where that is missing."""
_BEGINS_A_STEP = frozenset({"id", "name", "for_each"})
"""Keys that people write before the action; with any other alone the `-` is too much."""


def findings(keys: RecordKeys) -> Iterator[Finding]:
    """What is wrong with the keys of a record: a finding for each mistake, not for each violation."""
    names = [str(violation.path[-1]) for violation in keys.unknown]
    if len(names) == 1 and is_guid(names[0]):
        yield guid_in_braces(names[0], keys.path)
        return
    if names and (misplaced := _whole_file(keys) or _wrong_level(keys)):
        yield misplaced
        return
    near = {name: _near(name, keys) for name in names}
    if (holder := _holder(keys)) is not None and (inside := _not_indented(holder, near, keys)):
        yield _indented_further(inside, holder, keys)
        near = {name: ours for name, ours in near.items() if name not in inside}
    grouped = [*_of_an_action(near, keys)]
    yield from grouped
    given = [name for name, ours in near.items() if keys.title == "case" and (ours is None or ours in keys.written)]
    if given == ["id"] and "name" not in keys.written:
        given = []
    if given:
        yield _together(given, _hint_on_a_case(given, keys.written), keys)
    reported = [*given, *(path[-1] for finding in grouped for path in (finding.path, *finding.also))]
    for name in (name for name in near if name not in reported):
        hint = key_hints.hint(name, keys.written[name], keys=keys, near=near[name])
        message = f"unknown key `{name}` in {subject(keys.path, keys.schema)}"
        path = (*keys.path, name)
        yield Finding(code="E104", message=message, hint=hint, path=path, at_key=True, instead=near[name])
    yield from _missing(keys, near=near)
    yield from _choices(keys, near=near)


def _hint_on_a_case(given: Sequence[str], written: JsonObject) -> str:
    """For values of a case that are written beside its `inputs`."""
    if isinstance(written[given[0]], dict) and "name" not in written:
        return f"write `{{name: {given[0]}, inputs: {{…}}}}`"
    inputs = ", ".join(f"{name}: …" for name in given)
    return f"write the values of a case in its `inputs`: `inputs: {{{inputs}}}`"


def emptied(keys: RecordKeys) -> Iterator[ValuePath]:
    """Keys without a value because what belongs to them is beside them, not indented far enough."""
    empty = [name for name, value in keys.written.items() if value is None]
    near = {str(violation.path[-1]): _near(str(violation.path[-1]), keys) for violation in keys.unknown if empty}
    if near and (holder := _holder(keys)) is not None and _not_indented(holder, near, keys):
        yield (*keys.path, holder)


def _holder(keys: RecordKeys) -> str | None:
    """A key without a value, for a record whose names people choose, or that has the unknown key after it."""
    schema, unknown = keys.structure.at(keys.path), {violation.path[-1] for violation in keys.unknown}
    for name, after in pairwise(keys.written):
        named = keys.structure.property(schema, name) if keys.written[name] is None else {}
        is_free = isinstance(named.get("additionalProperties"), dict) and not properties(named)
        if is_free or (after in unknown and after in properties(named)):
            return name
    return None


def _not_indented(holder: str, near: Mapping[str, str | None], keys: RecordKeys) -> list[str]:
    """The unknown keys right after `holder`. A typo of a key that is still free is not in it; codes have capitals."""
    after = list(keys.written)[list(keys.written).index(holder) + 1 :]
    if known := properties(keys.structure.property(keys.structure.at(keys.path), holder)):
        return list(takewhile(lambda name: name in near and name in known, after))
    free = [name for name, ours in near.items() if ours and ours not in keys.written and name[:1].islower()]
    return list(takewhile(lambda name: name in near and name not in free, after))


def _indented_further(names: Sequence[str], holder: str, keys: RecordKeys) -> Finding:
    belong, them = ("belongs", "it") if len(names) == 1 else ("belong", "them")
    return _together(names, f"{joined_by_and(names)} {belong} in `{holder}`: indent {them} further", keys)


def _together(names: Sequence[str], hint: str, keys: RecordKeys) -> Finding:
    """Unknown keys that are one mistake."""
    message = f"unknown key{'s' * (len(names) > 1)} {joined_by_and(names)} in {subject(keys.path, keys.schema)}"
    first, *also = [(*keys.path, name) for name in names]
    return Finding(code="E104", message=message, hint=hint, path=first, at_key=True, also=tuple(also))


def _of_an_action(near: Mapping[str, str | None], keys: RecordKeys) -> Iterator[Finding]:
    """The keys of an action that are right in the step, as `process` and `params`, or in a job without steps."""
    written, actions = keys.written, keys.structure.actions
    if keys.title not in ("step", "job") or not actions.isdisjoint(written) or "steps" in written:
        return
    texts = (name for name in near if isinstance(written[name], str))
    named = next((name for name in texts if folded(name) in key_hints.NAMES_ACTION), "")
    word = str(written.get(named, "execute"))
    action = word if word in actions else suggest(word, actions)
    own = properties(keys.structure.property(keys.structure.at(("steps", 0)), str(action)))
    found = {name: name if name in own else suggest(name, own) for name in near if name in own or near[name] is None}
    # what is known in a step by another word, as `with`, is the action's where that is named, too
    found |= {name: foreign(name, own) for name in near if named and not found.get(name)}
    inside = {name: ours for name, ours in found.items() if ours and name != named}
    if not inside or not (named or "process" in inside.values()):
        return
    names = [name for name in near if name in inside or name == named]
    around = next((name for name in inside if "process" in record(written[name])), None)
    place = f" in the place of `{named}: {word}`" if named else ""
    hint = f"write `{action}`{place}, and below it, indented, {joined_by_and(list(dict.fromkeys(inside.values())))}"
    hint = f"write `{action}` in the place of `{around}`, and leave `{named}` out" if around else hint
    hint = (keys.title == "job" and key_hints.foreign_key("process", None, at="job")) or hint
    yield _together(names, hint, keys)


def _near(name: str, keys: RecordKeys) -> str | None:
    """Our key for `name`. Of several for a word of another tool, a key that is wanted, or free."""
    near = suggest(name, keys.known)
    if "process" in keys.wanted and key_hints.is_process(name, keys.written[name]):
        return "process"
    if near is None and (only := _ONLY_WANTED.get(keys.title)) in keys.wanted:
        return only
    if near is None or near != foreign(name, keys.known):
        return near
    wanted = [key for key in keys.known if key in keys.wanted]
    return foreign(name, wanted) or foreign(name, [key for key in keys.known if key not in keys.written]) or near


def _whole_file(keys: RecordKeys) -> Finding | None:
    """All keys of a file below a key that should not be there, as in `job: {runner: 1, name: …}`."""
    (name, value), *more = keys.written.items() or [("", None)]
    missing = [violation.expected for violation in keys.missing]
    if keys.path or more or not isinstance(value, dict) or not any(key in value for key in missing):
        return None
    hint = f"leave `{name}:` out, and indent what is below it one level less"
    return Finding(code="E104", message=f"`{name}` is around the whole file", hint=hint, path=(name,), at_key=True)


def _wrong_level(keys: RecordKeys) -> Finding | None:
    """The mistake of a record of ours among free names, as `auth` beside the targets."""
    path = keys.path
    if not path or not keys.written:
        return None
    inner = keys.structure.property(keys.structure.at(path), str(path[-1])).get("properties")
    if not isinstance(inner, dict) or not all(key in inner for key in keys.written):
        return None
    where = f"among the names of `{path[-2]}`" if len(path) > 1 else "at the root of the file"
    message = f"`{path[-1]}` is {where}"
    hint = "indent it further: it belongs in the record above it"
    return Finding(code="E104", message=message, hint=hint, path=path, at_key=True)


def _missing(keys: RecordKeys, *, near: Mapping[str, str | None]) -> Iterator[Finding]:
    """All missing keys together. A misspelt key may also have led into the wrong branch of the schema."""
    is_misspelt = any(near.values())
    is_of_http = any(key_hints.foreign_key(name, keys.written.get(name), at="execute") for name in near)
    structure, path = keys.structure, keys.path
    too_high = {structure.named_records(path, record(keys.written[name])) for name in near if name in keys.written}
    written = {key: value for key, value in keys.written.items() if isinstance(value, dict)}
    own = properties(structure.at(path))
    free = [key for key in written if key in own and not properties(structure.at((*path, key)))]
    elsewhere = {name for key in written.keys() - free for name in written[key]}  # which is reported there
    missing = [
        violation
        for violation in keys.missing
        if violation.expected not in near.values()
        and violation.expected not in elsewhere
        and violation.expected not in too_high
        and not (is_misspelt and "additionalProperties" not in record(violation.schema))
        and not (is_of_http and violation.expected == "process")
    ]
    if not missing:
        return
    names, schema = [str(violation.expected) for violation in missing], record(missing[0].schema)
    around = next((key for key in free if names[0] in written[key] and names[0] != "name"), None)
    hint = f"indent it less: `{names[0]}` is in `{around}` now" if around else None
    yield Finding(
        code="E105",
        message=f"{subject(keys.path, schema)} needs {joined_by_and(names)}",
        hint=hint or example(names[0], keys.structure.property(schema, names[0])),
        path=keys.path,
        at_key=True,
    )


def _choices(keys: RecordKeys, *, near: Mapping[str, str | None]) -> Iterator[Finding]:
    for choice, names in zip(keys.choices, keys.alternatives, strict=True):
        there = [key for key in keys.written if key in names]
        title = str(record(choice.schema).get("title"))
        if there:
            yield _too_many(there, keys.path, title=title)
        elif not any(_may_be(name, names, ours, keys=keys) for name, ours in near.items()):
            yield _none(names, keys, title=title)


def _may_be(name: str, names: list[str], ours: str | None, *, keys: RecordKeys) -> bool:
    """Whether the unknown key `name` is what somebody wrote for a name of `names`."""
    if "pause" in names and key_hints.foreign_key(name, None, at="step"):
        return True
    return ours in names if ours else keys.structure.above(name, keys.path) is None


def _none(names: list[str], keys: RecordKeys, *, title: str) -> Finding:
    path, written = keys.path, keys.written.keys()
    called = subject(path, {"title": title})
    if title not in _WITH_ACTION:
        needs = joined_by_or([f"`{name}`" for name in names])
        return Finding(code="E105", message=f"{called} needs {needs}", path=path, at_key=True)
    hint = f"write exactly one of {', '.join(f'`{name}`' for name in names)}"
    is_further = title == "step" and bool(path) and isinstance(path[-1], int) and path[-1] > 0
    if is_further and written and not keys.unknown and written.isdisjoint(_BEGINS_A_STEP):
        hint = f"leave the `-` out, if `{next(iter(written))}` belongs to the step above"
    this = f"this {called}" if called.startswith("`") else f"this {title}"
    return Finding(code="E110", message=f"{this} has no action", hint=hint, path=path, at_key=True)


def _too_many(there: list[str], path: ValuePath, *, title: str) -> Finding:
    second = (*path, there[1])
    if title not in _WITH_ACTION:
        message, hint = f"{joined_by_and(there)} do not go together", f"make two {title}s of it"
        return Finding(message=message, hint=hint, path=second, at_key=True)
    called = subject(path, {"title": title})
    message = f"{called} has one action, and here are {len(there)}: {joined_by_and(there)}"
    beside = (key_hints.foreign_key("fail", None, at=key) for key in there if "fail" in there)
    several = "make a list of steps of it" if called.startswith("`") else f"make {_WITH_ACTION[title]}"
    hint = next(filter(None, beside), several)
    return Finding(code="E110", message=message, hint=hint, path=second, at_key=True)
