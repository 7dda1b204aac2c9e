"""What two runs began with and sent, by names: files, inputs, calls. If all are alike, the site answered otherwise.

A GUID is the same as another that replaces it everywhere; any two moments are the same.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from msgspec import UNSET, Struct, UnsetType, field

from runner.foundation.lazy import lazy_pattern
from runner.foundation.sentences import MOST, first_few
from runner.foundation.values import Json, JsonObject, is_number
from runner.reports.next_steps import secret_inputs
from runner.reports.safe import clean
from runner.reports.spans import READINGS
from runner.runs.events import CallSent, Line, encode, run_started
from runner.runs.evidence import SentRequest
from runner.runs.result import RunResult
from runner.secrets.holes import Hole, taken_apart

_GUID = lazy_pattern(r"(?<![0-9a-fA-F])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![0-9a-fA-F])")
_MOMENT = lazy_pattern(
    r"(?<!\d)\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?|/Date\(-?\d+(?:[+-]\d{4})?\)/"
)


MaybeJson: TypeAlias = "Json | UnsetType"


class ValueDifference(Struct, frozen=True, kw_only=True):
    """`path` is as an expression has it, with the name of the whole value at its start."""

    path: str
    first: MaybeJson
    second: MaybeJson


CallDifferences: TypeAlias = dict[str, list[ValueDifference]]
"""By the keys of rows."""


class Sameness(Struct):
    """Which GUID of the first run is which of the second, by all values that were compared so far."""

    _there: dict[str, str] = field(default_factory=dict)
    _back: dict[str, str] = field(default_factory=dict)

    def are_same(self, first: str, second: str) -> bool:
        if _skeleton(first) != _skeleton(second):
            return False
        pairs = zip(_GUID.findall(first), _GUID.findall(second), strict=True)
        # all of them, for what is compared later
        known = [self._map(first.lower(), other.lower()) for first, other in pairs]
        return all(known)

    def differences(self, first: MaybeJson, second: MaybeJson, path: str) -> Iterator[ValueDifference]:
        match first, second:
            case dict(), dict():
                for key in dict.fromkeys([*first, *second]):
                    yield from self.differences(first.get(key, UNSET), second.get(key, UNSET), f"{path}.{key}")
            case list(), list():
                for at in range(max(len(first), len(second))):
                    before, after = (value[at] if at < len(value) else UNSET for value in (first, second))
                    yield from self.differences(before, after, f"{path}[{at}]")
            case str(), str():
                if not self.are_same(first, second):
                    yield ValueDifference(path=path, first=first, second=second)
            case _:
                are_numbers = is_number(first) and is_number(second)
                if first != second or not (are_numbers or type(first) is type(second)):
                    yield ValueDifference(path=path, first=first, second=second)

    def _map(self, first: str, other: str) -> bool:
        return self._there.setdefault(first, other) == other and self._back.setdefault(other, first) == first


def _skeleton(text: str) -> str:
    return _MOMENT.sub("T", _GUID.sub("#", text))


class ComparedRun(Struct, frozen=True, kw_only=True):
    """`files` are the texts of the job's files by their names, empty where they are not known."""

    result: RunResult
    lines: Sequence[Line]
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str | None:
        """The hash of the job's files; None where it is lost."""
        first = run_started(self.lines)
        return first.source if first is not None else None

    def own_names(self) -> Mapping[str, str]:
        """The names of the files by those that the job's file calls them: the folders of commands may differ."""
        folder = posixpath.dirname(self.result.file) or "."
        return {posixpath.relpath(name, folder): name for name in self.files}

    def sent(self) -> dict[str, CallSent]:
        """By row the first call that could change something, or else its first, but for readings of the log."""
        calls: dict[str, CallSent] = {}
        for line in self.lines:
            event = line.event
            if isinstance(event, CallSent) and _rank(event) > _rank(calls.setdefault(event.key, event)):
                calls[event.key] = event
        return calls


def _rank(call: CallSent) -> int:
    return 2 if call.effect != "read" else int(call.call.get("kind") not in READINGS)


