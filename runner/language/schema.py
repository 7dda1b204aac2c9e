"""A document against the schema of its language; every violation becomes a problem at its place."""

from runner.foundation.problems import Problem
from runner.json_schema import schemas
from runner.language.kinds import other_kind
from runner.reading.document import Document


def check(document: Document, name: str) -> tuple[Problem, ...]:
    """What does not fit the schema called `name`, `job`, `targets` or `process`, in the order of the file."""
    return read(document, name)[0]


def read(document: Document, name: str) -> tuple[tuple[Problem, ...], Document]:
    """What does not fit, and the document with misspelt names mended, for those who check it further."""
    violations = schemas.shipped(name).violations(document.data)
    if not violations:
        return (), document
    other = other_kind(document, name)
    if other is not None:
        return (other,), document
    from runner.language.findings import misfits  # noqa: PLC0415  3 ms, for a mistake only

    return misfits(violations, document, name)
