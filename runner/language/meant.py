"""How the very value that stands there may be written, where its writer clearly meant something that we have.

What cannot be told for certain is left alone: a hint that is typed as it stands must be right.
"""

import json
import re
import unicodedata
from collections.abc import Mapping

from runner.foundation.suggestions import suggest
from runner.foundation.values import Json, JsonObject, Path, compact
from runner.job.actions import ACTIONS
from runner.json_schema.keywords import TYPES
from runner.reading.lines import DASHES

_LONGEST = 80
_WORD = r"[\w.-]+"
_ID = r"[a-z][a-z0-9_]*"
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_WORDS: Mapping[tuple[str, ...], Mapping[str, str]] = {
    ("retry", "on"): {
        "timeout": "`unanswered`",
        "no_answer": "`unanswered`",
        "error": "`unanswered`",
        "connection": "`not_sent`",
        "connect": "`not_sent`",
        "connection_error": "`not_sent`",
        "failure": "`expectation`",
        "failed": "`expectation`",
        "expect": "`expectation`",
        "assertion": "`expectation`",
        "assert": "`expectation`",
    },
    ("on_failure",): {
        "true": "`continue` or `ignore`",
        "false": "`stop`",
        "abort": "`stop`",
        "fail": "`stop`",
        "exit": "`stop`",
        "skip": "`ignore`",
        "warn": "`ignore`",
        "never": "`stop`",
        "retry": "the key `retry` of the step",
    },
    ("wait", "for"): {
        "done": "`completed`",
        "finished": "`completed`",
        "success": "`completed`",
        "passed": "`completed`",
        "end": "`ended`",
        "stopped": "`ended`",
        "waiting": "`parked`",
        "paused": "`parked`",
    },
    ("effect",): {
        "write": "`once`",
        "none": "`read`",
        "get": "`read`",
        "readonly": "`read`",
        "safe": "`read`",
        "repeatable": "`idempotent`",
        "update": "`once`, or `idempotent` where it may be repeated",
        "true": "`once`",
        "false": "`read`",
    },
    ("allow", "effects"): {"write": "`once`", "none": "`read`", "get": "`read`", "all": "no `allow` at all"},
    ("verify",): {"true": "`log`", "false": "`none`", "yes": "`log`", "no": "`none`", "sysprocesslog": "`log`"},
    ("direction",): {"0": "`in`", "1": "`out`", "2": "`both`", "3": "`internal`", "variable": "`both`"},
    ("faults", "fault"): {
        "timeout": "`slow`",
        "delay": "`slow`",
        "500": "`status_500`",
        "504": "`gateway_504`",
        "401": "`unauthorized`",
    },
    ("until",): {
        "completed": "`done`",
        "finished": "`done`",
        "ended": "`done`",
        "sent": "`started`",
        "running": "`started`",
    },
}
"""By the keys that lead to it: what a word of other tools, or of our own for another place, is called there."""
_NAMED = ("steps", "finally", "undo")
_PER_CENT = 100
_FEWEST = 5
"""A smaller number may as well be meant as a multiple."""


def a_list(text: str, path: Path) -> str | None:
    """A bare text where a list is wanted. Words are written in brackets, expressions on lines of their own."""
    if text.startswith(DASHES):
        first = re.split(f" (?:{'|'.join(DASHES)})", text[len(DASHES[0]) :])[0]
        return f"a word processor made the `{text[0]}`: write a plain `-`" + (
            f", as in `- {first}`" if len(first) <= _LONGEST and "\n" not in first else ""
        )
    if re.match(r"-\w", text):
        return f"put a blank behind each `-`, as in `- {text[1:].partition(' -')[0][:_LONGEST]}`"
    if len(text) > _LONGEST or "\n" in text:
        return None
    words = re.split(r"[,;\s]+", text.strip())
    if path[-1:] == ("expect",) or not path:
        return f"write a list: `- {text}`"
    if not all(re.fullmatch(_WORD, word) for word in words):
        words = [json.dumps(text, ensure_ascii=False)]
    return f"write a list: `{path[-1]}: [{', '.join(words)}]`"


