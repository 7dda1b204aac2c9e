"""What speaks against a value: that it is never taken, or that not every server takes it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """`is_certain`: no server takes it. Else some may, in one culture or another; `hint` is what all take."""

    hint: str | None = None
    is_certain: bool = True


def never(hint: str | None = None) -> Doubt:
    return Doubt(hint=hint)


def may_be(hint: str | None = None) -> Doubt:
    return Doubt(hint=hint, is_certain=False)
