"""What a schema cannot say of a job: names, ids, effects, contradictions. Finds all mistakes in one pass.

A document that the schema has found faulty is checked as well, as far as it has the right shape.
"""

from collections.abc import Collection, Iterable

from runner.foundation.problems import Problem, in_order
from runner.foundation.raw import record
from runner.foundation.suggestions import did_you_mean
from runner.foundation.values import Path
from runner.job.outline import Outline, outline
from runner.lint.actions import check_durations
from runner.lint.inputs import check_inputs
from runner.lint.retry import check_preset, check_retry
from runner.lint.row_names import check_row_names
from runner.lint.scopes import after_all_steps, before_the_steps
from runner.lint.steps import check_step, expressions, read_step
from runner.lint.texts import Texts
from runner.reading.document import Document

_WHOLLY_WRONG = ("E104", "E106")
"""A value that was reported with one of these has nothing inside that is worth a word."""


def check(
    document: Document, *, reported: Collection[Problem] = (), known: Outline | None = None
) -> tuple[Problem, ...]:
    """Every mistake, in the order of the file; warnings too. What `reported` says already is not said again.

    `known` is the document's outline with the jobs that it includes; without it nothing is said of these.
    """
    if not isinstance(document.data, dict):
        return ()
    texts = Texts(document=document, known=known or outline(document.data))
    _read_job(texts)
    preset = record(document.data.get("defaults"))
    undone = None
    for step in texts.known.steps:
        undone = undone if step.undo is not None and undone else step
        read_step(step, undone=undone, texts=texts)
        check_step(step, preset=preset, texts=texts)
        check_retry(step, texts)
    check_preset(preset, texts)
    check_durations(document.data, (), texts)
    check_durations(preset, ("defaults",), texts)
    _ids(texts)
    check_row_names(texts)
    return _news(texts.problems, reported)


def names_unique(documents: Iterable[Document]) -> tuple[Problem, ...]:
    """Jobs of one command that have one name: the mistake stands in the second."""
    first: dict[str, str] = {}
    found = []
    for document in documents:
        name = record(document.data).get("name")
        if isinstance(name, str) and first.setdefault(name, document.file) != document.file:
            message = f"two jobs are called `{name}`: this one and {first[name]}"
            found.append(document.problem("E111", message, path=("name",), hint="give one of them another name"))
    return tuple(found)


def target_known(document: Document, targets: Collection[str]) -> tuple[Problem, ...]:
    """The job's `target` is one of `targets`; a job without one is fine."""
    name = record(document.data).get("target")
    if not isinstance(name, str) or name in targets:
        return ()
    if "://" in name:
        hint = "a target is a name: its `url` stands under this name in targets.yaml"
        return (document.problem("E141", f"unknown target `{name}`", path=("target",), hint=hint),)
    hint = did_you_mean(name, targets) or _listed(targets)
    return (document.problem("E141", f"unknown target `{name}`", path=("target",), hint=hint),)


def _read_job(texts: Texts) -> None:
    """Read the texts of the job itself; those of its steps are read step by step."""
    for key, value in record(texts.document.data).items():
        match key:
            case "inputs":
                check_inputs(texts)
            case "vars":
                _vars(texts)
            case "outputs":
                expressions(value, ("outputs",), scope=after_all_steps(), texts=texts)
            case "steps" | "finally":
                pass
            case "cases" if isinstance(value, list):
                pass  # they are read where they are held against the inputs
            case _:
                texts.plain(value, (key,))


def _vars(texts: Texts) -> None:
    worked_out: set[str] = set()
    scope = before_the_steps(worked_out)
    for name, value in texts.known.vars.items():
        texts.value(value, ("vars", name), scope)
        worked_out.add(name)


def _ids(texts: Texts) -> None:
    """No id stands twice; the mistake stands at the second."""
    for step in texts.known.steps:
        name = step.fields.get("id")
        if isinstance(name, str) and texts.known.by_id[name].step is not step:
            line = texts.document.line_of((*texts.known.by_id[name].step.path, "id"))
            message = f"two steps are called `{name}`: this one and the one in line {line}"
            texts.report("E111", message, (*step.path, "id"), hint="give one of them another id")


def _news(found: list[Problem], reported: Collection[Problem]) -> tuple[Problem, ...]:
    """What of `found` is not said in `reported`, in the order of the file."""
    exact = {problem.path for problem in reported}
    whole = {problem.path for problem in reported if problem.code in _WHOLLY_WRONG}
    news = [problem for problem in found if problem.path not in exact and not _is_inside(problem.path, whole)]
    return in_order(dict.fromkeys(news))


def _is_inside(path: Path, whole: Collection[Path]) -> bool:
    return bool(whole) and any(path[:length] in whole for length in range(1, len(path)))


def _listed(names: Collection[str]) -> str:
    return f"the targets are {', '.join(f'`{name}`' for name in sorted(names))}" if names else "there are no targets"
