"""`runner validate` and `runner list`: check and list jobs; they send nothing, and read no secret.

Targets files, catalogues and doubles may be named by themselves: a hook before a commit names all that has changed.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import asdict, replace

from runner.catalogue.model import ENDING, Catalogue
from runner.cli import options
from runner.cli.verb import Verb
from runner.foundation.problems import ExitCode, Problem, Severity, UsageError
from runner.foundation.sentences import listed, plural, shortened
from runner.foundation.values import Json, JsonObject, compact
from runner.job.model import Input, Job
from runner.project import ignored_files
from runner.project.paths import in_checkout, job_paths, jobs_in
from runner.project.project import Project, check_doubles, open_project, open_targets, target_named
from runner.reading.files import display_path
from runner.reports import mistakes
from runner.reports.safe import aligned, clean, json_document, safe
from runner.targets import folders
from runner.targets.files import NAME
from runner.targets.folders import RECORDS, doubles_in, holds_doubles
from runner.terminal import output

if TYPE_CHECKING:
    from runner.project.affected import ChangeReason


def _github(problems: Sequence[Problem]) -> str:
    from runner.reports.github import github  # noqa: PLC0415  12 ms with what it draws runs with, for GitHub only

    return github(_in_checkout(problems))


def _gitlab(problems: Sequence[Problem]) -> str:
    from runner.reports.gitlab import gitlab  # noqa: PLC0415  2 ms, for GitLab only

    return gitlab(_in_checkout(problems))


def _sarif(problems: Sequence[Problem]) -> str:
    from runner.reports.sarif import sarif  # noqa: PLC0415  5 ms with all explanations, for code scanning only

    return sarif(_in_checkout(problems))


def _in_checkout(problems: Sequence[Problem]) -> list[Problem]:
    """The problems with their files as the repository names them: there a CI looks for them."""
    return [each if each.file is None else replace(each, file=in_checkout(each.file)) for each in problems]


FORMATS = {"text": mistakes.text, "json": mistakes.json, "github": _github, "gitlab": _gitlab, "sarif": _sarif}
_LONGEST_DEFAULT = 40


@click.command("validate", cls=Verb)
@options.SPECS
@options.RECURSIVE
@options.targets(
    "Check the jobs against this target, whatever they name; several times: against each. Its site is not asked."
)
@options.TARGETS
@options.CATALOG
@options.CHANGED_SINCE
@options.option("--strict", is_flag=True, help="Exit with 2 where there are warnings, too.")
@options.ALLOW_EMPTY
@options.form(FORMATS)
def validate(context: click.Context) -> int:
    r"""Check every job in SPEC, its targets file and its sandbox; print all mistakes of all files in one pass.

    A targets file, a catalogue, a double of a process and a folder of doubles may be named by themselves; a script of
    curl or a collection of Postman is answered with how a step is written. `github` shows mistakes at their lines in a
    pull request, `gitlab` in a merge request (code quality), `sarif` is for code scanning; `runner explain CODE` says
    more about a mistake.

    \b
    Examples:
      runner validate specs
      runner validate specs -t staging
      runner validate specs --strict
      runner validate specs --format json | jq '.problems[].message'
      runner validate specs --format sarif > runner.sarif

    Exit 0 where there is no mistake (warnings are none, but with --strict), 2 where there is one, 5 where there is no
    job to check.
    """
    given = context.params
    specs: Sequence[Path] = given["specs"]
    project = checked(
        specs,
        targets=given["targets"],
        environment=os.environ,
        catalogue=given["catalogue"],
        against=tuple(dict.fromkeys(given["target"])),
        recursive=given["recursive"],
        may_be_empty=given["allow_empty"],
    )
    not_read = ignored_files.in_folders_below(specs, project, recursive=given["recursive"])
    if given["changed_since"] is not None:
        _leave_out_unchanged(project, context)
    output.data(FORMATS[given["form"]](project.problems), for_programs=given["form"] != "text")
    output.say_lines(not_read)
    if wrong := project.problems if given["strict"] else project.errors:
        more = f"`runner explain {wrong[0].code}` says more"
        output.say(f"{mistakes.count(project.problems)}; {more}")
        return ExitCode.INVALID
    number = _checked_files(specs, project)
    if not number:
        return _nothing(specs, context)
    warned = f", {mistakes.count(project.problems)}" if project.problems else ""
    output.say(f"{plural(number, 'file')}, no mistakes{warned}{_checked_too(specs, project)}")
    output.say_lines(project.unchecked + ("" if given["target"] or given["catalogue"] else _without_target(project)))
    return ExitCode.PASSED


def _without_target(project: Project, what: str = "checked against no target") -> str:
    """The line on jobs that name no target, and so were checked against nothing, or `what` else."""
    included = {name for file in project.files for name in [*file.documents][1:]}
    files = [file for file in project.files if file.document.file not in included and file.targets_file is not None]
    names = [clean(file.document.file) for file in files if file.job is not None and file.job.target is None]
    return f"{what}, as they name none: {listed(names)}; `-t NAME` names a target\n" if names else ""


def _checked_too(specs: Sequence[Path], project: Project) -> str:
    """Which other files were checked, since the named files use them."""
    named = {display_path(spec) for spec in specs}
    targets = dict.fromkeys(display_path(file.targets_file) for file in project.files if file.targets_file is not None)
    found = [clean(each) for each in dict.fromkeys((*targets, *project.catalogues.checked)) if each not in named]
    if found:
        return f"; checked, too: {', '.join(found)}"
    return "; there is no targets file, so no doubles were checked" if project.files and not targets else ""


def checked(
    specs: Sequence[Path],
    *,
    targets: Path | None,
    environment: Mapping[str, str],
    catalogue: Path | None = None,
    against: Sequence[str] = (),
    recursive: bool = False,
    may_be_empty: bool = False,
) -> Project:
    """Every mistake in `specs` and the files that they use, once. `against` are targets in place of the jobs' own."""
    jobs = [spec for spec in specs if not _is_no_job(spec)]
    ignored_files.check_specs(jobs, of_targets=False)
    project = open_project(
        jobs,
        targets=targets,
        environment=environment,
        catalogue=catalogue,
        own_targets=not against,
        recursive=recursive,
    )
    ignored_files.report(jobs, project, targets=targets, recursive=recursive, may_be_empty=may_be_empty)
    if against:
        _check_targets(against, project, environment)
    for spec in filter(_is_targets, specs):
        for target in open_targets(spec, project).values():
            check_doubles(target, project)
    signals = any("signal" in step.fields for file in project.files for step in file.outline.steps)
    if signals or any(target.allow for opened in project.targets_files.values() for target in opened.targets.values()):
        from runner.project import allowed  # noqa: PLC0415  1 ms, where a target must allow something

        allowed.check_allowed(project)
        allowed.check_steps(project, against=against)
    if project.missing_needs:
        from runner.ledger.applied_jobs import forgive_applied  # noqa: PLC0415  with SQLite, where a job is not there

        forgive_applied(project)
    project.problems = list(dict.fromkeys([*project.problems, *_problems_of_other_files(specs)]))
    return project


