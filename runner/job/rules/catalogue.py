"""The processes that a job names against those that its target is known to have.

The service drops an unknown parameter without a word, and gives null for an unknown result [D][M]: what it would not
tell is told here. What a target has is handed in; where it comes from is not known here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runner.documents.document import Document
from runner.job.outline import Written, outline
from runner.problems import Problem
from runner.raw import items, record
from runner.values import JsonObject, Path
from runner.words import suggest

_STARTS = ("execute", "run")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The parameters of one process, by their codes; case matters [M]. `internal` ones are in neither."""

    takes: frozenset[str]
    gives: frozenset[str]


def check(document: Document, catalogue: Mapping[str, Signature], *, target: str) -> tuple[Problem, ...]:
    """Every process, parameter and result of the document that `target` does not have."""
    steps = outline(record(document.data)).steps
    return tuple(problem for step in steps for problem in _step(document, step, catalogue, target=target))


def _step(document: Document, step: Written, catalogue: Mapping[str, Signature], *, target: str) -> Iterator[Problem]:
    for key in _STARTS:
        fields = record(step.fields.get(key))
        code = fields.get("process")
        if not isinstance(code, str) or "{{" in code:
            continue
        path = (*step.path, key)
        signature = catalogue.get(code)
        if signature is None:
            message = f"target `{target}` has no process `{code}`"
            hint = _meant(code, catalogue) or f"it has {_listed(catalogue)}"
            yield document.problem("E144", message, path=(*path, "process"), hint=hint)
        else:
            yield from _parameters(document, fields, path, code=code, signature=signature)


def _parameters(
    document: Document, fields: JsonObject, path: Path, *, code: str, signature: Signature
) -> Iterator[Problem]:
    for name in record(fields.get("parameters")):
        if name not in signature.takes:
            what = "gives" if name in signature.gives else "has no parameter"
            message = f"`{code}` {what} `{name}`" + (", and does not take it" if what == "gives" else "")
            hint = _meant(name, signature.takes) or _takes(signature)
            at = (*path, "parameters", name)
            yield document.problem("E145", message, path=at, at_key=True, hint=hint)
    for at, name in _results(fields, path):
        if name not in signature.gives:
            what = "takes" if name in signature.takes else "has no parameter"
            message = f"`{code}` {what} `{name}`" + (", and does not give it" if what == "takes" else "")
            hint = _meant(name, signature.gives) or _gives(signature)
            yield document.problem("E146", message, path=at, hint=hint)


def _results(fields: JsonObject, path: Path) -> Iterator[tuple[Path, str]]:
    result = fields.get("result")
    if isinstance(result, str):
        yield (*path, "result"), result
    for index, name in enumerate(items(fields.get("results"))):
        if isinstance(name, str):
            yield (*path, "results", index), name


def _meant(word: str, known: Mapping[str, Signature] | frozenset[str]) -> str | None:
    near = suggest(word, sorted(known))
    return f"did you mean `{near}`?" if near else None


def _takes(signature: Signature) -> str:
    return f"it takes {_listed(signature.takes)}" if signature.takes else "it takes no parameters"


def _gives(signature: Signature) -> str:
    return f"it gives {_listed(signature.gives)}" if signature.gives else "it gives no results"


def _listed(names: Mapping[str, Signature] | frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "none"
