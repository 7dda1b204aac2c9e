"""A run that its worker has left: over, or parked and put back into the queue for whoever has time."""

import random
from dataclasses import dataclass

from procrastinate import retry
from procrastinate.jobs import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """How a run was left. `parked`: it is carried on later, by whoever has time, `seconds` from now at the earliest."""

    state: str
    queue: str | None = None
    seconds: float = 0.0


class ParkedError(Exception):
    """Hands a run back to the queue."""

    def __init__(self, left: Left) -> None:
        super().__init__(left.state)
        self.left = left


class Later(retry.BaseRetryStrategy):
    """Puts a run that was parked back into the queue, a little later each: of several none is first for ever."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> retry.RetryDecision | None:
        del job
        if not isinstance(exception, ParkedError):
            return None
        milliseconds = int(exception.left.seconds * 1000) + random.randrange(1000)  # noqa: S311  guards nothing
        return retry.RetryDecision(retry_in={"milliseconds": milliseconds}, queue=exception.left.queue)
