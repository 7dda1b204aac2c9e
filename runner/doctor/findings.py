"""What was found at one step of the way to a site."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """`unsure`: the site answered, and its answer does not tell. `not_tried`: a step before it failed, or there is
    nothing to try.
    """

    OK = "ok"
    UNSURE = "unsure"
    FAILED = "failed"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`told` is what was seen or what failed, `hint` what to try. Texts of the site stand in both."""

    step: str
    verdict: Verdict
    told: str
    hint: str | None = None


def ok(step: str, told: str) -> Finding:
    return Finding(step=step, verdict=Verdict.OK, told=told)


def unsure(step: str, told: str, hint: str | None) -> Finding:
    return Finding(step=step, verdict=Verdict.UNSURE, told=told, hint=hint)


def failed(step: str, told: str, hint: str | None) -> Finding:
    return Finding(step=step, verdict=Verdict.FAILED, told=told, hint=hint)


def not_tried(step: str, why: str) -> Finding:
    return Finding(step=step, verdict=Verdict.NOT_TRIED, told=why)
