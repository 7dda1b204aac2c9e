"""`runner rerun`: what runs did, once more as new runs, with the files, case, inputs and target that they had."""

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import click
from msgspec.structs import replace

from runner.cli import options, reports
from runner.cli.command import given_anew, permission
from runner.cli.hints import PREFIX
from runner.cli.nearby import local_run
from runner.cli.run import carry_out_new
from runner.cli.verb import Verb
from runner.execution import resume_run
from runner.execution.locks import lock_holder
from runner.execution.permission import check_permission
from runner.execution.planned_runs import ONLY_APPLY, PlannedRun, commands, never_begun
from runner.execution.prepare import prepare
from runner.execution.resume_run import ResumableRun
from runner.execution.run_spec import GivenAnew, RunSpec, Wanted
from runner.execution.secret_inputs import had_other_secrets
from runner.execution.stored_plans import PlanClaims, planned_specs
from runner.foundation.problems import ExitCode, Problem, RefusedError, UsageError
from runner.foundation.sentences import first_few, plural
from runner.planning import snapshot
from runner.project.sites import Sites
from runner.reports.next_steps import complete_command, file_command, secret_inputs, unsettled, verb_command
from runner.reports.reported import ReportedCommand
from runner.reports.run_again import repeated_keys, retry_command, undone_keys
from runner.reports.safe import clean, moment
from runner.reports.spans import timed
from runner.reports.words import run_title
from runner.runs.events import RunStatus
from runner.runs.status import Status
from runner.runs.store import LocalRunStore, RerunUnderWay
from runner.runs.stored_runs import (
    StoredRun,
    command_of,
    load,
    passed_by_digest,
    reruns_of,
    runs_of_command,
    was_queued,
    writing,
)
from runner.terminal import asking, output


@click.command("rerun", cls=Verb)
@options.RUN
@options.typed_option(
    "--failed", is_flag=True, help="Of all runs of RUN's command, those that did not pass or never began."
)
@options.JOBS
@options.FAIL_FAST
@options.STORED_RUN
def rerun(context: click.Context) -> int:
    r"""Carry out what RUN did once more, as a new run: `last`, a run's id, or a unique prefix of it.

    Job, case, inputs and target are those with which RUN began; secrets and credentials come anew. A secret that its
    case gave is read from the case, and must be as it was. A file that was changed since then, also to mend it, is not
    read: `runner run FILE` carries out what it says now. The steps that must not happen twice, and start again, are
    named first.

    With --failed these are all jobs, cases and targets of the command that did not pass, except those that have passed
    since with the same inputs, and those that it never began, from their files as they are now, or from a stored plan.

    \b
    Examples:
      runner rerun last
      runner rerun 0194d2a0 --report-junit junit.xml
      runner rerun last --failed -j 4

    A run that has not ended, or is in doubt, is refused, as is a run of which a rerun has not: settle it first. So is a
    run that did not pass and of which a rerun has passed, or failed after a `once` step of it had passed: name the
    rerun. So is a run of a fleet, copied by `pull`:
    `runner apply SPEC --retry failed` carries it out once more. Exit codes are those of `runner run`.
    """
    given = context.params
    places = reports.asked_for(context)
    allowed = permission(context)
    store, named = _named(context)
    anew = given_anew(context)
    chosen, lacking = _claimed(store, named, anew, failed=given["failed"])
    if not (chosen or lacking):
        return _nothing_failed(named, places)
    names = [name for run in chosen for name in run.result.inputs]
    names += [name for run in lacking for name in (*run.secrets, *(run.inputs or {}))]
    anew = replace(anew, others=frozenset(names))
    stored = _opened(chosen, anew)
    planned = [*_prepared([each for each in lacking if each.plan is None], context), *planned_specs(lacking, anew)]
    specs = [*(replace(run.spec, refused=snapshot.refused_in(run.stored)) for run in stored), *planned]
    reruns = [run.stored.id for run in stored]
    check_permission(specs, allowed)
    if not given["failed"]:
        began = f"of {moment(named.result.started_at)} UTC, run {clean(named.id)}"
        output.say(f"once more: {run_title(named.result)} {began}, which ended as `{named.result.status}`")
    for run in stored:
        for sentence in _sentences(run):
            output.say(f"{clean(run.spec.title)}: {sentence}" if len(stored) > 1 else sentence)
    claims = PlanClaims(store, specs, again=True)
    return carry_out_new(context, places, specs, claims, reruns=reruns, check=partial(_check_places, stored))


