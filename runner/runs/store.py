"""What stores runs: the only interface to events, plans, results, reports, history, and other runs.

`runner.runs.files` implements it in files, also for what is of this machine alone: locks, uses of plans, sandboxes.
`runner.fleet` implements it in PostgreSQL. "Durable" survives a loss of power; "safe from a kill" survives this
process. Ids of runs sort by time. A method that cannot do what it promises raises `StoreError`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from pathlib import Path
from typing import ClassVar, Protocol

from msgspec import Struct, field, to_builtins
from msgspec.structs import force_setattr

from runner.foundation.discreet import Discreet
from runner.foundation.problems import Problem
from runner.foundation.site_key import normalized_url
from runner.foundation.values import Json
from runner.runs import StoreName
from runner.runs.evidence import LockHolder


class StoreError(Exception):
    """Something is not stored, or cannot be read. No further call may be sent. `hint`: what mends it, or empty."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class NotReachedError(StoreError):
    """The store cannot be reached at the moment: the same command does it later."""


class RunLockedError(Exception):
    """Another process writes the events of this run."""


class Part(Enum):
    """What is stored of a run. A `RunLog` writes `EVENTS`, from which the reports can be drawn again."""

    EVENTS = "events.jsonl"
    PLAN = "plan.json"
    PLANNED = "planned.json"  # what its command was to begin; a loss of power may take it away
    REPORT = "report.json"
    JUNIT = "junit.xml"
    PAGE = "report.html"


class FencedError(StoreError):
    """Another process has opened the run since. Nothing of it may be sent or written here any more."""


class RunLog(Protocol):
    """The events of a run, open for writing by a process, until it closes them, ends, or is fenced out."""

    def append(self, line: bytes, *, durable: bool) -> None:
        """Add a line, given without its line end. `durable` are this line and all before it. Raises `FencedError`, too.

        Each line is safe from a kill at the latest after `commit`; a kill leaves a prefix, perhaps with a torn last
        line. After an error nothing may be appended.
        """

    def sync_run(self) -> None:
        """Have on disk that there is this run, and its plan. Its lines need not be."""

    def commit(self) -> None:
        """Make all lines safe from a kill, where they are not yet. Raises `FencedError`, too."""

    def check_fence(self) -> None:
        """Raise `FencedError` where another process has opened the run since; what was known 2 s ago will do."""

    def drop_torn_line(self) -> None:
        """Take away the last line, which was stored in part. Durable."""

    def put_result(self, name: str, content: bytes) -> None:
        """Store a result that is too large for a line under its SHA-256, once. Durable with the next line that is."""

    def result(self, name: str) -> bytes:
        """Read what is stored under `name`, unchecked."""

    def close(self) -> None:
        """Let others write the run."""


class OwnedRows(Protocol):
    """Which rows of process logs belong to which calls; it outlives the runs. A row belongs to a single call."""

    def begin(self, key: str, process: str, *, seconds: float, is_read: bool = True) -> None:
        """A start of the row `key` is about to be sent, for up to `seconds`. Safe from a kill.

        `is_read`: the log will be read for its row, or, of a `once` call, a copy of events that lacks it must be known.
        Others may be stored together until `flush`.
        """

    def leave(self, key: str) -> None:
        """The last start of the row leaves now: where that was long after `begin`, its time has begun only now."""

    def time_out(self, key: str) -> None:
        """Nobody answered the row's last start: if its time was over before, it begins only now."""

    def answer(self, key: str) -> None:
        """The last start of the row was answered, or judged. Others see it as under way until this is stored."""

    def queue(self, key: str) -> None:
        """The last start of the row was answered as queued: it may begin within the next hour."""

    def never_began(self, key: str, *, is_certain: bool = True) -> None:
        """The last start of the row has begun nothing; if that is not certain, it counts as `SET_ASIDE` until now."""

    def flush(self) -> None:
        """Store at once what would be stored later."""

    def sent(self) -> "SentStarts":
        """The calls that are stored, but for those that certainly began nothing. Raises `StoreError`."""

    def ask(self, query: "RowQuery") -> "Others":
        """Raises nothing: what is not known may be anybody's. Starts with a row of `before` lack none now."""


class SharedTurns(Protocol):
    """Turns on a site that other programs take, too: of a thread at a time, and over with its program at last."""

    handed_on: dict[str, bool]
    """By process, whether this program had the turn before, and nobody else since."""

    def take(self, process: str, holder: LockHolder | None) -> bool:
        """Take a turn; False where another program has it, and may need it. Also True where turns are not shared."""

    def holder(self, process: str) -> LockHolder | None:
        """Who has the turn that could not be taken."""

    def extend(self, process: str, *, seconds: float) -> None:
        """Keep the turn for so many seconds more: a call is sent, or waits, for so long."""

    def give_back(self, process: str) -> None: ...


