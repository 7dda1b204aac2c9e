"""Starts that were refused, and may have happened all the same: a gateway may refuse an answer, or what it handed on.

The log was read for a moment then, and showed no start. Whoever carries the run out once more looks there again.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from runner.foundation import server_time
from runner.foundation.raw import text
from runner.foundation.values import JsonObject
from runner.runs.events import AnyEvent, AttemptFailed, CallSent, Line, StepFinished, Trouble, time_of


class RefusedStart(Struct, frozen=True, kw_only=True):
    """A call of the row `key` of a `run` that should have started `process`. It took so many `seconds`, and was refused
    `at` a moment of the server's own time, if that is known. `marked`: `mark` is the newest row of the process before.
    """

    key: str
    process: str
    run: str
    status: int | None
    seconds: float
    at: float | None = None
    marked: bool = False
    mark: str | None = None


def refused_starts(run: str, lines: Sequence[Line], *, before: Iterable[RefusedStart]) -> Iterator[RefusedStart]:
    """Those of a run that ended as refused: what the log showed a start of did not. With those from `before`, of the
    run that it carried out once more, unless it has made the call itself, or somebody who checked the site said in it
    that they failed or never began.
    """
    known = {key for line in lines if (key := _known(line.event)) is not None}
    yield from (each for each in before if each.key not in known)
    sent: dict[str, CallSent] = {}
    refused: dict[str, AttemptFailed] = {}
    for event in (line.event for line in lines):
        match event:
            case CallSent(key=key, effect="once"):
                sent[key] = event
            case AttemptFailed(key=key, kind="refused", unproved=True) if key in sent:
                refused[key] = event
            case StepFinished(key=key, error=error) if key in refused and error == refused[key].error:
                if (process := text(sent[key].call, "process")) is not None:
                    yield _of(run, process, sent[key], refused[key])
            case _:
                pass


def _known(event: AnyEvent) -> str | None:
    match event:
        case CallSent(key=key, effect="once") | StepFinished(key=key, error=Trouble(code="E213")):
            return key
        case _:
            return None


def _of(run: str, process: str, sent: CallSent, failed: AttemptFailed) -> RefusedStart:
    known: JsonObject = sent.watermark or {}
    return RefusedStart(
        key=failed.key,
        process=process,
        run=run,
        status=failed.status,
        seconds=max(0.0, failed.t - time_of(sent)),
        at=server_time.parse_header(failed.date or ""),
        marked=sent.watermark is not None,
        mark=text(known, "started"),
    )