def _named(context: click.Context) -> tuple[LocalRunStore, StoredRun]:
    try:
        return local_run(context)
    except UsageError as error:
        if os.environ.get(f"{PREFIX}DB"):
            apply = "`runner apply SPEC --retry failed` carries out runs of a fleet once more"
            error.add_note(f"`rerun` does not read {PREFIX}DB: {apply}")
        raise


def _claimed(
    store: LocalRunStore, named: StoredRun, anew: GivenAnew, *, failed: bool
) -> tuple[Sequence[StoredRun], Sequence[PlannedRun]]:
    """What this command carries out, and no other as long as it is under way. Raises `RefusedError`."""
    chosen: Sequence[StoredRun] = [named]
    lacking: Sequence[PlannedRun] = []

    def choose() -> list[str]:
        nonlocal chosen, lacking
        if failed:
            chosen, lacking = _not_passed(named, anew)
        if refused := [*_open_reruns(store, chosen, option=" --failed" if failed else "")]:
            raise RefusedError(*refused)
        whole = [command_of(store, named.id) or named.id] if failed else []
        return [*(run.id for run in chosen), *whole]

    with writing(store):
        other = store.claim_reruns(choose, lock_holder(run_title(named.result), run=named.id))
    if other is not None:
        raise RefusedError(claimed_by(other, store))
    return chosen, lacking


def _open_reruns(store: LocalRunStore, chosen: Sequence[StoredRun], *, option: str) -> Iterator[Problem]:
    """Why an earlier rerun of these runs may still do, or has done, or may have done, the same."""
    bad = {run.id for run in chosen if run.result.status is not RunStatus.PASSED}
    for name, run in reruns_of(store, [run.id for run in chosen]).items():
        later = load(store, name)
        why = f"run {clean(run)} is carried out once more by run {clean(name)}, which"
        if (problem := unsettled(later.result, is_running=later.is_running)) is None:
            if run in bad and (end := _as_done(later)) is not None:
                again = f"`{complete_command('rerun', later.result)}{option}` carries it out yet again"
                yield Problem(code="E181", message=f"{why} {end}", hint=f"nothing was sent; {again}")
            continue
        state = "under way" if later.is_running else f"not settled: {problem.message.partition(': ')[2]}"
        yield replace(problem, message=f"{why} is {state}")


_NAMED = 5


def _as_done(rerun: StoredRun) -> str | None:
    """How a rerun that has ended did it all, or what must happen only once; None where it may be done again."""
    if rerun.result.status is RunStatus.PASSED:
        return "has passed"
    passed = {step.key for step in rerun.result.steps if step.status is Status.PASSED}
    done = [clean(key) for key in repeated_keys(timed(rerun.lines, result=rerun.result)) if key in passed]
    return f"ended as `{rerun.result.status}`, after {first_few(done, _NAMED)} had passed" if done else None


def claimed_by(other: RerunUnderWay, store: LocalRunStore) -> Problem:
    holder, is_run = other.holder, other.claimed in store.runs()
    what = f"run {clean(other.claimed)}" if is_run else f"what did not pass of the command of run {clean(holder.run)}"
    who = f"another command (process {holder.pid}) since {moment(holder.since)} UTC"
    message = f"{what} is being carried out once more by {who}"
    hint = f"nothing was sent; wait until that has ended; it was started as: {clean(holder.command)}"
    return Problem(code="E181", message=message, hint=hint)