def _problems_of_other_files(specs: Sequence[Path]) -> Iterator[Problem]:
    """What is wrong with the doubles and catalogues among `specs`."""
    for folder in dict.fromkeys(filter(None, map(_folder_of_doubles, specs))):
        from runner.sandbox.loading import load_doubles  # noqa: PLC0415  20 ms, only where there are doubles

        # with those beside them: two must not be of the same process
        yield from load_doubles(Path(display_path(folder)))[1]
    for spec in filter(_is_catalogue, specs):
        from runner.catalogue.read import read_catalogue  # noqa: PLC0415  1 ms, where a catalogue is named

        found = read_catalogue(spec, name=display_path(spec))
        yield from () if isinstance(found, Catalogue) else found


def _check_targets(names: Sequence[str], project: Project, environment: Mapping[str, str]) -> None:
    """Report the targets that the command names and that a job does not have."""
    from runner.project.named_targets import Targets, is_outside  # noqa: PLC0415  1 ms, for a command that names any

    known = Targets(project=project, environment=environment)
    for file in project.files:
        for name in names:
            if is_outside(name):
                known.compare_unread(file, name)
            else:
                known.named(file, name)


def _checked_files(specs: Sequence[Path], project: Project) -> int:
    """How many files were checked that the command named, or that are in a folder that it named."""
    named = {spec for spec in specs if _is_no_job(spec) and not spec.is_dir()}
    doubles = {path for spec in specs if _is_folder_of_doubles(spec) for path in doubles_in(spec)}
    return len(project.files) + len(named | doubles)


