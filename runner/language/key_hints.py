"""What to write for an unknown key: the best of several guesses, the surest first."""

from collections.abc import Mapping

from runner.foundation import hints
from runner.foundation.lazy import lazy_pattern
from runner.foundation.sentences import joined_by_or, with_article
from runner.foundation.suggestions import folded, foreign, suggest
from runner.foundation.values import Json, as_text, compact, record
from runner.language.structure import RecordKeys, properties
from runner.reading.odd_characters import begins_with_odd_space

NAMES_ACTION = frozenset({"action", "type", "kind", "uses", "task", "operation", "operator"})
"""Keys of others whose value is an action."""
_PARAMETERS_OF = ("execute", "run", "element", "job")
_EXPRESSIONS = ("if", "for_each", "that")
_FEW = 10
_LONG = 4  # shorter keys are near to too many others
_IN_BRACES = lazy_pattern(r"\s*\{\{\s*((?:(?!\}\}).)+?)\s*\}\}\s*")
_COMPARED = lazy_pattern(r"(?:[!=]=|[<>]=?) ")
_OF_A_CALL = lazy_pattern(r"(?:result|process_status|process_id)(?=[.\[]|$)")
_WORD = lazy_pattern(r"[\w.$-]+( [\w.$-]+)*")
_GLUED = lazy_pattern(r"([\w.-]+):[\[{\"']")
_NO_COLON = lazy_pattern(r"(\w+) *(?:=>? *|(?=[\[{]))(.+)")
_CONDITION = lazy_pattern(r"[=<>|(. ]|^(?:result|success|succeeded)$")


def hint(name: str, value: Json, *, keys: RecordKeys, near: str | None) -> str | None:
    if surest := _id(name, value, keys) or _foreign_key(name, value, keys) or _parameters(name, value, keys):
        return surest
    if no_key := _no_key(name, value, keys, near=near):
        return no_key
    if near == "process" and is_process(name, value):
        return f"write `process: {name}`, and the values in `parameters`"
    if keys.title.startswith("element") and "parameters" in keys.known and is_process(name, value):
        return f"write `name: {name}`, and the values in `parameters`"
    if near in keys.wanted:
        return f"did you mean `{near}`?"
    below = keys.structure.below(keys.path)
    there = next((key for key in below.get(name, ()) if key in keys.written), None)
    if not keys.path and "defaults" in below.get(name, ()) and keys.written.get("defaults", {}) is not None:
        return f"`{name}` belongs in a step, or for all of them in `defaults`"
    if there and _may_be_ours(name, value):
        return f"`{name}` belongs in `{there}`" + (": indent it further" if keys.written[there] is None else "")
    if near and near not in keys.written:
        bare = _IN_BRACES.fullmatch(value) if near in _EXPRESSIONS and isinstance(value, str) else None
        return f"write `{near}: {bare[1]}`" if bare else f"did you mean `{near}`?"
    if value is None and isinstance(columns := keys.written.get("select"), str):
        return f"write `select: [{columns}, {name}]`"
    if value is None and not near and keys.title == "step":
        return f"write `- id: {name}`"
    return (None if near else _expectation(name, value, keys)) or _in_list(name, keys) or _elsewhere(name, near, keys)


def _no_key(name: str, value: Json, keys: RecordKeys, *, near: str | None) -> str | None:
    """What is written as a key by mistake: with a colon or blanks too few or too many, a comment, or a text."""
    if (parted := _NO_COLON.fullmatch(name)) and parted[1] in keys.known:
        return f"write `{parted[1]}: {parted[2]}{'' if value is None else ': …'}`"
    if name.startswith("+"):
        return "delete the `+` at the beginning of each line: it comes from a diff"
    if begins_with_odd_space(name):
        return f"write plain spaces before `{name.strip()}`"
    is_met = keys.title == "expectation" and isinstance(value, str) and _COMPARED.search(name) is not None
    if is_met and name.count('"') % 2 == 0 == name.count("'") % 2:
        return f"write `{{that: {compact(name)}, message: {compact(value)}}}`"
    if name.startswith("//"):
        return "a comment begins with `#`, not with `//`"
    if not near and not _WORD.fullmatch(name) and name.rstrip(":") not in keys.known:
        return "put all of it in quotes, if it is a text: YAML reads `: ` as the end of a key"
    return None


def is_process(name: str, value: Json) -> bool:
    """`execute: {UsrAddContact: {ContactName: Ada}}`."""
    return name[:1].isupper() and isinstance(value, dict | None)


def foreign_key(name: str, value: Json, *, at: str) -> str | None:
    """What the table of keys has for `name` in a record with the title `at`."""
    word = folded(name)
    is_wait = isinstance(value, dict) or (word == "until" and _may_be_ours(name, value))
    if is_wait and word.endswith("until") and at.startswith("step"):
        return None
    if word in NAMES_ACTION and isinstance(value, str) and at.startswith("step"):
        word = folded(value) if hints.at_place("keys", at, folded(value)) else word
    found = hints.at_place("keys", at, word)
    shown = {"value": value if isinstance(value, str) else "3s", "json": compact(value), "text": as_text(value)}
    shown["list"] = compact(value if isinstance(value, list) else [value])
    return found and hints.filled(found, shown)