def _not_passed(named: StoredRun, anew: GivenAnew) -> tuple[list[StoredRun], list[PlannedRun]]:
    """The runs of a command that did not pass, and those that it never began."""
    runs = runs_of_command(named)
    stored, lacking = set(named.store.runs()), never_begun(named)
    new = [each for each in lacking if each.rerun_of not in stored]
    _say_never_begun(new)
    origins = (each.rerun_of for each in lacking if each.rerun_of is not None and each.rerun_of in stored)
    begun = [run for run in runs if run.lines or run.flaw is not None or not lacking]
    all_runs = [*begun, *(load(named.store, origin) for origin in origins)]
    failed = list(_failed(all_runs, passed_by_digest(named.store), anew))
    if any(run.result.applied for run in failed):
        output.say(ONLY_APPLY)
    return failed, [each for each in new if each.inputs is not None and each.rerun_of is None]


def _failed(runs: Sequence[StoredRun], passed: Mapping[str, Sequence[str]], anew: GivenAnew) -> Iterator[StoredRun]:
    """The runs that did not pass. Those that passed since are left out, unless a secret of theirs is another now."""
    for run in runs:
        result = run.result
        if result.finished and result.status is RunStatus.PASSED:
            continue
        secrets = secret_inputs(result)
        since = [later for later in passed.get(result.digest, ()) if later > run.id]
        compared = {later: had_other_secrets(later, run.store, secrets, anew.inputs) for later in since}
        later = next((each for each, is_other in compared.items() if not is_other), None)
        if later is None:
            yield run
            continue
        inputs = "inputs" if compared[later] is False else "inputs, as far as they are not secret"
        output.say(
            f"left out: {run_title(result)}, which has passed since with the same {inputs}, in run {clean(later)}"
        )


def _say_never_begun(lacking: Sequence[PlannedRun]) -> None:
    """Name what never began, and whether it is taken in: not without stored inputs, nor as a rerun of a lost run."""
    beyond = [each for each in lacking if each.inputs is None or each.rerun_of is not None]
    never = "of that command never began; "
    if taken := len(lacking) - len(beyond):
        output.say(f"{plural(taken, 'run')} {never}carried out now, with the inputs of then")
    if beyond:
        output.say(f"{plural(len(beyond), 'run')} {never}with its inputs and options, this carries them out:")
        for command in commands(beyond):
            output.say(f"  {command}")


def _prepared(lacking: Sequence[PlannedRun], context: click.Context) -> list[RunSpec]:
    """The runs that never began, in their order, from the files of now."""
    if not lacking:
        return []
    given, inputs = context.params, {each.key: each.inputs or {} for each in lacking}
    wanted = Wanted(
        specs=[Path(file) for file in dict.fromkeys(each.file for each in lacking)],
        targets_file=given["targets"],
        given=given["given"],
        inputs_file=given["inputs_file"],
        planned=inputs,
        ask=asking.missing_inputs,
    )
    run_set = prepare(wanted)
    output.problems(*run_set.warnings)
    order, found = list(inputs), {spec.name for spec in run_set.runs}
    if gone := [each for each in lacking if each.key not in found]:
        message = f"its files do not hold any more what was to begin: {', '.join(clean(each.title) for each in gone)}"
        hint = "nothing was sent; `runner run` carries out what the files hold now"
        raise UsageError(Problem(code="E156", message=message, hint=hint))
    return sorted(run_set.runs, key=lambda spec: order.index(spec.name))


def _nothing_failed(run: StoredRun, places: reports.ReportPlaces) -> ExitCode:
    why = f"no run of the command that began {clean(run.id)} is left that did not pass, so nothing ran"
    hint = "`runner rerun RUN`, without `--failed`, carries a run out once more that has passed"
    problem = Problem(code="E180", message=why, hint=hint)
    output.problems(problem)
    reports.publish(places, ReportedCommand(runs=(), problems=(problem,), exit_code=ExitCode.NOTHING_SELECTED))
    return ExitCode.NOTHING_SELECTED