SET_ASIDE = "?"  # before the process of a start that was refused, and of which the log showed no row


class RowQuery(Struct, frozen=True, kw_only=True):
    """Which of `rows` do other calls own? The call of `key` may have made them."""

    key: str
    codes: tuple[str, ...]  # of all versions of the process
    rows: tuple[str, ...] = ()  # ids of processes
    keys: tuple[str, ...] | None = None  # rows that now own them, if there is no rival; None only asks
    certain: bool = False  # the ids prove it, so that no rival matters
    timed: bool = True  # the server's time excludes starts that are long over
    slack: float = 0.0  # the server's time was so many seconds less exact than usual
    before: tuple[tuple[str, float], ...] = ()  # our own earlier rows, and how many seconds ago they began
    before_read: float = 0.0  # how many seconds ago they were read


class SentStarts(Struct, frozen=True, kw_only=True):
    """How many `calls` of each row of a report were about to start a process; of each in `certain` a call was sent."""

    calls: Mapping[str, int] = field(default_factory=dict)
    certain: frozenset[str] = frozenset()


class Rival(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A start of another run that lacks its row."""

    run: str
    key: str = field(name="step")  # empty where nobody knows
    began: str  # in UTC, `…Z`
    until: str  # calls that begin later do not compete with it
    folder: str | None = None  # the other folder of runs, if known


class LostRows(Struct, frozen=True, kw_only=True):
    """What other folders here had started before `since`, UTC, is not known: their `file` was deleted or replaced."""

    file: str
    since: str


class Others(Struct, frozen=True, kw_only=True):
    """`taken`: rows of other calls. `rival`: another run, `by`, may have made the rest; `lost` says why else."""

    taken: tuple[str, ...] = ()
    of_nobody: tuple[str, ...] = ()  # those of `taken` that starts of several runs may have made, also of this
    rival: bool = False
    by: Rival | None = None
    lost: LostRows | None = None

    def answer(self, query: RowQuery) -> Json:
        """The answer for the engine and the journal."""
        found: dict[str, Json] = {"taken": [*self.taken], "rival": self.rival}
        if self.of_nobody:
            found["of_nobody"] = [*self.of_nobody]
        if query.keys is None:
            found["rows"] = [row for row in query.rows if row not in self.taken]
        if self.by is not None:
            found["by"] = to_builtins(self.by)
        elif self.lost is not None:
            found["lost"] = to_builtins(self.lost)
        return found


class Claim(Discreet, frozen=True, kw_only=True):
    """What is locked."""

    NOT_COMPARED: ClassVar = frozenset({"site"})

    name: str
    site: str  # a URL, or the folder of a sandbox, whose URL changes
    site_key: str = ""  # equal for all spellings of the site

    def __post_init__(self) -> None:
        force_setattr(self, "site_key", normalized_url(self.site))


class Holder(Struct, frozen=True, kw_only=True):
    """Who holds a lock. `since` is UTC, `…Z`; `job` is the title of the run, `command` what was typed."""

    pid: int
    run: str
    job: str
    since: str
    command: str


class Lock(Protocol):
    """A lock that is held until it is released, or the process ends."""

    def sign(self, holder: Holder) -> None:
        """Say who holds it from now on, for whoever finds it taken. Raises nothing."""

    def release(self) -> None:
        """Let go; once more does nothing."""


class Taken(Struct, frozen=True, kw_only=True):
    """Somebody else holds the lock; `holder` is None where it is not known who."""

    holder: Holder | None


class RerunUnderWay(Struct, frozen=True, kw_only=True):
    """What another command has claimed: a run, or a command, that it carries out once more."""

    claimed: str
    holder: Holder


class RunStore(Protocol):
    """All runs of a place. May be used by several threads and processes."""

    @property
    def name(self) -> StoreName:
        """How messages name the store, and `--runs` on a command line."""

    def prepare(self) -> None:
        """Make the store private and ready to take runs."""

    def close(self) -> None: ...

    def runs(self, *, since: str = "") -> list[str]:
        """The ids of the runs, the oldest first, also of those that may not be read; empty where there is no store.

        With `since`, of that run and those that began later. Raises `UsageError` where they cannot be listed.
        """

    def newest(self) -> Iterator[str]:
        """The same, the newest first, each found when it is asked for: who needs few does not wait for thousands."""

    def place(self, run: str, part: Part | None = None) -> str:
        """Where a person finds the run, or a part of it. Text for messages."""

    def create(self, run: str) -> RunLog:
        """Begin a run, which must be new, or be queued and not begun. Durable with the first line that is."""

    def reopen(self, run: str) -> RunLog:
        """Open a run to append to it. Raises `RunLockedError`; a store with a fence takes it from whoever has it."""

    def events(self, run: str) -> Iterator[bytes]:
        """The lines of a run as appended, with line ends: a last without is torn. May be read while it is written."""

    def ends(self, run: str) -> list[bytes]:
        """The first and the last whole line of a run, without their ends; the lines between them are not read."""

    def is_being_written(self, run: str) -> bool:
        """Whether some process has the run open for writing. False also where that cannot be known."""

    def seconds_silent(self, run: str) -> float | None:
        """Since when the process that has the run open is taken for dead; None where it is not, or nobody knows."""

    def is_command_under_way(self, run: str) -> bool:
        """Whether the command that began with `run` may still begin others. False also where that cannot be known."""

    def not_begun(self, name: str) -> Sequence[tuple[str, str]]:
        """The runs without events whose ids begin with `name`, or for `last` the newest, and why."""

    def get(self, run: str, part: Part) -> bytes:
        """Read a part. `EVENTS` are all lines that `events` gives."""

    def pieces(self, run: str, part: Part) -> Iterator[bytes]:
        """Read a part that may be large. What is stored in its place meanwhile is not in them."""

    def history(self) -> bytes:
        """The lines of the history of runs, each with its line end; empty where there is none. It outlives the runs."""

    def append_history(self, line: bytes) -> int:
        """Add a line, given without its line end; the bytes that the history has then. Safe from a kill."""

    def change_history(self, change: Callable[[bytes], bytes]) -> None:
        """Put `change` of the history in its place: no line is lost that is appended meanwhile. Durable."""

    def owned_rows(self, run: str, *, site: str, settle: float, is_new: bool = False) -> OwnedRows:
        """The rows as `run` sees them, none yet where it `is_new`. `site` is as `foundation.site_key` gives it."""


class RunOfPlan(Struct, frozen=True, kw_only=True):
    """A run that came of a stored plan, empty of a claim without any. `folder` is the folder that has it."""

    run: str
    folder: str | None = None


class LocalRunStore(RunStore, Protocol):
    """The runs of a machine, with what its commands share. Only here reports are stored beside the events."""

    def put(self, run: str, part: Part, content: str | Iterator[bytes]) -> None:
        """Store a part in place of an earlier part, safe from a kill; a plan is durable with the next durable line."""

    def delete(self, run: str) -> None: ...

    def hold_command(self, run: str) -> None:
        """Until the store is closed, or its process ends, the command that began with `run` is under way."""

    def turns(self, site: str) -> SharedTurns:
        """The turns at `site`, as `owned_rows` names it."""

    def lock(
        self, claim: Claim, holder: Holder, *, seconds: float = 0.0, wait: Callable[[float], bool]
    ) -> Lock | Taken:
        """Take a lock, for this process, and wait up to `seconds` by `wait`, which gives False to end that."""

    def claim_reruns(self, choose: Callable[[], Collection[str]], holder: Holder) -> RerunUnderWay | None:
        """Claim what `choose` gives until the store is closed; nothing where another has some. Nobody else chooses."""

    def claimed_reruns(self) -> AbstractContextManager[Sequence[RerunUnderWay]]:
        """What commands under way have claimed. None chooses as long as the context is open."""

    def claim_plan(self, key: str) -> bool:
        """Claim a stored plan for all folders of runs: the first command gets True. Durable; it outlives the runs."""

    def add_run_of_plan(self, key: str, run: str) -> None:
        """Note that `run` comes of a plan that was claimed. Durable."""

    def runs_of_plan(self, key: str) -> list[RunOfPlan] | None:
        """The runs of a plan in all folders of this user here, the oldest first; None of a plan that is not claimed."""

    def beside(self, folder: str) -> RunStore:
        """The runs in another folder that `runs_of_plan` named."""

    def release_plan(self, key: str) -> None:
        """Forget a claim that led to no run."""

    def warnings(self) -> tuple[Problem, ...]:
        """What failed that no run depends on, and that a person is to know: each once."""

    def sandbox_file(self, port: int, *, earlier: int | None) -> Path:
        """A private file for a sandbox: that of the port `earlier` if it is there, else a new file."""

    def delete_sandbox(self, file: Path) -> None: ...

    def delete_sandboxes(self, *, before: float) -> None:
        """Delete what sandboxes left that was last written before this moment, in seconds since the epoch."""
