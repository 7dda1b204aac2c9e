"""What breaks, and what happens then: the table of the reference, as data that is carried out by `test_what_breaks.py`.

`python tests/support/breakages.py` prints the table. Its last two columns are what the ways of a row come to.
"""

import sys
from collections.abc import Iterable
from enum import Enum, auto

from msgspec import Struct
from msgspec.structs import replace
from stories import Unlisted, World, not_sent, refused, unanswered

from runner.foundation.problems import ExitCode
from runner.runs.events import Trouble
from runner.runs.status import Status
from runner.service.calls import CallFailed, Ending, FailureKind


class Meanwhile(Enum):
    """What the runner itself goes through while the call is under way."""

    KILLED = auto()
    """And is resumed afterwards."""
    SIGNAL = auto()
    GRACE_OVER = auto()
    """After a signal."""
    DISK_FULL = auto()


class Came(Struct, frozen=True, kw_only=True):
    """What becomes of the step. `verified` and `flaky` are as in the report; `sent` counts the calls that left."""

    status: Status
    exit_code: ExitCode
    sent: int = 1
    verified: bool | str | None = None
    flaky: bool = False

    @property
    def in_words(self) -> str:
        """The status, and what the report says beside it."""
        beside = ["inferred"] if self.verified == "inferred" else []
        if self.status is Status.PASSED and self.verified is None:
            beside.append("not verified")
        if self.flaky:
            beside.append("flaky")
        return f"`{self.status}`" + (f" ({', '.join(beside)})" if beside else "")


class Way(Struct, frozen=True, kw_only=True):
    """One way for it to break. `site` is how the site is before; `step` holds the keys of the job's only step."""

    site: World
    came: Came
    step: str
    rest: str = ""
    meanwhile: Meanwhile | None = None


