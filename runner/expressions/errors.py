"""The two ways in which an expression goes wrong: it cannot be read, or it cannot be worked out."""

from msgspec.structs import replace

from runner.expressions.names import Name
from runner.foundation.problems import Finding

_CUT = "YAML may have cut the text at ` #`, or at a comma inside `[ ]`: put the whole text in quotes"


class TemplateProblem(Exception):  # noqa: N818  it becomes a `Problem` of the file that holds the text
    """A text that is no template, or no expression, of ours; found when it is parsed, before anything is sent.

    `line` counts from 0 within the text that was parsed. `name` is the part of the text that is wrong, so that its
    place can be found, or None for the whole. `others` are further problems of the same text, `names` what it uses.
    `may_be_cut`: YAML may have cut the text.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str | None = None,
        name: str | None = None,
        line: int = 0,
        may_be_cut: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = _CUT if may_be_cut else hint
        self.may_be_cut = may_be_cut
        self.name = name
        self.line = line
        self.others: tuple[TemplateProblem, ...] = ()
        self.names: tuple[Name, ...] = ()

    @property
    def finding(self) -> Finding:
        """Of a guess at what YAML has done no hint is left: whoever knows the file knows better."""
        hint = None if self.may_be_cut else self.hint
        return Finding(code=self.code, message=self.message, hint=hint, part=self.name, line=self.line)

    def moved(self, lines: int) -> "TemplateProblem":
        """The same problem, for a text in which the parsed text begins `lines` lines further down."""
        line = self.line + lines
        moved = TemplateProblem(
            self.code, self.message, hint=self.hint, name=self.name, line=line, may_be_cut=self.may_be_cut
        )
        moved.others = tuple(other.moved(lines) for other in self.others)
        moved.names = tuple(replace(name, line=name.line + lines) for name in self.names)
        return moved


class EvaluationError(Exception):
    """An expression that met a value it cannot work with. It names kinds and places of values, never their content."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
