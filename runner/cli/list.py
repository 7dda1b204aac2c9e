"""`runner list`: which jobs there are, and what each takes. It sends nothing, and reads no secret."""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from runner.cli import ignored_files, meant, options, output
from runner.cli.verb import Verb
from runner.foundation.problems import ExitCode
from runner.foundation.values import JsonObject, compact
from runner.job.model import Input, Job
from runner.project.project import Project, open_project
from runner.reports import mistakes
from runner.reports.cells import padded, width
from runner.reports.safe import safe, safe_json

FORMAT = 1


@click.command("list", cls=Verb)
@options.SPECS
@options.RECURSIVE
@options.TARGETS
@options.form()
@click.pass_context
def command(context: click.Context, /, **_: object) -> int:
    r"""List the jobs in SPEC: their names, tags, targets and cases, and the inputs that they take.

    \b
    Examples:
      runner list specs
      runner list specs --format json | jq -r '.jobs[].name'

    Exit 0, 2 where a file has mistakes (they are told, and the other jobs are listed), 5 where there is no job.
    """
    given = context.params
    meant.check(given["specs"], of_targets=False)
    recursive = given["recursive"]
    project = open_project(given["specs"], targets=given["targets"], environment=os.environ, recursive=recursive)
    ignored_files.tell(given["specs"], project, targets=given["targets"])
    jobs = [file.job for file in project.files if file.job is not None]
    is_json = given["form"] == "json"
    output.data(as_json(jobs) if is_json else as_text(jobs), for_programs=is_json)
    return _told(project, given["specs"])


def _told(project: Project, specs: Sequence[Path]) -> ExitCode:
    output.say_lines(mistakes.text(project.problems) + ignored_files.in_folders_below(specs, project))
    if project.errors:
        output.say(mistakes.count(project.problems))
        return ExitCode.INVALID
    if not project.files:
        output.say(ignored_files.no_jobs(specs))
        return ExitCode.NOTHING_SELECTED
    return ExitCode.PASSED


def as_text(jobs: Sequence[Job]) -> str:
    """A row for each job, and under it a row for each of its inputs."""
    heads = [_head(job) for job in jobs]
    cells = [max(map(width, column)) for column in zip(*heads, strict=True)]
    lines = []
    for job, head in zip(jobs, heads, strict=True):
        lines.append("  ".join(padded(part, cell) for part, cell in zip(head, cells, strict=True)).rstrip())
        lines += [f"  {line}" for line in _inputs(job.inputs)]
    return "".join(f"{line}\n" for line in lines)


def as_json(jobs: Iterable[Job]) -> str:
    whole = {"format": FORMAT, "jobs": [_record(job) for job in jobs]}
    return safe_json(json.dumps(whole, indent=2, ensure_ascii=False)) + "\n"


def _head(job: Job) -> tuple[str, ...]:
    cases = "" if job.cases is None else _many(len(job.cases), "case")
    return (
        job.name,
        f"@{safe(job.target)}" if job.target else "",
        f"[{safe(', '.join(job.tags))}]",
        cases,
        safe(job.file),
    )


def _many(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _inputs(inputs: Sequence[Input]) -> list[str]:
    rows = [(f"-i {one.name}", _kind(one), _given(one), safe(one.description or "")) for one in inputs]
    cells = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(padded(part, cell) for part, cell in zip(row, cells, strict=True)).rstrip() for row in rows]


def _kind(one: Input) -> str:
    return safe(_type(one) or "any") + (", secret" if one.secret else "")


def _given(one: Input) -> str:
    if one.required:
        return "required"
    return "has a default" if one.secret else f"default {_brief(safe(compact(one.default)))}"


def _brief(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


_LONGEST = 40


def _type(one: Input) -> str:
    """The type that the input's schema names; several are joined, and nothing stands for any."""
    written = one.schema.get("type")
    names = written if isinstance(written, list) else [written] if written else []
    return " or ".join(map(str, names))


def _record(job: Job) -> JsonObject:
    return {
        "name": job.name,
        "file": job.file,
        "description": job.description,
        "tags": list(job.tags),
        "target": job.target,
        "cases": None if job.cases is None else [case.name for case in job.cases],
        "inputs": [_input(one) for one in job.inputs],
    }


def _input(one: Input) -> JsonObject:
    """`default` is left out where there is none, and where it is secret."""
    shown: JsonObject = {
        "name": one.name,
        "type": one.schema.get("type"),
        "required": one.required,
        "secret": one.secret,
        "description": one.description,
    }
    return shown if one.required or one.secret else {**shown, "default": one.default}
