"""Starts that were refused, and may have happened all the same, as behind a gateway; a rerun looks for their rows."""

from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus

from msgspec import Struct

from runner.foundation import server_time
from runner.foundation.values import JsonObject, text
from runner.runs.events import AnyEvent, AttemptFailed, CallSent, Line, StepFinished, Trouble, time_of


class RefusedStart(Struct, frozen=True, kw_only=True):
    """A refused call of the row `key` of a `run` that should have started `process`."""

    key: str
    process: str
    run: str
    status: int | None
    seconds: float  # it took
    at: float | None = None  # the server's own time of the refusal
    marked: bool = False  # the log was read before
    mark: str | None = None  # the newest row then


def is_of_service(status: int | None) -> bool:
    """Whether the service itself refused a start so, perhaps after its process had begun, and not a proxy."""
    return (status or 0) // 100 in (2, 5) or status == HTTPStatus.BAD_REQUEST


def refused_starts(run: str, lines: Sequence[Line], *, before: Iterable[RefusedStart]) -> Iterator[RefusedStart]:
    """Refused starts of a run that the log did not show, with those from `before`, of the run that it repeats.

    Without those that it made again itself, or that a person has judged.
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
