"""How a step can end. Apart from the events, which a check of what is compared with a status does not need."""

from enum import StrEnum
from typing import Final


class Status(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


RED: Final = (Status.UNKNOWN, Status.ERROR, Status.FAILED)  # what did not pass, the worst first
WORST_FIRST: Final = (*RED, Status.PASSED, Status.SKIPPED)


RUNNING = "running"  # in the place of the status of a run: it has not ended
