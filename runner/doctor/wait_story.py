"""What was seen of a site while it was waited for: its states in plain words, each with its time."""

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct, field

from runner.doctor.readiness import Look, Outcome, Phase
from runner.foundation.durations import written
from runner.foundation.problems import Problem
from runner.foundation.sentences import many
from runner.reports.drift import side_by_side
from runner.reports.safe import padded, width
from runner.targets.model import Readiness

_MOST_STATES: Final = 20
_UNEVENTFUL: Final = frozenset({Phase.ROWS, Phase.READY})


class Story(Struct, kw_only=True):
    """`states`: those of the site, and after how many seconds each began; `outcome`: None while it is waited for."""

    name: str
    wanted: Readiness
    catalogue: str = ""
    mask: Callable[[str], str] = str
    states: list[tuple[float, Look]] = field(default_factory=list)
    outcome: Outcome | None = None

    def see(self, look: Look, seconds: float) -> bool:
        """Take a look after so many seconds; whether it is new, and people want to know it."""
        is_new = not look.is_like(self.last)
        if is_new:
            self.states.append((seconds, look))
        return is_new and look.phase not in _UNEVENTFUL

    @property
    def last(self) -> Look | None:
        return self.states[-1][1] if self.states else None

    def now(self, seconds: float) -> str:
        """What it waits for, after so many seconds."""
        last = "no answer yet" if self.last is None else self._words(self.last)
        return f"waiting for {self.name}, {_elapsed(seconds)} so far: {last}"

    def _words(self, look: Look) -> str:
        match look.phase:
            case Phase.READY:
                return "ready"
            case Phase.ROWS:
                return "it answers with rows, and is asked once more"
            case Phase.OTHER:
                return self._differences(look)
            case _:
                return self.mask(look.trouble.message) if look.trouble is not None else "no answer"

    def transcript(self, seconds: float) -> Iterator[str]:
        """How it went, a line each; `seconds` is how long it was waited for."""
        if self.outcome is Outcome.READY:
            yield f"{self.name} is ready after {_elapsed(self.states[-1][0])}"
        else:
            yield f"{self.name} is not ready after {_elapsed(seconds)}"
        if any(look.phase not in _UNEVENTFUL for _, look in self.states):
            yield from self._times()

    def problem(self) -> Problem | None:
        """Why nothing is sent, where the wait ended by itself and not well."""
        if self.outcome in (None, Outcome.READY, Outcome.STOPPED) or self.last is None:
            return None
        look, words = self.last, self._words(self.last)
        hint = self.mask(look.trouble.hint) if look.trouble is not None and look.trouble.hint else None
        if self.outcome is Outcome.REFUSED:
            return Problem(code="E318", message=f"the wait for {self.name} is given up: {words}", hint=hint)
        if self.outcome is Outcome.HOPELESS and look.trouble is not None:
            return Problem(code=look.trouble.code, message=words, hint=hint)
        if look.phase is Phase.OTHER:
            hint = hint or f"`runner catalog check -t {self.name} --against {self.catalogue}` shows all differences"
        message = f"{self.name} was not ready within {written(self.wanted.longest)}: {words}"
        return Problem(code="E317", message=message, hint=hint)

    def _differences(self, look: Look) -> str:
        first = side_by_side(look.differences[0], before=self.catalogue, after="the site")
        rest = len(look.differences) - 1
        more = f" (and {many(rest, 'more difference')})" if rest else ""
        return self.mask(f"it is not as {self.catalogue} says: {first}{more}")

    def _times(self) -> Iterator[str]:
        """The states with their times; of very many the first and the last."""
        rows = [(_elapsed(at), self._words(look)) for at, look in self.states]
        cells = max(width(at) for at, _ in rows)
        lines = [f"  {padded('', cells - width(at))}{at}  {words}" for at, words in rows]
        half, more = _MOST_STATES // 2, len(lines) - _MOST_STATES
        yield from lines if more <= 0 else (*lines[:half], f"  ... {more} more ...", *lines[-half:])


def _elapsed(seconds: float) -> str:
    return written(round(seconds)) if round(seconds) else "0 s"
