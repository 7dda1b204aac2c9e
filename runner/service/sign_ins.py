"""Whether a sign-in may be tried: after a refusal it is not, since a few wrong tries lock an account."""

from typing import Protocol

from runner.service.calls import CallFailed
from runner.service.gate import Deadline


class SignIns(Protocol):
    """What is known of sign-ins with the same credentials at the same site. `begin` and `end` enclose each of them."""

    def begin(self, deadline: Deadline) -> CallFailed | None:
        """Why nobody may sign in now; None where the caller may."""

    def end(self, failure: CallFailed | None) -> None:
        """Learn how the sign-in ended that might begin."""

    def forget(self) -> None:
        """Let the next sign-in be tried, also after a refusal: for whoever counts refusals."""


class OwnSignIns:
    """The sign-ins of this program alone: a refusal is final."""

    def __init__(self) -> None:
        self._refusal: CallFailed | None = None

    def begin(self, deadline: Deadline) -> CallFailed | None:
        del deadline
        return self._refusal

    def end(self, failure: CallFailed | None) -> None:
        self._refusal = failure if failure is not None and is_refusal(failure) else None

    def forget(self) -> None:
        self._refusal = None


def is_refusal(failure: CallFailed) -> bool:
    """Whether to sign in again with the same credentials is no help."""
    return failure.final and not failure.unwanted