def items_of(record: JsonObject, path: Path) -> str:
    """A record where a list is wanted: items by their names, or one item without its dash."""
    first, value = next(iter(record.items()), ("", None))
    file = next((value for value in record.values() if _is_of_cases(value)), None)
    if path[-1:] == ("cases",) and len(record) == 1 and file:
        return f"write `cases: {file}`"
    begin = "a list is wanted here: begin each of its items with `-`"
    if re.match(r"-\w", first):
        return f"put a blank behind the `-`: `- {first[1:]}: …`"
    if not path and record and all(isinstance(one, dict) for one in record.values()):
        return f'write a list of cases, as in `[{{"name": {json.dumps(first, ensure_ascii=False)}, "inputs": {{…}}}}]`'
    if path[-1:] == ("cases",) and re.fullmatch(_WORD, first):
        return f"{begin}, as in `- name: {first}`"
    if path[-1:] in (("steps",), ("finally",), ("undo",)) and first in ACTIONS:
        return f"{begin}, as in `- {first}: …`"
    if path and path[-1] in _NAMED and isinstance(value, dict) and re.fullmatch(_WORD, first):
        return f"{begin}, as in `- id: {first}`"
    if path[-1:] == ("expect",) and first in ("that", "schema", "message"):
        return f"{begin}, as in `- {first}: …`"
    if path[-1:] == ("expect",) and isinstance(value, str | int | float) and re.fullmatch(_WORD, first):
        return f"{begin}, as in `- {first} == {compact(value)}`"
    return begin


def of_neighbours(value: Json, path: Path) -> str | None:
    """What stands here in other languages: `retry: 3`, `concurrency: {group: a}`, a list of targets, a bare input."""
    match path, value:
        case (*_, "for_each"), int() if not isinstance(value, bool) and 0 < value <= _FEWEST:
            return f"write the list out: `for_each: {compact(list(range(1, value + 1)))}`"
        case (*_, "run" | "confirm" | "undo"), _:
            return _of_actions(value, path)
        case (*_, "steps" | "finally" | "undo", int()), _:
            return _of_actions(value, path)
        case ("cases", int()), str() if _is_of_cases(value):
            return f"write `cases: {value}`"
        case ("targets", *_), _:
            return _of_targets(value, path)
        case (*_, "retry"), int() if not isinstance(value, bool) and value > 0:
            return f"write `retry: {{max_attempts: {value}}}`"
        case (*_, "concurrency"), {"group": str() as group} if re.fullmatch(_WORD, group):
            return f"write `concurrency: {group}`"
        case (*_, "target"), [str() as first, *_] if re.fullmatch(_WORD, first):
            return f"a run each: leave it out, and say `-t {first} -t …`"
        case (*_, "element"), [*_]:
            return "`element` is one; write `elements` for a list"
        case (*_, "result"), [str() as only] if re.fullmatch(_WORD, only):
            return f"write `result: {only}`"
        case (*_, "result"), [*_]:
            return "`execute` gives one result; `run` gives several, by `results`"
        case ("inputs", str()), int() | float() | list() if len(compact(value)) <= _LONGEST:
            return f"an input is a schema: write `{{default: {compact(value)}}}`"
    return None


def _of_actions(value: Json, path: Path) -> str | None:
    match path, value:
        case (*_, "confirm"), bool():
            return "write the question: `confirm: Send the mails?`"
        case (*_, "run"), str() if not re.fullmatch(_WORD, value) or " " in value:
            return "no shell is run here: `run` starts a process, as in `run: {process: UsrCreateOrder}`"
        case (*_, "undo"), str() if re.fullmatch(_WORD, value):
            return f"write `undo: {{execute: {{process: {value}}}}}`"
        case (*_, "undo", int()), str() if re.fullmatch(_ID, value):
            return "`undo` holds an action, or steps, and not the name of one: `undo: {execute: {process: …}}`"
        case (*_, "steps" | "finally" | "undo", int()), str() if re.fullmatch(_WORD, value):
            return f"write `- execute: {{process: {value}}}`"
    return None