class RunChanges(Struct, frozen=True, kw_only=True):
    """What differs between what two runs began with and sent."""

    files: bool | None  # whether the job's files differ, if that is known
    file_names: tuple[str, ...]
    inputs: tuple[str, ...]
    secret_inputs: tuple[str, ...]  # not stored, and so not compared
    sent_with_secrets: tuple[str, ...]  # keys of the rows that sent these
    sent: tuple[str, ...]  # keys of the rows whose calls differ
    sent_in_first_only: tuple[str, ...]
    sent_in_second_only: tuple[str, ...]


def changes(first: ComparedRun, second: ComparedRun, sameness: Sameness) -> tuple[RunChanges, CallDifferences]:
    """And what differs in the calls of each row. `sameness` learns from these which ids stand for each other."""
    names = _differing(first, second)
    files = _differ(first, second, names)
    calls, others = first.sent(), second.sent()
    before, after = first.result.inputs, second.result.inputs
    inputs = [
        name
        for name in dict.fromkeys([*before, *after])
        if any(sameness.differences(before.get(name, UNSET), after.get(name, UNSET), name))
    ]
    both = [key for key in calls if key in others]
    sent = {key: [*sameness.differences(*_requests(calls[key], others[key]), "sent")] for key in both}
    changed = RunChanges(
        files=files,
        file_names=names if files else (),
        inputs=tuple(inputs),
        secret_inputs=tuple(dict.fromkeys([*secret_inputs(first.result), *secret_inputs(second.result)])),
        sent_with_secrets=tuple(key for key in both if _has_secret_input(calls[key])),
        sent=tuple(key for key in both if sent[key]),
        sent_in_first_only=tuple(key for key in calls if key not in others),
        sent_in_second_only=tuple(key for key in others if key not in calls),
    )
    return changed, sent


def _requests(first: CallSent, other: CallSent) -> tuple[Json, Json]:
    """What was put on the wire, where all of it is known of both, else the calls as they were planned."""
    match first.request, other.request:
        case SentRequest(left_out=0) as before, SentRequest(left_out=0) as after:
            return _on_the_wire(before), _on_the_wire(after)
        case _:
            return {**first.call}, {**other.call}


def _on_the_wire(request: SentRequest) -> Json:
    found: JsonObject = {"method": request.method, "path": request.path}
    if request.query:
        found["query"] = dict(request.query)
    if not isinstance(request.body, UnsetType):
        found["body"] = request.body
    return found


def _has_secret_input(call: CallSent) -> bool:
    parts = taken_apart(encode(call).decode())
    return any(isinstance(part, Hole) and part.name.startswith("inputs.") for part in parts)


def _differ(first: ComparedRun, second: ComparedRun, names: Sequence[str]) -> bool | None:
    """The hash is of the names, too, as they were in the folder of the command."""
    sources = first.source, second.source
    if None in sources:
        return None
    return sources[0] != sources[1] and not (first.files and second.files and not names)


def _differing(first: ComparedRun, second: ComparedRun) -> tuple[str, ...]:
    """The names of the files that differ, as a command was given them."""
    names, others = first.own_names(), second.own_names()
    return tuple(
        others.get(own) or names[own]
        for own in dict.fromkeys([*names, *others])
        if first.files.get(names.get(own, "")) != second.files.get(others.get(own, ""))
    )


def sentences(found: RunChanges) -> Iterator[str]:
    """A sentence for each kind of change, else that there is none, where that is known."""
    if found.files:
        yield f"the job's files changed{f': {_listed(found.file_names)}' if found.file_names else ''}"
    if found.inputs:
        yield f"the inputs changed: {_listed(found.inputs)}"
    if found.sent:
        yield f"what was sent changed: {_listed(found.sent)}"
    for which, keys in (("first", found.sent_in_first_only), ("second", found.sent_in_second_only)):
        if keys:
            yield f"sent in the {which} run only: {_listed(keys)}"
    changed = found.inputs or found.sent or found.sent_in_first_only or found.sent_in_second_only
    if found.files is False and not changed:
        yield "the job's files, the inputs and what was sent are the same"
    if found.secret_inputs:
        where = f"; sent in: {_listed(found.sent_with_secrets)}" if found.sent_with_secrets else ""
        yield f"secret inputs are not compared: {_listed(found.secret_inputs)}{where}"


def _listed(names: Sequence[str]) -> str:
    return first_few([*map(clean, names)], MOST)