def _is_no_job(spec: Path) -> bool:
    return _is_targets(spec) or _is_catalogue(spec) or _folder_of_doubles(spec) is not None


def _is_targets(spec: Path) -> bool:
    return spec.name == NAME or spec.name.endswith(f".{NAME}")


def _is_catalogue(spec: Path) -> bool:
    return spec.name.endswith(ENDING)


def _folder_of_doubles(spec: Path) -> Path | None:
    if spec.name.endswith(folders.ENDING) or spec.name == RECORDS:
        return spec.parent
    return spec if _is_folder_of_doubles(spec) else None


def _is_folder_of_doubles(spec: Path) -> bool:
    return spec.is_dir() and holds_doubles(spec) and not jobs_in(spec)


@click.command("list", cls=Verb)
@options.SPECS
@options.RECURSIVE
@options.targets("With --changed-since: what this target has counts, whatever the jobs name; several times: of each.")
@options.TARGETS
@options.CHANGED_SINCE
@options.option("--affected", is_flag=True, help="With --changed-since: say of each job why it is listed.")
@options.ALLOW_EMPTY
@options.form()
def list_jobs(context: click.Context) -> int:
    r"""List the jobs in SPEC: their names, tags, targets and cases, and the inputs that they take.

    \b
    Examples:
      runner list specs
      runner list specs --format json | jq -r '.jobs[].name'
      runner list specs -t staging --changed-since origin/main --affected

    Exit 0, 2 where a file has mistakes (they are printed, and the other jobs are listed), 5 where there is no job.
    """
    given = context.params
    specs = given["specs"]
    if given["affected"] and given["changed_since"] is None:
        hint = "name a commit: `--changed-since origin/main`"
        raise UsageError(Problem(code="E150", message="`--affected` goes with `--changed-since`", hint=hint))
    ignored_files.check_specs(specs, of_targets=False)
    project = open_project(specs, targets=given["targets"], environment=os.environ, recursive=given["recursive"])
    named = (target_named(file, name) for name in given["target"] for file in project.files)
    project.problems += dict.fromkeys(found for found in named if isinstance(found, Problem))
    recursive, may_be_empty = given["recursive"], given["allow_empty"]
    ignored_files.report(specs, project, targets=given["targets"], recursive=recursive, may_be_empty=may_be_empty)
    not_read = ignored_files.in_folders_below(specs, project, recursive=recursive)
    without = "compared without the doubles and the catalogue of a target"
    not_compared = "" if given["changed_since"] is None or given["target"] else _without_target(project, without)
    reasons = _leave_out_unchanged(project, context) if given["changed_since"] is not None else {}
    jobs = [file.job for file in project.files if file.job is not None]
    is_json, shown = given["form"] == "json", reasons if given["affected"] else None
    output.data(_as_json(jobs, shown, project.problems) if is_json else _as_text(jobs, shown), for_programs=is_json)
    output.say_lines(mistakes.text(project.problems) + not_read + not_compared)
    if project.errors:
        output.say(mistakes.count(project.problems))
        return ExitCode.INVALID
    return ExitCode.PASSED if project.files else _nothing(specs, context)


