"""The transcript of a run: its head, a row as it ends, its summary. No sentence begins with a text from outside."""

from collections.abc import Iterable, Sequence
from typing import Final, assert_never

from runner.foundation.durations import format_duration
from runner.reports.safe import clean
from runner.reports.sentences import Detail, Sentence, Tone
from runner.reports.summary import summary
from runner.reports.words import (
    because,
    begun_by,
    brief,
    given_by,
    is_of_fleet,
    key_and_name,
    person_name,
    reasons,
    run_title,
    to_go_on,
    trouble_lines,
    verdict_line,
    warnings,
)
from runner.runs.events import (
    AnyEvent,
    Asked,
    AttemptFailed,
    CallAnswered,
    CallSent,
    Line,
    LogUnreadable,
    Paused,
    RunClosing,
    RunFinished,
    RunResumed,
    RunStarted,
    Section,
    SignedIn,
    StepSkipped,
    StepStarted,
    UndoFinished,
    UndoStarted,
    Waited,
    WaitsFor,
)
from runner.runs.evidence import Person, VerdictSource
from runner.runs.result import Progress, RunResult, StepResult
from runner.runs.status import RED, Status

_OF_THE_RUN: Final = frozenset({RunStarted, RunResumed, RunFinished})
MOST_LINES = 30  # lines of a kind that are printed under a row
_MOST_LEFT_OUT = 5  # turns of a loop in a row that were left out, and have a line each


class Transcript:
    """A run from its events, each given once. What `progress` has taken was printed by another command."""

    def __init__(self, options: Detail, *, progress: Progress | None = None) -> None:
        self.progress = progress or Progress()
        self._options = options
        self._page = _Page(options)
        self._closed = False

    def event(self, line: Line) -> list[Sentence]:
        step = self.progress.take(line)
        if step is not None:
            return self._page.row(step)
        event = line.event
        if type(event) not in _OF_THE_RUN:
            return self._page.news(event) if self._options.verbose else []
        if isinstance(event, RunFinished):
            return self.close()
        return self._page.open(self.progress.result(), resumed=isinstance(event, RunResumed))

    def rest(self) -> list[Sentence]:
        return self._page.rest()

    def close(self) -> list[Sentence]:
        """The end of the transcript, also of a run that broke off; nothing where it was printed before."""
        if self._closed:
            return []
        self._closed = True
        rows = [sentence for step in self.progress.cut_off() for sentence in self._page.row(step)]
        return [*rows, *self._page.rest(), *summary(self.progress.result(), self._options)]


def whole(result: RunResult, options: Detail) -> list[Sentence]:
    """The whole transcript of a run; what went on between its rows only its events know."""
    return _rows_of_run(result, result.steps, options, end=summary(result, options))


def so_far(lines: Sequence[Line], options: Detail) -> list[Sentence]:
    """The transcript of a run that is still going on: what has ended, and its current step. Nothing is concluded."""
    progress = Progress()
    for line in lines:
        progress.take(line)
    result, row = progress.result(), progress.running()
    under_way = {step.key for step in progress.cut_off()}
    ended = [step for step in result.steps if step.key not in under_way]
    now = f", now at {clean(row.key)}" if row is not None else ""
    going_on = Sentence(text=f"still going on: {run_title(result)}{now}", tone=Tone.TITLE)
    return _rows_of_run(result, ended, options, end=[going_on])


def _rows_of_run(
    result: RunResult, steps: Iterable[StepResult], options: Detail, *, end: Sequence[Sentence]
) -> list[Sentence]:
    page = _Page(options)
    opening = page.open(result) if result.job else []
    rows = [sentence for step in steps for sentence in page.row(step)]
    return [*opening, *rows, *page.rest(), *end]


def rows_of(lines: Sequence[Line], step: str, options: Detail, *, is_running: bool) -> list[Sentence]:
    """What happened in a step, in its turns and in its parts; empty where the run has no such step."""
    transcript, page, found = Transcript(options), _Page(options), list[Sentence]()
    for line in lines:
        sentences = transcript.event(line)
        if belongs(_key(line.event), step):
            found += [sentence for sentence in sentences if sentence.text]
    cut_off = () if is_running else transcript.progress.cut_off()
    rows = [sentence for row in cut_off if belongs(row.key, step) for sentence in page.row(row)]
    return [*found, *rows, *transcript.rest()]