def _of_targets(value: Json, path: Path) -> str | None:
    match path, value:
        case ("targets", _, "sandbox"), bool():
            return "write the name of the folder that holds the doubles: `sandbox: sandbox`"
        case ("targets", "sandbox"), str():
            return f"write `sandbox: {{sandbox: {value}}}`; if it belongs to the target above, indent it further"
        case ("targets", "url" | "sandbox" | "runtime" | "auth" as key), _:
            return f"`{key}` belongs in a target: indent it further"
        case ("targets", str() as target), str() if value.startswith("https://"):
            return f"write `{target}: {{url: {value}}}`"
    return None


def _called(item: Json) -> Json:
    """The name of a record that stands in a list: behind `name`, or before all that it holds."""
    record = item if isinstance(item, dict) else {}
    return record.get(
        "name", next((key for key, value in record.items() if isinstance(value, dict | list | None)), None)
    )


def _is_of_cases(value: Json) -> bool:
    return isinstance(value, str) and value.casefold().endswith((".csv", ".json"))


def key_and_value(text: str, path: Path) -> str | None:
    """`process:UsrAdd`, which YAML takes for a text. What may be a password is not repeated."""
    found = re.fullmatch(r"([A-Za-z_][\w-]*):(?!//)(\S.*)", text) if len(text) <= _LONGEST else None
    value = "…" if path[:1] == ("targets",) else found and found[2]
    return found and f"a blank is missing behind the `:`: write `{found[1]}: {value}`"


def word(written: Json, path: Path) -> str | None:
    """One of the few words behind a key, by what it is called elsewhere."""
    keys = tuple(key for key in path if isinstance(key, str))[-2:]
    here = next((words for end, words in _WORDS.items() if keys[-len(end) :] == end), {})
    return here.get(written.casefold() if isinstance(written, str) else compact(written))


def of_names(written: Json, path: Path) -> str | None:
    """Names in a text or a list, where a record of names and values is wanted."""
    if isinstance(written, list) and written and all(isinstance(item, dict) for item in written):
        if not path:
            return "a job begins with `runner: 1` and `name: …`; what is done stands in the list behind `steps:`"
        called = _called(written[0])
        if isinstance(called, str) and re.fullmatch(_WORD, called):
            return f"leave out the `-`: a name stands before its value, as in `{called}: …`"
        return "leave out the `-`: names and values stand below each other"
    first = written[0] if isinstance(written, list) and written else written
    if path[-1:] == ("outputs",) and isinstance(first, str) and re.fullmatch(_WORD, first):
        return f"a name and an expression: `outputs: {{{first}: result}}`"
    assigned = re.fullmatch(rf"({_WORD})=({_WORD})", first) if isinstance(first, str) else None
    if assigned and path:
        return f"write `{path[-1]}: {{{assigned[1]}: {assigned[2]}}}`"
    return None


def name(written: str, pattern: str) -> str | None:
    """`written` as a name that fits `pattern`: capitals and foreign letters made small and plain, blanks bridged."""
    if len(written) > _LONGEST:
        return None
    for bridge in "-_":
        for near in (_plain(written, bridge), _plain(_small(written), bridge).lower()):
            if near and near != written and re.search(pattern, near):
                return near
    return None


def _plain(text: str, bridge: str) -> str:
    bare = unicodedata.normalize("NFKD", text.translate(_UMLAUTS)).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", bridge, bare).strip(bridge)


def _small(text: str) -> str:
    """`ReadBack` in two words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)


def share(value: Json, most: Json) -> str | None:
    """A number of per cent where a share of at most 1 is wanted."""
    if most != 1 or not isinstance(value, int | float) or not _FEWEST <= value <= _PER_CENT:
        return None
    return f"a share of 1 is wanted: write {value / _PER_CENT:g}"


def an_input(text: str, path: Path) -> str | None:
    """A type that stands in place of a schema, or of the schema of an input."""
    if path[-1:] == ("schema",):
        kind = text if text in TYPES else suggest(text, TYPES)
        return f"write `schema: {{type: {kind}}}`" if kind else None
    if path[:1] != ("inputs",) or len(path) != len(("inputs", "name")):
        return None
    kind = text if text in TYPES else suggest(text, TYPES)
    if kind:
        return f"an input is a schema: write `{{type: {kind}}}`"
    written = text if re.fullmatch(_WORD, text) else json.dumps(text, ensure_ascii=False)
    return f"an input is a schema: write `{{default: {written}}}`" if len(text) <= _LONGEST else None