def _opened(chosen: Sequence[StoredRun], anew: GivenAnew) -> list[ResumableRun]:
    """The runs with their plans. Raises everything that keeps any of them from a rerun."""
    began = [resume_run.check(run) for run in chosen]
    refused = [*_unsettled(chosen), *map(_queued, filter(was_queued, chosen))]
    if refused:
        raise RefusedError(*refused)
    found, problems = resume_run.each_of(chosen, began, anew, load=resume_run.open_plan)
    problems += [problem for run in found if (problem := _torn_text(run) or resume_run.has_changed(run)) is not None]
    if problems:
        raise UsageError(*dict.fromkeys(problems))
    return found


def _unsettled(chosen: Sequence[StoredRun]) -> Iterator[Problem]:
    """Several runs that broke off are settled together."""
    broken_off = [run for run in chosen if not run.result.finished]
    if len(broken_off) > 1:
        last = broken_off[-1]
        command = verb_command("resume", last.id, last.store.name)
        message = f"{len(broken_off)} runs of this command are not settled: they have not come to their end"
        hint = f"nothing was sent; settle them first: `{command} --together` goes on with all of them"
        yield Problem(code="E181", message=message, hint=hint)
    for run in chosen:
        problem = unsettled(run.result, is_running=run.is_running)
        if problem is not None and not (len(broken_off) > 1 and run in broken_off):
            yield problem


def _queued(run: StoredRun) -> Problem:
    """A run of a fleet, copied here: its ledger would carry out again what a rerun has carried out."""
    message = f"run {run.id} of {run_title(run.result)} is of a fleet, whose ledger would not learn of a rerun here"
    if run.result.status is RunStatus.PASSED:
        hint = "nothing was sent; a version that has passed is carried out once more by `runner apply` with `--for KEY`"
        return Problem(code="E156", message=message, hint=hint)
    options = "" if run.result.applied else ", with the options of the `apply` before,"
    command = retry_command(run.result)
    hint = f"nothing was sent; `{command}`{options} carries it out once more"
    return Problem(code="E156", message=message, hint=hint)


def _torn_text(run: ResumableRun) -> Problem | None:
    """A secret in a file or input is not stored, so that it is not whole unless the secret is given again."""
    if not resume_run.lacks_secret(run):
        return None
    hint = f"give the secret of then, or run the file itself: `runner run {clean(run.snapshot.plan.file)}`"
    return Problem(
        code="E156", message="a file or an input of the job held a secret, which is not stored with the run", hint=hint
    )


def _sentences(run: ResumableRun) -> Iterator[str]:
    before = timed(run.stored.lines, result=run.stored.result)
    if keys := repeated_keys(before):
        yield f"`once` steps that start again: {', '.join(map(clean, keys))}"
    if undone := undone_keys(before):
        yield f"`once` steps that start again, and were undone: {', '.join(map(clean, undone))}"
    plan = run.snapshot.plan
    changed = resume_run.changed_files(plan)
    if changed is not None:
        result = run.stored.result
        command = file_command(result)
        inputs = ", with its inputs" if result.inputs else ""
        yield (
            f"changed since then: {changed}; this carries out the job as it was then; for the file of now: "
            f"`{command}`{inputs}"
        )


def _check_places(runs: Sequence[ResumableRun], sites: Sites) -> None:
    """Raise `UsageError` where a target is another place than it was."""
    wrong: list[Problem] = []
    for run in runs:
        then, url = run.snapshot.plan.target, sites.of(run.spec.target).name.url
        if not then.sandbox and url != then.url:
            message = f"target `{clean(then.name)}` was {clean(then.url)} when the run began, and is {clean(url)} now"
            hint = "name the targets file of then with `--targets FILE`; for a new run at the place of now: "
            hint += f"`runner run {clean(run.snapshot.plan.file)} -t {clean(then.name)}`"
            wrong.append(Problem(code="E156", message=message, hint=hint))
    if wrong:
        raise UsageError(*dict.fromkeys(wrong))