def _key(event: AnyEvent) -> str:
    """The key of the row that an event is about; empty where it is about none."""
    return event.row.key if isinstance(event, StepStarted | StepSkipped) else str(getattr(event, "key", ""))


def belongs(key: str, step: str) -> bool:
    """Whether the row `key` is that of `step`, a turn of it, or a part."""
    return key == step or key.startswith((f"{step}[", f"{step}/"))


class _Page:
    """What has been printed decides what comes next: the head once, a heading where another section begins."""

    def __init__(self, options: Detail) -> None:
        self._options = options
        self._head: list[Sentence] = []
        self._section = Section.STEPS
        self._left_out: list[StepResult] = []

    def open(self, result: RunResult, *, resumed: bool = False) -> list[Sentence]:
        """The head of the run; where little is printed it waits for the first row."""
        self._head = _head(result, self._options, verb=self._options.resumed if resumed else "run")
        return [] if self._options.quiet else self._take_head()

    def row(self, step: StepResult) -> list[Sentence]:
        if self._options.quiet and step.status not in RED:
            return []
        is_left_out = step.status is Status.SKIPPED and step.index is not None
        if is_left_out and not self._options.verbose:
            rest = self.rest() if self._left_out and self._left_out[-1].skipped_by != step.skipped_by else []
            self._left_out.append(step)
            is_shown = len(self._left_out) <= _MOST_LEFT_OUT
            return [*rest, *self._heading(step.section), _row(step)] if is_shown else rest
        sentences = [*self.rest(), *self._take_head(), *self._heading(step.section), _row(step)]
        return sentences + _details(step, self._options)

    def rest(self) -> list[Sentence]:
        """A line for the turns that were left out after those that have lines."""
        rest, self._left_out = self._left_out[_MOST_LEFT_OUT:], []
        if len(rest) <= 1:
            return [_row(step) for step in rest]
        keys = f"{clean(rest[0].key)} to {clean(rest[-1].key)}"
        return [Sentence(text=f"{keys}  ({len(rest)} more, skipped likewise)", indent=2, status=Status.SKIPPED)]

    def news(self, event: AnyEvent) -> list[Sentence]:
        """What happens inside of rows; the heading of a section comes before the first of its own."""
        heading = self._heading(event.row.section) if isinstance(event, StepStarted) else []
        return [*heading, news(event)]

    def _heading(self, section: Section) -> list[Sentence]:
        if section is self._section:
            return []
        self._section = section
        return [Sentence(text=f"{section}:", indent=2, tone=Tone.FAINT)]

    def _take_head(self) -> list[Sentence]:
        taken, self._head = self._head, []
        return taken


def _head(result: RunResult, options: Detail, *, verb: str) -> list[Sentence]:
    place = f"{clean(result.target.url)}{' (sandbox)' if result.target.sandbox else ''}"
    identity = f"id {clean(result.id)}," if options.ids else "file"
    found = [
        Sentence(text=f"{verb} {run_title(result)}, {place}", tone=Tone.TITLE),
        Sentence(text=f"{identity} {clean(result.file)}", indent=2, tone=Tone.FAINT),
    ]
    if options.starter and (by := begun_by(result)):
        verb = "queued" if is_of_fleet(result) else "begun"
        found.append(Sentence(text=f"{verb} by {by}", indent=2, tone=Tone.FAINT))
    more: list[str] = []
    if result.rerun_of is not None:
        more.append(f"repeats the run {clean(result.rerun_of)}")
    if result.resumed_by is not None:
        more.append(f"resumed by {person_name(result.resumed_by)}")
    if result.inputs and options.verbose:
        more.append(f"inputs: {brief(result.inputs)}")
    if result.commit and options.verbose:
        more.append(f"commit {clean(result.commit)}")
    return found + [Sentence(text=text, indent=2, tone=Tone.FAINT) for text in more if options.starter]


def _row(step: StepResult) -> Sentence:
    return Sentence(text=f"{key_and_name(step)}  ({_how(step)})", indent=2, status=step.status)


def _how(step: StepResult) -> str:
    """The status in a word unless it passed, and what it took."""
    if step.status is Status.SKIPPED:
        return f"skipped: {because(step)}"
    parts = [] if step.status is Status.PASSED else [str(step.status)]
    if step.attempts > 1:
        parts.append(f"{step.attempts} attempts")
    if step.flaky:
        parts.append("flaky")
    if step.verified == "inferred":
        parts.append("settled from the process log")
    return ", ".join([*parts, format_duration(step.seconds)])


