"""Texts that a test expects, in files beside it. `pytest --update` writes them anew: read the difference then."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedTexts:
    update: bool

    def check(self, file: Path, text: str) -> None:
        """Fails where `file` does not hold exactly `text`; with `update`, writes it there instead."""
        if self.update:
            file.write_text(text, encoding="utf-8", newline="")
        expected = file.read_bytes().decode() if file.exists() else f"no {file.name} yet: run `pytest --update`"
        assert text == expected
