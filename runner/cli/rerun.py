"""`runner rerun`: what a run did, once more as a new run, with the files, case, inputs and target that it had."""

import os
from collections.abc import Iterator
from functools import partial

import click

from runner.cli import asking, inputs, options, output, reports, resume_run
from runner.cli.command import carry_out, claim_of, console_of, waits_for, with_reports
from runner.cli.resume_run import ResumableRun
from runner.cli.run_pool import PendingRun, begin
from runner.cli.sandbox import Sandboxes
from runner.cli.verb import Verb
from runner.foundation.problems import ExitCode, Problem, RefusedError, UsageError
from runner.hosts.judgement import Judgement
from runner.project.sites import Sites
from runner.reading.files import read_text
from runner.reports.next_steps import next_steps
from runner.reports.safe import clean
from runner.reports.words import doubtful, in_doubt, title
from runner.runs.events import AttemptFailed, CallSent, Line
from runner.runs.store import StoreError
from runner.runs.stored_runs import StoredRun, find, unwritable
from runner.secrets.holes import MARK

_NOTHING_BEGAN = ("not_sent", "refused")


@click.command("rerun", cls=Verb)
@options.RUN
@options.run_settings
@click.pass_context
def rerun(context: click.Context, /, **_: object) -> int:
    r"""Carry out what RUN did once more, as a new run: `last`, a run's id, or a unique beginning of it.

    Job, case, inputs and target are those with which RUN began, whatever the files say by now; secrets and credentials
    come anew. The steps that must not happen twice, and start again, are named first.

    \b
    Examples:
      runner rerun last
      runner rerun 0194d2a0 --report-junit junit.xml

    A run that has not ended, or is in doubt, is refused: settle it first. Exit codes are those of `runner run`.
    """
    wanted_reports = reports.asked_for(context)
    reports.check(wanted_reports, read=reports.read_by(context))
    allowed = asking.permission(context)
    run = find(context.params["runs"], context.params["run"])
    began = resume_run.check(run)
    _check_settled(run)
    given = inputs.given(context.params["given"], file=context.params["inputs_file"])
    stored = resume_run.opened(run, began, given=given, targets=context.params["targets"])
    _check_texts(stored)
    asking.check_permission([stored.spec], allowed)
    for sentence in _sentences(stored):
        output.say(sentence)
    return _carry_out(context, stored, wanted_reports, yes=allowed.yes)


def _check_settled(run: StoredRun) -> None:
    """Raise `RefusedError` for a run of which something could still happen, or may have happened."""
    result = run.result
    if result.finished and not doubtful(result.steps):
        return
    why = in_doubt(result.steps) or "it has not come to its end"
    hint = "nothing was sent"
    if steps := next_steps(result, store=run.store.name):
        hint += f"; settle it first with `{steps[0].command}`, which {steps[0].does}"
    message = f"run {clean(run.id)} of {title(result)} is not settled: {why}"
    raise RefusedError(Problem(code="E181", message=message, hint=hint))


def _check_texts(run: ResumableRun) -> None:
    """A secret that stood in a file is not stored, so that the file is not whole."""
    plan = run.snapshot.plan
    if any(MARK in text for text in plan.sources.values()):
        message = "a file of the job held a secret, which is not stored with the run"
        hint = f"run the file itself: `runner run {clean(plan.file)}`"
        raise UsageError(Problem(code="E156", message=message, hint=hint))


def _sentences(run: ResumableRun) -> Iterator[str]:
    if keys := _started(run.stored.lines):
        yield f"`once` steps that start again: {', '.join(map(clean, keys))}"
    changed = resume_run.changed_files(run.snapshot.plan)
    if changed is not None:
        yield changed


def _started(lines: tuple[Line, ...]) -> list[str]:
    """The keys of the rows whose `once` call left, and was not refused."""
    keys: dict[str, bool] = {}
    last = ""
    for line in lines:
        match line.event:
            case CallSent(key=key, effect=effect):
                last = effect
                if effect == "once":
                    keys[key] = True
            case AttemptFailed(key=key, kind=kind) if last == "once" and kind in _NOTHING_BEGAN:
                keys.pop(key, None)
            case _:
                pass
    return list(keys)


def _carry_out(context: click.Context, run: ResumableRun, wanted_reports: reports.Places, *, yes: bool) -> ExitCode:
    store, spec = run.stored.store, run.spec
    console = console_of(context, wanted_reports)
    sandboxes = Sandboxes(store)
    with Sites(serve=sandboxes.serve, learn=sandboxes.learn, environment=os.environ, read_file=read_text) as sites:
        site = sites.of(spec.target)
        _check_place(run, site.name.url)
        judgement = Judgement(hold=context.params["hold"])
        pending = PendingRun(
            title=spec.title,
            lock=claim_of(spec.job, spec.target, site),
            begin=partial(begin, spec, sites, store, alone=True, judgement=judgement),
        )
        until_ready = waits_for(sites, [spec], context)
        try:
            store.prepare()
        except StoreError as error:
            raise unwritable(store, error) from error
        carried, code = carry_out([pending], console, context, yes=yes, until_ready=until_ready)
    sandboxes.forget([made.result for made in carried.runs])
    return with_reports(wanted_reports, carried, code)


def _check_place(run: ResumableRun, url: str) -> None:
    then = run.snapshot.plan.target
    if not then.sandbox and url != then.url:
        message = f"target `{clean(then.name)}` was {clean(then.url)} when the run began, and is {clean(url)} now"
        hint = f"run the job there by itself: `runner run {clean(run.snapshot.plan.file)} -t {clean(then.name)}`"
        raise UsageError(Problem(code="E156", message=message, hint=hint))