def _details(step: StepResult, options: Detail) -> list[Sentence]:
    found: list[Sentence] = []
    if step.status in RED:
        tone = Tone.DOUBT if step.status is Status.UNKNOWN else Tone.BAD
        found += _sentences(reasons(step, traces=options.verbose), tone=tone)
        found += _sentences(to_go_on(step))
    if step.judged is not None and (options.verbose or step.judged.by.how is VerdictSource.OPTION):
        found.append(Sentence(text=verdict_line(step.judged), indent=6, tone=Tone.FAINT))
    if step.warnings and (options.verbose or step.status in RED or not options.several):
        found += _sentences(warnings(step), tone=Tone.WARNING)
    return found + _sentences(_values(step), tone=Tone.FAINT) if options.verbose else found


def _values(step: StepResult) -> list[str]:
    """What a row checked, its result and outputs, for whoever wants to see all."""
    met = [f"met: {clean(check.that)}" for check in step.checks if check.passed]
    result = [f"result: {brief(step.result)}"] if step.result is not None else []
    outputs = [f"outputs.{clean(name)}: {brief(value)}" for name, value in step.outputs.items()]
    return met + result + outputs


def _sentences(lines: list[str], *, tone: Tone = Tone.PLAIN) -> list[Sentence]:
    """Lines under a row. A text without end, a stack trace perhaps, is cut: the reports hold it whole."""
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"... {len(lines) - MOST_LINES} more lines, whole in the reports"]
    return [Sentence(text=line, indent=6, tone=tone) for line in lines]


def news(event: AnyEvent) -> Sentence:
    """What happened inside a row, for whoever wants to see all."""
    return Sentence(text=_news(event), indent=4, tone=Tone.FAINT)


def _news(event: AnyEvent) -> str:
    match event:
        case StepStarted(row=row):
            return f"begun: {clean(row.key)}"
        case CallSent():
            return f"sent: {clean(event.key)}, {event.effect}, {brief(event.call)}"
        case CallAnswered():
            return f"answered: {clean(event.key)}, {brief(event.value)}"
        case AttemptFailed():
            about = f"{clean(event.key)}, " if event.key else ""
            body = "" if event.body is None else f"; the answer: {brief(event.body)}"
            return f"{event.kind}: {about}{'; '.join(trouble_lines(event.error))}{body}"
        case Paused():
            return f"waited: {clean(event.key)}, {format_duration(event.seconds)}"
        case Waited(seconds=None):
            return f"waits: {clean(event.key)}, for {waits_for(event)}"
        case Waited(seconds=float(seconds)):
            about = f"{clean(event.key)}, " if event.key else ""
            held = f"; {waits_for(event)}" if event.held_by else ""
            return f"waited: {about}{format_duration(seconds)}, which does not count as its time{held}"
        case Asked():
            by = f", by {given_by(event.by)}" if event.by is not None else ""
            return f"asked: {clean(event.key)}, {brief(event.value)}{by}"
        case LogUnreadable():
            return f"the process log cannot be read: {'; '.join(trouble_lines(event.error))}"
        case _:
            return _turn(event)


def _turn(event: AnyEvent) -> str:
    """A line where the run itself takes a turn; empty for other events."""
    match event:
        case SignedIn():
            return f"signed in: {clean(event.key)}, by {clean(event.kind)}, {format_duration(event.seconds)}"
        case RunResumed(resumed_by=Person() as by):
            return f"resumed by {person_name(by)}"
        case RunResumed():
            return "resumed"
        case RunClosing():
            return f"closing: {clean(event.why)}"
        case UndoStarted():
            return "undo begun"
        case UndoFinished():
            return f"undo {clean(event.undo)}"
        case _:
            return ""


def waits_for(event: Waited) -> str:
    """What keeps a call from being sent, in words."""
    match event.what:
        case WaitsFor.TURN:
            return f"its turn: {_who(event)} starts the same process"
        case WaitsFor.RATE:
            return "the `rate` of the target"
        case WaitsFor.LOCK:
            return f"the lock `{clean(event.name or '')}`: {_who(event)} holds it"
        case _:
            assert_never(event.what)


def _who(event: Waited) -> str:
    """Who is in the way, as far as the event says it."""
    holder = event.held_by
    if holder is None:
        return "another run"
    folder = f" in {clean(holder.folder)}" if holder.folder else ""
    return f"`{clean(holder.job)}`{f' (run {clean(holder.run)}{folder})' if holder.run else ''}"