def _foreign_key(name: str, value: Json, keys: RecordKeys) -> str | None:
    """What to write for `name`, where none of our keys is a counterpart, or none alone."""
    if glued := _GLUED.match(name):
        return f"put a space after `{glued[1]}:`"
    has_action = not keys.structure.actions.isdisjoint(keys.written.keys() & keys.known)
    at = keys.title + " with action" * has_action + " that repeats" * bool({"retries", "until"} & keys.written.keys())
    found = foreign_key(name, value, at=at)
    return found or (None if foreign(name, keys.known) else foreign_key(name, value, at="anywhere"))


def _id(name: str, value: Json, keys: RecordKeys) -> str | None:
    """`- read: {execute: …}`: the id of a step as the key of all that is in it."""
    has_action = not keys.structure.actions.isdisjoint(record(value))
    is_execute = "process" in record(value) and suggest(name, keys.known) is None
    is_ours = name.casefold() in keys.known or foreign(name, keys.known) in ("undo", "if")
    if keys.title != "step" or not (has_action or is_execute) or is_ours or "id" in keys.written:
        return None
    where = "`execute:` in the same column as `id`, above what is below it" if is_execute else ""
    return f"write `- id: {name}`, and {where or 'what is below it in the same column as `id`'}"


def _parameters(name: str, value: Json, keys: RecordKeys) -> str | None:
    """What a step hands in, by the word of another tool, beside the action that it has already."""
    below = keys.structure.below(keys.path)
    there = next((key for key in _PARAMETERS_OF if key in keys.written), None)
    for key in ("parameters", "inputs") if isinstance(value, dict) else ():
        if there in below.get(key, ()) and foreign(name, [key for key in ("parameters", "inputs") if key in below]):
            return f"`{key}` belongs in `{there}`"
    return None


def _expectation(name: str, value: Json, keys: RecordKeys) -> str | None:
    """What to write in an expectation for `result: 5`, and for words of others."""
    if keys.title != "expectation":
        return None
    if _OF_A_CALL.match(name) and isinstance(value, str | int | float):
        is_compared = isinstance(value, str) and _COMPARED.match(value)
        return f"write `- {name} {value if is_compared else f'== {compact(value)}'}`"
    return _known(keys)


def _in_list(name: str, keys: RecordKeys) -> str | None:
    item = keys.structure.item(keys.path)
    title, known = str(item.get("title")), properties(item)
    near = name if name in known else suggest(name, known)
    return near and f"{with_article(title)} may have `{near}`: make a list of {title}s of it"


def _elsewhere(name: str, near: str | None, keys: RecordKeys) -> str | None:
    """In which other record the key belongs, or what could stand here instead."""
    structure, value = keys.structure, keys.written[name]
    if not near and name[:1].isupper() and "parameters" in keys.known:  # as codes of parameters begin
        return f"`{name}` belongs in `parameters`: indent it further"
    if not near and (there := structure.named_records(keys.path, record(value))):
        return f"write it below `{there}:`, indented"
    below = structure.below(keys.path)
    if name in below and (near or keys.path[-2:-1] != ("steps",)):
        return _below(name, below, keys)
    if other := structure.beside(name, keys.path):
        return f"leave it out: `{other}` has `{name}`, and `{keys.path[-1]}` has not"
    if near:
        return f"write both as one `{near}`, or leave one out: `{name}` means the same"
    above = structure.above(name, keys.path) or _below(name, below, keys)
    return above or structure.above(name, keys.path, typo=len(name) >= _LONG) or _known(keys)


def _below(name: str, below: Mapping[str, list[str]], keys: RecordKeys) -> str | None:
    near = name if name in below else suggest(name, below)
    if near is None or not _may_be_ours(name, keys.written[name]):
        return None
    there = [key for key in below[near] if key in keys.written and keys.path] or below[near]
    return f"`{near}` belongs in {joined_by_or([f'`{key}`' for key in there])}"


def _may_be_ours(name: str, value: Json) -> bool:
    """`until: result == 1` is of another language than `until: done`."""
    return name != "until" or not (isinstance(value, str) and _CONDITION.search(value))


def _known(keys: RecordKeys) -> str | None:
    """What could stand there, where it is short enough to read: what is needed, or all that is known."""
    wanted = [name for names in keys.alternatives for name in names]
    known = wanted or list(keys.known)
    if (wanted and keys.written.keys() & set(wanted)) or not 0 < len(known) <= _FEW:
        return None
    return f"{'needed' if wanted else 'known'} here: {', '.join(f'`{key}`' for key in known)}"
