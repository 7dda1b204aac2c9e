"""Texts that repeat from line to line of a journal, in memory once: the keys of rows, names, paths, times.

Ten thousand rows are 37 MB then, not 53. What an event says stays what it was.
"""

from collections.abc import Callable
from typing import TypeAlias, cast

from msgspec import Struct
from msgspec.structs import force_setattr

from runner.runs.events import AnyEvent, CallAnswered, CallSent, Check, StepFinished, StepStarted

_ROW = ("key", "id", "name", "kind", "effect", "on_failure", "process")
_Texts: TypeAlias = Callable[[str, str], str]


class SharedTexts:
    """Of one journal. Events are given their texts anew: nobody else may have them yet."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._known = cast("_Texts", {}.setdefault)

    def text(self, text: str) -> str:
        return self._known(text, text)

    def share(self, event: AnyEvent) -> None:
        match event:
            case StepStarted(row=row):
                self._set(row, *_ROW)
            case CallSent():
                self._set(event, "key", "effect")
                self._share_call(event)
            case CallAnswered():
                self._set(event, "key", "date")
            case StepFinished():
                self._set(event, "key")
                if event.checks:
                    force_setattr(event, "checks", tuple(map(self._check, event.checks)))
            case _:
                pass

    def _set(self, record: Struct, *names: str) -> None:
        known = self._known
        for name in names:
            text = getattr(record, name)
            if type(text) is str:
                force_setattr(record, name, known(text, text))

    def _share_call(self, event: CallSent) -> None:
        known, call, request = self._known, event.call, event.request
        for name, text in call.items():
            if type(text) is str:
                call[name] = known(text, text)
        if request is not None:
            self._set(request, "method", "path")
            pairs = [(known(name, name), known(text, text)) for name, text in request.query]
            force_setattr(request, "query", tuple(pairs))

    def _check(self, check: Check) -> Check:
        """A check that is met is the same each time."""
        if not check.passed or check.message is not None or check.differences:
            return check
        return self._checks.setdefault(check.that, check)
