"""The two ways in which an expression goes wrong: it cannot be read, or it cannot be worked out."""

from msgspec.structs import replace

from runner.expressions.names import Name
from runner.foundation.problems import Finding


class TemplateProblem(Exception):  # noqa: N818  it becomes a `Problem` of the file that holds the text
    """A text that is no template or expression of ours, found when it is parsed.

    `name` is the wrong part, None the whole; `line` counts from 0. `others` are further problems, `names` what it uses.
    """

    def __init__(
        self, code: str, message: str, *, hint: str | None = None, name: str | None = None, line: int = 0
    ) -> None:
        super().__init__(message)
        self.finding = Finding(code=code, message=message, hint=hint, part=name, line=line)
        self.others: tuple[TemplateProblem, ...] = ()
        self.names: tuple[Name, ...] = ()

    def move(self, lines: int) -> None:
        """Move it `lines` lines down, into the text around the parsed text."""
        self.finding = replace(self.finding, line=self.finding.line + lines)
        self.names = tuple(replace(name, line=name.line + lines) for name in self.names)
        for other in self.others:
            other.move(lines)


class EvaluationError(Exception):
    """An expression that met a value it cannot work with: it names kinds and places, perhaps a key or a pattern."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def without_values(self, source: str) -> "EvaluationError":
        """The same, with nothing that is not in the text `source`, which works with a secret."""
        hint = self.hint if self.hint is not None and _is_of(source, self.hint) else None
        if _is_of(source, self.message):
            return EvaluationError(self.message, hint=hint)
        message = f"`{source.strip()}` cannot be worked out; why is not shown, since it works with a secret"
        return EvaluationError(message, hint=hint)


def _is_of(source: str, sentence: str) -> bool:
    """Whether all that `sentence` quotes is in `source`."""
    quoted = sentence.split("`")
    return '"' not in sentence and len(quoted) % 2 == 1 and all(part in source for part in quoted[1::2])
