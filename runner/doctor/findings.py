"""What was found at a step of the way to a site."""

from enum import StrEnum

from msgspec import Struct


class WayVerdict(StrEnum):
    """`unsure`: the site's answer does not say. `not_tried`: a step before it failed, or there is nothing to try."""

    OK = "ok"
    UNSURE = "unsure"
    FAILED = "failed"
    NOT_TRIED = "not tried"


class WayFinding(Struct, frozen=True, kw_only=True):
    """`seen` is what was seen or what failed, `hint` what to try. Texts of the site are in both."""

    step: str
    verdict: WayVerdict
    seen: str
    hint: str | None = None


def ok(step: str, seen: str) -> WayFinding:
    return WayFinding(step=step, verdict=WayVerdict.OK, seen=seen)


def unsure(step: str, seen: str, hint: str | None) -> WayFinding:
    return WayFinding(step=step, verdict=WayVerdict.UNSURE, seen=seen, hint=hint)


def failed(step: str, seen: str, hint: str | None) -> WayFinding:
    return WayFinding(step=step, verdict=WayVerdict.FAILED, seen=seen, hint=hint)


def not_tried(step: str, why: str) -> WayFinding:
    return WayFinding(step=step, verdict=WayVerdict.NOT_TRIED, seen=why)
