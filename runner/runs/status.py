"""How a step can end. Apart from the events, which a check of what is compared with a status does not need."""

from enum import StrEnum


class Status(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


RUNNING = "running"  # in the place of the status of a run: it has not ended