def _nothing(specs: Sequence[Path], context: click.Context) -> ExitCode:
    """Say why there is nothing to check, or to list."""
    revision: str | None = context.params["changed_since"]
    has_jobs = revision is not None and any(True for _ in job_paths(specs, recursive=context.params["recursive"]))
    if has_jobs:
        from runner.project.affected import nothing_changed  # noqa: PLC0415  2 % of a start, for --changed-since

        output.say(nothing_changed(specs, str(revision)))
    else:
        output.say(ignored_files.no_jobs(specs))
    return ExitCode.PASSED if context.params["allow_empty"] else ExitCode.NOTHING_SELECTED


def _leave_out_unchanged(project: Project, context: click.Context) -> dict[str, "tuple[ChangeReason, ...]"]:
    """Leave out jobs that are as they were at a commit, and their warnings; why the others are affected, by file."""
    from runner.project.affected import AffectedJobs  # noqa: PLC0415  as above

    given = context.params
    targets = tuple(dict.fromkeys(given.get("target", ())))
    jobs = AffectedJobs(
        revision=given["changed_since"], project=project, targets=targets, catalogue=given.get("catalogue")
    )
    reasons = {file.document.file: jobs.reasons(file) for file in project.files}
    project.files = [file for file in project.files if reasons[file.document.file]]
    left = {name for file in project.files for name in file.documents}
    unchanged = {name for name in reasons if name not in left}
    project.problems = [
        each for each in project.problems if each.severity is Severity.ERROR or each.file not in unchanged
    ]
    return reasons


def _as_text(jobs: Sequence[Job], reasons: "Mapping[str, Sequence[ChangeReason]] | None") -> str:
    """A row for each job, and below it a row for each input, or for each of the `reasons`."""
    lines = []
    for job, head in zip(jobs, aligned([_head(job) for job in jobs]), strict=True):
        lines.append(head)
        if reasons is None:
            lines += [f"  {line}" for line in aligned([_row(declared) for declared in job.inputs])]
        else:
            lines += [f"  {safe(reason.sentence)}" for reason in reasons[job.file]]
    return "".join(f"{line}\n" for line in lines)


def _head(job: Job) -> tuple[str, ...]:
    return (
        job.name,
        f"@{safe(job.target)}" if job.target else "",
        f"[{safe(', '.join(job.tags))}]",
        "" if job.cases is None else plural(len(job.cases), "case"),
        safe(job.file),
    )


def _row(declared: Input) -> tuple[str, ...]:
    from runner.job.inputs import what_fits  # noqa: PLC0415  3 % of a start, for `list` only

    default = (
        "has a default"
        if declared.secret
        else f"default {shortened(safe(compact(declared.default)), _LONGEST_DEFAULT)}"
    )
    return (
        f"-i {declared.name}",
        safe(what_fits(declared)) + (", secret" if declared.secret else ""),
        "required" if declared.required else default,
        safe(declared.description or ""),
    )


def _as_json(
    jobs: Iterable[Job], reasons: "Mapping[str, Sequence[ChangeReason]] | None", problems: Sequence[Problem]
) -> str:
    """With `reasons` each job has them under `affected`."""
    records: list[Json] = [
        _record(job) if reasons is None else {**_record(job), "affected": [*map(asdict, reasons[job.file])]}
        for job in jobs
    ]
    return json_document({"format": 1, "jobs": records, "problems": mistakes.records(problems)})


def _record(job: Job) -> JsonObject:
    return {
        "name": job.name,
        "file": job.file,
        "description": job.description,
        "tags": list(job.tags),
        "target": job.target,
        "cases": None if job.cases is None else [case.name for case in job.cases],
        "inputs": [_input(declared) for declared in job.inputs],
    }


def _input(declared: Input) -> JsonObject:
    """`default` is left out where there is none, and where it is secret."""
    shown: JsonObject = {"name": declared.name, "type": declared.schema.get("type"), **asdict(declared)}
    default = shown.pop("default")
    return shown if declared.required or declared.secret else {**shown, "default": default}
