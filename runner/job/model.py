"""The records of a job. After loading, dicts are gone: this is what the rest of the program knows of a file.

Texts that may hold `{{ }}`, and expressions, stay text: `runner.expressions` parses them, once per text.
Times are seconds. Nothing here checks anything; `runner.lint` has done so before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from runner.foundation.values import Json, JsonObject

CLEANUP_SECONDS = 300.0
SINCE_RUN = "run"
"""Since the run began: what a `failures` counts where it says nothing else."""
EVERY = 1.0
MAX_EVERY = 10.0
"""Seconds between the first looks of a step that waits, and the most between two."""


class StepEffect(StrEnum):
    """What a step may do to the site: the licence to repeat it, or not."""

    ONCE = "once"
    IDEMPOTENT = "idempotent"
    READ = "read"


class RetryOn(StrEnum):
    NOT_SENT = "not_sent"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    EXPECTATION = "expectation"


class Verify(StrEnum):
    AUTO = "auto"
    LOG = "log"
    NONE = "none"


class OnFailure(StrEnum):
    STOP = "stop"
    CONTINUE = "continue"
    IGNORE = "ignore"


class Decode(StrEnum):
    AUTO = "auto"
    TEXT = "text"


class Until(StrEnum):
    STARTED = "started"
    DONE = "done"


class WaitFor(StrEnum):
    """What a `wait` waits for: the good end, any end, or that the process waits for a person."""

    COMPLETED = "completed"
    ENDED = "ended"
    PARKED = "parked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    max_attempts: int = 3
    initial: float = 1.0
    factor: float = 2.0
    max: float = 30.0
    jitter: float = 0.2
    on: frozenset[RetryOn] = frozenset({RetryOn.NOT_SENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """`that` is an expression; `message` a template for people, or None."""

    that: str
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaExpectation:
    """`result` must fit this JSON Schema."""

    schema: JsonObject | bool
    message: str | None = None


Expected: TypeAlias = Expectation | SchemaExpectation


@dataclass(frozen=True, slots=True, kw_only=True)
class Execute:
    process: str
    parameters: Mapping[str, Json] = field(default_factory=dict)
    result: str | None = None
    required: bool = False
    decode: Decode = Decode.AUTO
    until: Until = Until.STARTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An element of one running process by its name: `of` is the process's id, or a template that gives it.

    `name` is a caption, a code or the id of the design, or a template. Looks grow from `every` to `max_every` seconds.
    """

    of: str
    name: str
    every: float = EVERY
    max_every: float = MAX_EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """`which` is the id of an element of one instance, a GUID or a template, or says how it is found.

    `parameters` is None where the element is only executed.
    """

    which: str | Named
    parameters: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Elements:
    items: tuple[Element, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """RunProcess, with its verdict by the process's id. `results` are codes of parameters; `version` is the number of
    the one that runs, active or not, where it is not left to the site.
    """

    process: str
    version: int | None = None
    parameters: Mapping[str, Json] = field(default_factory=dict)
    results: tuple[str, ...] = ()
    until: Until = Until.DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Follows a process. `process_id` is a GUID or a template; looks grow from `every` to `max_every` seconds apart."""

    process_id: str
    wanted: WaitFor = WaitFor.COMPLETED
    every: float = EVERY
    max_every: float = MAX_EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Ends one process that runs or is in error. `process_id` is a GUID or a template."""

    process_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """Watches for `seconds` that no more than `at_most` instances fail of the processes that match one of the patterns.

    `since` is `SINCE_RUN`, the id of a step, a moment with its time zone, or a template that gives one.
    """

    processes: tuple[str, ...]
    since: str = SINCE_RUN
    seconds: float = 0.0
    at_most: int = 0


class Change(StrEnum):
    """What happens to a record."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Changes one record, and follows the process that this starts, by its code; None where none is followed.

    `id` is a GUID or a template; None for a new record that names none: the run chooses it.
    """

    change: Change
    entity: str
    id: str | None = None
    values: Mapping[str, Json] = field(default_factory=dict)
    starts: str | None = None
    until: Until = Until.DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Reads records through OData. `filter` is a template; more than `top` records are an error."""

    entity: str
    filter: str | None = None
    select: tuple[str, ...] = ()
    orderby: tuple[str, ...] = ()
    top: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class IncludedJob:
    """Another job, carried out in the place of this step; nothing of the including job is visible in it."""

    job: "Job"
    inputs: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """A person says yes, or the step fails. `text` is a template."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    seconds: float


Action: TypeAlias = (
    Execute | Element | Elements | Run | Wait | Cancel | Failures | Signal | Query | IncludedJob | Confirm | Pause
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """What takes a passed step back, in order. `alone`: written as one action, so that its row has no id of its own."""

    steps: "tuple[Step, ...]"
    alone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. `line` is where it begins in its file.

    `timeout` is of one attempt, None where neither step nor job says one. `follow` bounds following a process in the
    log: the step's own `timeout` where one is written, else 600 s. `for_each` is an expression, or a list whose items
    may hold templates; None where the step is carried out once.
    """

    id: str | None = None
    name: str | None = None
    help: str | None = None
    condition: str
    effect: StepEffect
    retry: Retry = Retry()
    timeout: float | None = None
    follow: float = 600.0
    verify: Verify = Verify.AUTO
    expect: tuple[Expected, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    secret: bool = False
    on_failure: OnFailure = OnFailure.STOP
    action: Action
    for_each: "str | list[Json] | None" = None
    undo: Undo | None = None
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """`schema` is the JSON Schema of the value, without `secret` and `default`; `required` where no default is."""

    name: str
    schema: JsonObject
    secret: bool = False
    required: bool = True
    default: Json = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One set of inputs, by a unique name."""

    name: str
    inputs: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`cases` is None where the job has none, and then it is one run.

    `vars` are in the order in which they are worked out; `final_steps` are those under `finally`.
    `timeout` bounds the steps, `cleanup_timeout` undo and `finally` together, in seconds of the run's active time.
    `moments` are the ids of the steps since which a `failures` counts, and `SINCE_RUN` where one counts since then,
    also in an included job.
    `concurrency` names a lock: runs with one name against one site do not overlap.
    """

    name: str
    file: str
    description: str | None = None
    help: str | None = None
    tags: tuple[str, ...] = ()
    target: str | None = None
    timeout: float | None = None
    cleanup_timeout: float = CLEANUP_SECONDS
    concurrency: str | None = None
    inputs: tuple[Input, ...] = ()
    cases: tuple[Case, ...] | None = None
    vars: Mapping[str, Json] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    final_steps: tuple[Step, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    moments: frozenset[str] = frozenset()