class Breakage(Struct, frozen=True, kw_only=True):
    """A row of the table: words for who reads it, and the ways that bear them out."""

    what: str
    effect: str
    log: str
    does: str
    ways: tuple[Way, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        statuses = one_of(way.came.in_words for way in self.ways)
        codes = one_of(str(int(way.came.exit_code)) for way in self.ways)
        return (self.what, self.effect, self.log, self.does, statuses, codes)


def one_of(words: Iterable[str]) -> str:
    *first, last = dict.fromkeys(words)
    return f"{', '.join(first)} or {last}" if first else last


COLUMNS = ("what broke", "effect", "what the process log says", "what the runner does", "the step", "exit")


def table() -> str:
    """The table in Markdown."""
    rows = [COLUMNS, *(breakage.cells for breakage in BREAKAGES)]
    first, *others = (f"| {' | '.join(row)} |\n" for row in rows)
    return "".join([first, "|---" * len(COLUMNS) + "|\n", *others])


PASSED = Came(status=Status.PASSED, exit_code=ExitCode.PASSED, verified=True)
FLAKY = replace(PASSED, sent=2, flaky=True)
NOT_VERIFIED = replace(PASSED, verified=None)
INFERRED = replace(PASSED, verified="inferred")
FAILED = Came(status=Status.FAILED, exit_code=ExitCode.FAILED)
LOG_SAYS_FAILED = replace(FAILED, verified=False)
INFERRED_FAILED = replace(FAILED, verified="inferred")
ERROR = Came(status=Status.ERROR, exit_code=ExitCode.NO_ANSWER)
UNKNOWN = Came(status=Status.UNKNOWN, exit_code=ExitCode.UNKNOWN)


def stopped(came: Came) -> Came:
    """The same in a run that is to stop."""
    return replace(came, exit_code=ExitCode.INTERRUPTED)


def late(came: Came) -> Came:
    """The same in a run whose time was over before its end."""
    return replace(came, exit_code=ExitCode.FAILED)


ONCE = "execute: {process: UsrA}"
TO_ITS_END = "execute: {process: UsrA, until: done}"
IDEMPOTENT = f"{ONCE}\n    effect: idempotent"
READ = f"{ONCE}\n    effect: read"
ANY = (ONCE, IDEMPOTENT, READ)
REPEATABLE = (IDEMPOTENT, READ)
RETRIED = "\n    retry: {max_attempts: 2, on: [unanswered]}"
NEEDED = (
    "execute: {process: UsrA, result: Out}\n    expect: [result == 1]",
    "execute: {process: UsrA, result: Out}\n    outputs: {out: result}",
    "execute: {process: UsrA, result: Out, required: true}",
)
NEEDED_LATER = "execute: {process: UsrA, result: Out}"


def signed_out(code: str) -> CallFailed:
    """`E303`: the sign-in is refused; `E304`: the call was, and may be made in a fresh session."""
    trouble = Trouble(code=code, message="sign in")
    if code == "E303":
        return CallFailed(kind=FailureKind.NOT_SENT, trouble=trouble, status=200, final=True)
    return CallFailed(kind=FailureKind.TURNED_AWAY, trouble=trouble, status=401)


def call_later() -> CallFailed:
    trouble = Trouble(code="E310", message="too many requests")
    return CallFailed(kind=FailureKind.TURNED_AWAY, trouble=trouble, status=429, retry_after=3.0)


class Repeated(World):
    """A proxy has repeated the call, which had happened, and hands on the answer to the second."""

    def _next(self) -> Ending:
        self.add_row("UsrA")
        return super()._next()


def silent(*statuses: str) -> World:
    """Starts the process, which the log shows so, and does not answer; a second call it would answer."""
    first, *later = statuses
    return World(answers=[unanswered()], statuses=[first], later=later)


LOST = World(answers=[unanswered()], lost=True)
"""Does not answer, and shows no start."""
SLOW = {"execute UsrA": 90.0}
THEN_MORE = f"{ONCE}\n  - id: b\n    if: always()\n    pause: 1s"
"""What a run that is stopped leaves out."""
CUT = "timeout: 40s"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        what="No connection, or the sign-in is refused",
        effect="any",
        log="is not asked: nothing was sent",
        does="tries again, three times in all; after a refused sign-in never, it could lock the account",
        ways=tuple(
            Way(site=World(answers=[failure] * 3), step=step, came=replace(ERROR, sent=sent))
            for failure, sent in ((not_sent(), 3), (signed_out("E303"), 1))
            for step in ANY
        ),
    ),
    Breakage(
        what="Turned away: a 401 or a login page, or the site asks to call later (429)",
        effect="any",
        log="is read, for `once` also with `verify: none`: it shows no start",
        does="makes it again: in a fresh session once, after a 429 three times in all",
        ways=tuple(
            Way(site=World(answers=[failure] * count), step=step, came=came)
            for failure, count, came in (
                (signed_out("E304"), 1, replace(PASSED, sent=2)),
                (signed_out("E304"), 3, replace(ERROR, sent=2)),
                (call_later(), 3, replace(ERROR, sent=3)),
            )
            for step in ANY
        ),
    ),
    Breakage(
        what="Turned away (401, login page, 429), a fault, a 400, or perhaps a proxy's refusal (403)",
        effect="`once`",
        log="shows a start that may be it, or, but after a fault or a 400, cannot be read",
        does="never makes it again: it may have begun before that answer",
        ways=tuple(
            Way(site=site, step=ONCE, came=came)
            for failure in (signed_out("E304"), call_later(), refused(unproved=True))
            for site, came in (
                (Repeated(answers=[failure]), INFERRED),
                (World(answers=[failure], log=refused(403)), UNKNOWN),
            )
        ),
    ),
    Breakage(
        what="A fault of the service, or a 400 without words that prove that nothing began",
        effect="`once`",
        log="cannot be read",
        does="does not repeat it; whoever carries the job out once more reads that it may begin again",
        ways=tuple(
            Way(site=World(answers=[refused(status, unproved=True)], log=refused(403)), step=ONCE, came=FAILED)
            for status in (500, 400)
        ),
    ),
    Breakage(
        what="The service refuses the call: no right, no such process, a value; or a fault",
        effect="any",
        log="is asked after another fault or a 400 only; of a `once` call it shows no start",
        does="does not repeat it, unless `retry.on` has `refused`",
        ways=tuple(
            Way(site=World(answers=[refusal]), step=step, came=FAILED)
            for refusal in (refused(403), refused(500), refused(403, unproved=True))
            for step in ANY
        ),
    ),
    Breakage(
        what="No answer: a timeout, a broken connection, a gateway's page",
        effect="`idempotent`, `read`",
        log="is not asked",
        does="does not repeat it, unless `retry.on` has `unanswered`",
        ways=tuple(Way(site=silent("done"), step=step, came=ERROR) for step in REPEATABLE),
    ),
    Breakage(
        what="The same, with `retry.on: [unanswered]`; the next call is answered",
        effect="`idempotent`, `read`",
        log="is read for the verdict",
        does="repeats it",
        ways=tuple(
            Way(site=site, step=step + RETRIED, came=came)
            for step in REPEATABLE
            for site, came in ((silent("done", "done"), FLAKY), (LOST, replace(FLAKY, verified=None)))
        ),
    ),
    Breakage(
        what="No answer",
        effect="`once`",
        log="one start of ours: done",
        does="takes it for this call",
        ways=(Way(site=silent("done"), step=ONCE, came=INFERRED),),
    ),
    Breakage(
        what="No answer",
        effect="`once`",
        log="one start of ours: failed or cancelled",
        does="takes it for this call, shows the log's reason",
        ways=tuple(Way(site=silent(status), step=ONCE, came=INFERRED_FAILED) for status in ("error", "cancelled")),
    ),
    Breakage(
        what="No answer",
        effect="`once`",
        log="one start of ours: running",
        does="follows it to its end (with `until: started` it has what it wants)",
        ways=(
            Way(site=silent("running", "running", "done"), step=TO_ITS_END, came=INFERRED),
            Way(site=silent("running"), step=ONCE, came=INFERRED),
            Way(site=silent("running", "error"), step=TO_ITS_END, came=INFERRED_FAILED),
            Way(site=silent("running"), step=TO_ITS_END + "\n    timeout: 20s", came=UNKNOWN),
        ),
    ),
    Breakage(
        what="No answer, and the job needs the result",
        effect="`once`",
        log="one start of ours: done",
        does="asks for the result, which the log does not have",
        ways=(
            *(Way(site=silent("done"), step=step, came=UNKNOWN) for step in NEEDED),
            Way(site=silent("done"), step=NEEDED_LATER, rest="outputs: {out: steps.a.result}", came=UNKNOWN),
        ),
    ),
    Breakage(
        what="No answer",
        effect="`once`",
        log="no start, in three readings over 15 s",
        does="never repeats it: a start may still appear",
        ways=(Way(site=LOST, step=ONCE, came=UNKNOWN),),
    ),
    Breakage(
        what="No answer",
        effect="`once`",
        log="several starts, or nobody knows whose; it is not to be read (`verify: none`), or cannot be",
        does="does not guess, never repeats it",
        ways=(
            Way(site=World(answers=[unanswered()], log=refused(403)), step=ONCE, came=UNKNOWN),
            Way(site=World(answers=[unanswered()], log=unanswered()), step=ONCE, came=UNKNOWN),
            Way(site=silent("done"), step=f"{ONCE}\n    verify: none", came=UNKNOWN),
            Way(site=World(answers=[unanswered()], crowd=["done"], owner=None), step=ONCE, came=UNKNOWN),
            Way(site=World(answers=[unanswered()], owner=None), step=ONCE, came=UNKNOWN),
        ),
    ),
    Breakage(
        what="Nothing, it seems: the call is answered with 200",
        effect="any",
        log="failed or cancelled",
        does="believes the log",
        ways=tuple(
            Way(site=World(answers=["a value"], statuses=[status]), step=step, came=LOG_SAYS_FAILED)
            for status in ("error", "cancelled")
            for step in (*ANY, NEEDED_LATER)
        ),
    ),
    Breakage(
        what="The call is answered with nothing, and the site lists no process of this code",
        effect="any",
        log="shows no row of the call",
        does="does not believe the answer",
        ways=(
            Way(site=Unlisted(never_begun=frozenset({1})), step=ONCE, came=UNKNOWN),
            Way(site=Unlisted(never_begun=frozenset({1})), step=READ, came=ERROR),
        ),
    ),
    Breakage(
        what="The process log, while calls are answered",
        effect="any",
        log="cannot be read, or shows no row of the call",
        does="goes on with a warning (with `verify: log` it does not)",
        ways=tuple(
            Way(site=site, step=step, came=NOT_VERIFIED)
            for site in (World(log=refused(403)), World(log=unanswered()), World(late_rows=9))
            for step in ANY
        ),
    ),
    Breakage(
        what="The runner is killed while a call is under way, and resumed",
        effect="`once`",
        log="is read as if there had been no answer",
        does="never repeats it",
        ways=(
            Way(site=World(), step=ONCE, meanwhile=Meanwhile.KILLED, came=INFERRED),
            Way(site=World(statuses=["error"]), step=ONCE, meanwhile=Meanwhile.KILLED, came=INFERRED_FAILED),
            Way(site=LOST, step=ONCE, meanwhile=Meanwhile.KILLED, came=UNKNOWN),
        ),
    ),
    Breakage(
        what="The runner is killed while a call is under way, and resumed",
        effect="`idempotent`, `read`",
        log="is read for the verdict",
        does="makes the call again",
        ways=tuple(
            Way(site=site, step=step, meanwhile=Meanwhile.KILLED, came=replace(came, sent=2))
            for site, came in ((LOST, PASSED), (World(), NOT_VERIFIED))
            for step in REPEATABLE
        ),
    ),
    Breakage(
        what="A signal (Ctrl-C, SIGTERM) while a call is under way, which is answered within the grace",
        effect="`once`",
        log="is read once",
        does="judges the step, then goes to `undo` and `finally`",
        ways=(
            Way(site=World(), step=THEN_MORE, meanwhile=Meanwhile.SIGNAL, came=stopped(PASSED)),
            Way(
                site=World(statuses=["error"]),
                step=THEN_MORE,
                meanwhile=Meanwhile.SIGNAL,
                came=stopped(LOG_SAYS_FAILED),
            ),
            Way(site=LOST, step=THEN_MORE, meanwhile=Meanwhile.SIGNAL, came=stopped(UNKNOWN)),
        ),
    ),
    Breakage(
        what="A signal, and the grace or a second Ctrl-C ends before the answer",
        effect="`once`",
        log="is not asked",
        does="sends nothing more, writes the reports",
        ways=(
            Way(site=World(), step=THEN_MORE, meanwhile=Meanwhile.GRACE_OVER, came=stopped(UNKNOWN)),
            Way(site=LOST, step=THEN_MORE, meanwhile=Meanwhile.GRACE_OVER, came=stopped(UNKNOWN)),
        ),
    ),
    Breakage(
        what="The job's `timeout` ends while a call is under way",
        effect="`once`",
        log="is read once more",
        does="judges the step, then goes to `undo` and `finally`",
        ways=(
            Way(site=World(needs=SLOW), step=THEN_MORE, rest=CUT, came=late(INFERRED)),
            Way(site=World(needs=SLOW, statuses=["error"]), step=THEN_MORE, rest=CUT, came=INFERRED_FAILED),
            Way(site=World(needs=SLOW, lost=True), step=THEN_MORE, rest=CUT, came=UNKNOWN),
        ),
    ),
    Breakage(
        what="The disk is full when the answer comes",
        effect="`once`",
        log="is not asked: it could not be written down",
        does="sends nothing more; `resume` asks the log",
        ways=(Way(site=World(), step=ONCE, meanwhile=Meanwhile.DISK_FULL, came=UNKNOWN),),
    ),
)

if __name__ == "__main__":
    sys.stdout.write(table())
