"""Whether a site is ready after a deployment: it is asked until it is, or cannot be any more.

It is ready when two authenticated readings, a pause apart, gave rows, and its processes are as a catalogue says. A
deployment that is "accepted" may restart the site, which shows its sign-in page for a while then [C].
A `Story` has what was seen meanwhile: its states in plain words, each with its time.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from runner.catalogue.differences import About, CatalogueDifference, missing
from runner.catalogue.model import Catalogue
from runner.foundation.durations import format_duration
from runner.foundation.problems import Problem
from runner.foundation.sentences import plural
from runner.foundation.values import items, record
from runner.project.pulling import NoAnswerError, PatientReader, read_library, read_process
from runner.reports.drift import sentence
from runner.reports.safe import padded, width
from runner.runs.events import Trouble
from runner.service.calls import (
    SESSION_REFUSED,
    Answered,
    Call,
    Caller,
    CallFailed,
    Ending,
    FailureKind,
    QueryCall,
    SessionCaller,
)
from runner.service.gate import OPEN, Gate
from runner.targets.model import Readiness

SECONDS: Final = 30.0  # for each call. The first answer of a site that has just begun may take that long.
ROWS_OF: Final = ("VwProcessLib", "Contact")
"""What is read. Not everybody may see the library of processes; the second has a row for each user."""
MOST_REFUSALS: Final = 2
"""A few more lock an account [C]. A site that is just starting may refuse a correct password."""
_SOONER: Final = 10
"""A site that does not answer is asked so many times as often: the two readings begin when it does."""
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_NEEDS_ONE: Final = (
    "a site is ready when it gives a row of one of the two through OData; without them leave the wait out"
)
_SERVER_ERRORS: Final = 500
_VERSIONS: Final = frozenset({About.PROCESS, About.START, About.VERSION})


class Phase(StrEnum):
    AWAY = "away"  # no rows, and waiting may mend it
    REFUSED = "refused"  # it checked who signs in, and refused
    HOPELESS = "hopeless"  # no wait mends it: the call cannot be written, or the proxy refuses us
    ROWS = "rows"
    OTHER = "other"  # it answers, and its processes are not as they should be
    READY = "ready"


class ReadyOutcome(StrEnum):
    READY = "ready"
    OVER = "over"  # the time was over first
    REFUSED = "refused"
    HOPELESS = "hopeless"
    STOPPED = "stopped"


class Look(Struct, frozen=True, kw_only=True):
    """`trouble` is why there were no rows, `differences` what is not as it should be. `retry_after` is in seconds."""

    phase: Phase
    trouble: Trouble | None = None
    status: int | None = None
    differences: tuple[CatalogueDifference, ...] = ()
    retry_after: float = 0.0

    @property
    def is_signed_out(self) -> bool:
        """Whether the site accepts no session, also none that has just been made."""
        return self.trouble is not None and self.trouble.code == SESSION_REFUSED

    @property
    def state(self) -> tuple[object, ...]:
        """What makes a state: of an answer its status, and where there was none the words."""
        code = None if self.trouble is None else self.trouble.code
        words = self.trouble.message if self.trouble is not None and self.status is None else ""
        return self.phase, code, self.status, words, self.differences


def wait_until_ready(
    site: "Watched", wanted: Readiness, *, pause: Callable[[float], bool], seen: Callable[[Look], None]
) -> ReadyOutcome:
    """Look until the site is ready. `pause` waits, and gives False to stop; `seen` gets each look."""
    ends = site.clock() + wanted.longest
    has_rows, is_first, refusals = False, True, 0
    while True:
        look = site.look(ends, compare=has_rows)
        is_cut_off = look.phase is Phase.AWAY and site.clock() >= ends
        if is_first or not is_cut_off:
            seen(look)
        is_first = False
        refusals += look.phase is Phase.REFUSED
        if look.phase in (Phase.READY, Phase.HOPELESS) or refusals == MOST_REFUSALS:
            return ReadyOutcome(look.phase.value)
        has_rows = look.phase in (Phase.ROWS, Phase.OTHER)
        is_away = look.phase is Phase.AWAY and not look.is_signed_out  # else each look makes a session
        soon = max(wanted.every / _SOONER, look.retry_after) if is_away else wanted.every
        if not pause(max(0.0, min(soon, ends - site.clock()))):
            return ReadyOutcome.STOPPED
        if site.clock() >= ends:
            return ReadyOutcome.OVER


class Watched(Struct, frozen=True, kw_only=True):
    """A site that is waited for. `expected` are the processes that count, as they should be, if any."""

    caller: SessionCaller
    clock: Callable[[], float]
    expected: Catalogue | None = None

    def look(self, ends: float, *, compare: bool) -> Look:
        """A look that ends at `ends` at the latest. `compare`: rows are no news, so that the rest counts now."""
        look = self._rows(ends)
        if look.phase is not Phase.ROWS or not compare:
            return look
        return Look(phase=Phase.READY) if self.expected is None else self._compared(self.expected, ends)

    def _rows(self, ends: float) -> Look:
        found = Look(phase=Phase.AWAY)
        for entity in ROWS_OF:
            ending = self._caller(ends).perform(QueryCall(entity=entity, top=1), SECONDS, gate=OPEN)
            if isinstance(ending, Answered) and items(record(ending.value).get("records")):
                return Look(phase=Phase.ROWS)
            failure = ending if isinstance(ending, CallFailed) else _EMPTY
            if found.trouble is None or failure.refused_sign_in:
                found = _failed_look(failure)
            if failure.kind is not FailureKind.REFUSED or (failure.status or 0) >= _SERVER_ERRORS:
                break
        if found.status == _NOT_FOUND and found.trouble is not None:
            message = f"{found.trouble.message} to odata/{' and to odata/'.join(ROWS_OF)}"
            found = replace(found, trouble=replace(found.trouble, message=message, hint=_NEEDS_ONE))
        # a refusal is remembered, and a session of before the restart may be what a 403 is about
        if (failure.final and not found.is_signed_out) or failure.status == _FORBIDDEN:
            self.caller.forget_sign_in()
        return found

    def _compared(self, expected: Catalogue, ends: float) -> Look:
        try:
            found = _differences(expected, PatientReader(caller=self._caller(ends), wait=_not_at_all))
        except NoAnswerError as error:
            return Look(phase=Phase.AWAY, trouble=error.trouble)
        return Look(phase=Phase.OTHER, differences=found) if found else Look(phase=Phase.READY)

    def _caller(self, ends: float) -> "_InTime":
        return _InTime(caller=self.caller, clock=self.clock, ends=ends)


def _differences(expected: Catalogue, site: PatientReader) -> tuple[CatalogueDifference, ...]:
    """First what the list says, which is a call; each process is asked for where that is as it should be."""
    library = read_library(site)
    known = [code for code in expected.processes if code in library.families]
    listed = {code: library.listed(code) for code in known}
    versions = tuple(filter(_is_of_versions, missing(expected, replace(expected, processes=listed))))
    if versions:
        return versions
    read = {code: read_process(site, library, code) for code in known}
    return tuple(filter(_counts, missing(expected, replace(expected, processes=read))))


class _InTime(Struct, frozen=True, kw_only=True):
    """Calls that do not outlast the wait for the site."""

    caller: Caller
    clock: Callable[[], float]
    ends: float

    def perform(self, call: Call, seconds: float, *, gate: Gate) -> Ending:
        return self.caller.perform(call, max(0.0, min(seconds, SECONDS, self.ends - self.clock())), gate=gate)


def only(expected: Catalogue, codes: Iterable[str]) -> Catalogue:
    """The catalogue with the processes of these codes, which may be those of versions."""
    families = ((code, expected.family_of(code)) for code in codes)
    roots = [code if code in expected.processes or not family else family[0].code for code, family in families]
    return replace(expected, processes={code: expected.processes[code] for code in roots if code in expected.processes})


def _failed_look(failure: CallFailed) -> Look:
    is_hopeless = failure.final and failure.trouble.code == "E301"
    phase = Phase.REFUSED if failure.refused_sign_in else Phase.HOPELESS if is_hopeless else Phase.AWAY
    later = min(failure.retry_after or 0.0, SECONDS)
    return Look(phase=phase, trouble=failure.trouble, status=failure.status, retry_after=later)


def _counts(difference: CatalogueDifference) -> bool:
    """Elements and captions do not: no job depends on them."""
    return _is_of_versions(difference) or difference.about is About.PARAMETER or difference.name == "parameters"


def _is_of_versions(difference: CatalogueDifference) -> bool:
    """A version that only the site has does not matter: whether it is active is a difference of the process."""
    is_only_there = difference.about is About.VERSION and difference.before is None
    return difference.about in _VERSIONS and not is_only_there


def _not_at_all(seconds: float) -> None:
    """Whoever waits looks again anyway."""
    del seconds


_EMPTY: Final = CallFailed(
    kind=FailureKind.REFUSED,
    trouble=Trouble(
        code="E307",
        message=f"the site answers without rows: neither of {' nor of '.join(ROWS_OF)}",
        hint="check that the user may read one of them",
    ),
)


_MOST_STATES: Final = 20
_UNEVENTFUL: Final = frozenset({Phase.ROWS, Phase.READY})


class Story(Struct, kw_only=True):
    """`states`: those of the site, and after how many seconds each began; `outcome`: None while it is waited for."""

    name: str
    wanted: Readiness
    catalogue: str = ""
    mask: Callable[[str], str] = str
    states: list[tuple[float, Look]] = field(default_factory=list)
    outcome: ReadyOutcome | None = None

    def see(self, look: Look, seconds: float) -> None:
        """Take a look after so many seconds."""
        if self.last is None or look.state != self.last.state:
            self.states.append((seconds, look))

    def has_news(self) -> bool:
        """Whether people want to know of its last state as soon as it is there."""
        return self.last is not None and self.last.phase not in _UNEVENTFUL

    @property
    def last(self) -> Look | None:
        return self.states[-1][1] if self.states else None

    def now(self, seconds: float) -> str:
        """What it waits for, after so many seconds."""
        last = "no answer yet" if self.last is None else self._words(self.last)
        return f"waiting for {self.name}, {_elapsed(seconds)} so far: {last}"

    def _words(self, look: Look) -> str:
        match look.phase:
            case Phase.READY:
                return "ready"
            case Phase.ROWS:
                return "it answers with rows, and is asked once more"
            case Phase.OTHER:
                return self._differences(look)
            case _:
                return self.mask(look.trouble.message) if look.trouble is not None else "no answer"

    def transcript(self, seconds: float) -> Iterator[str]:
        """How it went, a line each; `seconds` is how long it was waited for."""
        if self.outcome is ReadyOutcome.READY:
            yield f"{self.name} is ready after {_elapsed(self.states[-1][0])}"
        else:
            yield f"{self.name} is not ready after {_elapsed(seconds)}"
        if any(look.phase not in _UNEVENTFUL for _, look in self.states):
            yield from self._times()

    def problem(self) -> Problem | None:
        """Why nothing is sent, where the wait ended by itself and not well."""
        if self.outcome in (None, ReadyOutcome.READY, ReadyOutcome.STOPPED) or self.last is None:
            return None
        look, words = self.last, self._words(self.last)
        hint = self.mask(look.trouble.hint) if look.trouble is not None and look.trouble.hint else None
        if self.outcome is ReadyOutcome.REFUSED:
            return Problem(code="E318", message=f"the wait for {self.name} is given up: {words}", hint=hint)
        if self.outcome is ReadyOutcome.HOPELESS and look.trouble is not None:
            return Problem(code=look.trouble.code, message=words, hint=hint)
        if look.phase is Phase.OTHER:
            hint = hint or f"`runner catalog check -t {self.name} --against {self.catalogue}` shows all differences"
        message = f"{self.name} was not ready within {format_duration(self.wanted.longest)}: {words}"
        return Problem(code="E317", message=message, hint=hint)

    def _differences(self, look: Look) -> str:
        first = sentence(look.differences[0], before=self.catalogue, after="the site")
        rest = len(look.differences) - 1
        more = f" (and {plural(rest, 'more difference')})" if rest else ""
        return self.mask(f"it is not as {self.catalogue} says: {first}{more}")

    def _times(self) -> Iterator[str]:
        """The states with their times; of very many the first and the last."""
        rows = [(_elapsed(at), self._words(look)) for at, look in self.states]
        cells = max(width(at) for at, _ in rows)
        lines = [f"  {padded('', cells - width(at))}{at}  {words}" for at, words in rows]
        half, more = _MOST_STATES // 2, len(lines) - _MOST_STATES
        yield from lines if more <= 0 else (*lines[:half], f"  ... {more} more ...", *lines[-half:])


def _elapsed(seconds: float) -> str:
    return format_duration(round(seconds)) if round(seconds) else "0 s"
