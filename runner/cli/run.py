"""`runner run`: carries jobs out, prints how it goes, writes the reports."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import zip_longest

import click
from msgspec.structs import replace

from runner.cli import options, reports
from runner.cli.command import carry_out, console_of, permission, report, waits_for, wanted
from runner.cli.verb import Verb
from runner.execution.active_run import ActiveRun, RunOrigin, begin, new_id
from runner.execution.locks import claim_of
from runner.execution.permission import Permission, check_permission
from runner.execution.planned_runs import ONLY_APPLY, CommandPlan
from runner.execution.prepare import prepare
from runner.execution.run_pool import PendingRun
from runner.execution.run_spec import RunSet, RunSpec
from runner.execution.stored_plans import PlanClaims
from runner.foundation.problems import ExitCode, Problem, RefusedError, Severity
from runner.foundation.sentences import listed
from runner.foundation.values import canonical_text
from runner.hosts.judgement import Judgement
from runner.planning.plan import open_inputs
from runner.planning.snapshot import refused_in
from runner.project.ci_run import starter
from runner.project.sites import Sandboxes, Sites
from runner.reports.next_steps import next_steps, unsettled
from runner.reports.reported import ReportedCommand
from runner.reports.safe import clean
from runner.runs.store import RunStore
from runner.runs.stored_runs import RunName, StoredRun, failed_runs, left_open, load, newest_runs, prepare_store
from runner.secrets.redact import Secrets
from runner.secrets.shown import STARS
from runner.targets.model import SiteTarget
from runner.terminal import output


@click.command("run", cls=Verb)
@options.SPECS
@options.RECURSIVE
@options.SELECTION
@options.JOBS
@options.FAIL_FAST
@options.LAST_FAILED
@options.CHANGED_SINCE
@options.typed_option("--again", is_flag=True, help="Carry out a stored plan that has been carried out before.")
@options.ALLOW_EMPTY
@options.EXECUTION
@options.reports
def run(context: click.Context) -> int:
    r"""Carry out every job in SPEC: job files, or folders that hold them (*.job.yaml); or plans of `plan --out`.

    \b
    Examples:
      runner run specs
      runner run specs/contact-smoke.job.yaml -t staging -i phone="+1 202 555 0100"
      runner run specs --tags "smoke and not slow" --report-junit junit.xml
      runner run specs -t staging -t production --confirm production -x
      runner run billing.job.yaml --hold --wait-lock 10m
      runner run specs -t staging --wait-ready --catalog git.catalog.yaml
      runner run release.plan.json

    \b
    Exit codes:
      0  everything selected passed
      1  an expectation or a process failed
      2  a mistake in a file or on the command line; nothing was sent
      3  no usable answer: cannot connect, cannot sign in, nonsense
      4  an outcome is unknown: it may or may not have happened; `runner show last` says what settles it
      5  nothing was selected, so nothing ran
      6  refused by a guard: a protected target, `allow`, a lock that another run holds, a question that nobody can
         answer, a stored plan that has been carried out before; nothing was sent
      70 a fault of this program · 129, 130, 143 hung up, interrupted, terminated
    """
    given = context.params
    places = reports.asked_for(context)
    allowed = permission(context)
    run_set = prepare(wanted(context))
    _print_found(run_set, quiet=given["quiet"])
    if not run_set.runs:
        return nothing_ran(run_set.nothing, places, is_allowed=given["allow_empty"])
    repeated = _repeated_by(run_set.runs, given["runs"]) if given["last_failed"] else {}
    claims = PlanClaims(given["runs"], run_set.runs, again=given["again"])
    claims.check()
    check_permission(run_set.runs, allowed)
    if repeated:
        _say_what_repeats(run_set.runs, repeated)
    else:
        _check_open_runs(run_set.runs, given["runs"], allowed)
    specs = [_after(repeated.get(spec.name), spec) for spec in run_set.runs]
    return carry_out_new(context, places, specs, claims)


def _print_found(run_set: RunSet, *, quiet: bool) -> None:
    output.problems(*run_set.warnings)
    if not quiet:
        for line in run_set.notes:
            output.say(line)
        output.say_lines(run_set.not_read)


def _repeated_by(specs: Sequence[RunSpec], store: RunStore) -> dict[RunName, StoredRun]:
    """The stored runs that these repeat, by name. Raises `RefusedError` where one of them is open or in doubt."""
    files = {spec.job.name: spec.job.file for spec in specs}
    newest, stored = failed_runs(newest_runs(store, files)), set(store.runs())
    found = {spec.name: load(store, newest[spec.name]) for spec in specs if newest.get(spec.name) in stored}
    problems = [unsettled(before.result, is_running=before.is_running) for before in found.values()]
    if refused := [problem for problem in problems if problem is not None]:
        raise RefusedError(*refused)
    return found


def _after(before: StoredRun | None, spec: RunSpec) -> RunSpec:
    """The run, which also looks for starts that were refused, and may have happened, `before`."""
    return spec if before is None else replace(spec, refused=refused_in(before))


def _check_open_runs(runs: Sequence[RunSpec], store: RunStore, allowed: Permission) -> None:
    """Warn of what these runs start again of open runs with the same inputs; raise `RefusedError` at a person's no."""
    sites = {run.name: run for run in runs if isinstance(run.target, SiteTarget)}
    found = []
    inputs = {name: open_inputs(run.job, run.inputs) for name, run in sites.items()}
    for name, before in left_open(store, inputs).items():
        from runner.ledger.repeats import repeated_by  # noqa: PLC0415  10 ms, where a run is left open

        spec, problem = sites[name], unsettled(before.result, is_running=before.is_running)
        keys = [*repeated_by(spec.job, before)]
        if keys and problem is not None:
            message = f"{problem.message}; this command starts again: {listed([*map(clean, keys)])}"
            steps = next_steps(before.result) if before.flaw is None else ()
            hint = f"`{steps[0].command}` {steps[0].does}" if steps else before.left_to_do
            found.append(replace(problem, message=message, hint=hint, severity=Severity.WARNING))
    output.problems(*found)
    if found and allowed.ask is not None and not allowed.yes and not allowed.ask("Start it again all the same?"):
        raise RefusedError(Problem(code="E181", message="nothing was sent"))


def _say_what_repeats(specs: Sequence[RunSpec], repeated: Mapping[RunName, StoredRun]) -> None:
    """Name the steps that start again, also with `--quiet`."""
    from runner.ledger.repeats import repeated_by  # noqa: PLC0415  10 ms, for `--last-failed` only

    if any(before.result.applied for before in repeated.values()):
        output.say(ONLY_APPLY)
    for spec, before in ((spec, repeated[spec.name]) for spec in specs if spec.name in repeated):
        if keys := [*repeated_by(spec.job, before)]:
            output.say(f"{clean(spec.title)}: `once` steps that start again: {', '.join(map(clean, keys))}")
        then = before.result.inputs
        if other := [name for name, value in spec.inputs.items() if then.get(name, value) not in (value, STARS)]:
            others = f"its inputs are not those of then: {listed(other)}; `runner rerun {before.result.id}` keeps them"
            output.say(f"{clean(spec.title)}: {others}")


def nothing_ran(why: str, places: reports.ReportPlaces, *, is_allowed: bool) -> ExitCode:
    """Reports hold why nothing ran, unless that is allowed: no entry would look green."""
    why = f"{why}, so nothing ran"
    output.say(why)
    code = ExitCode.PASSED if is_allowed else ExitCode.NOTHING_SELECTED
    hint = (
        "check what selects: the paths, `--tags`, `-k`, `--last-failed`, `--changed-since`; `--allow-empty` allows it"
    )
    problems = () if is_allowed else (Problem(code="E180", message=why, hint=hint),)
    reports.publish(places, ReportedCommand(runs=(), problems=problems, exit_code=code))
    return code


def carry_out_new(
    context: click.Context,
    places: reports.ReportPlaces,
    specs: Sequence[RunSpec],
    claims: PlanClaims,
    *,
    reruns: Sequence[str] = (),
    check: Callable[[Sites], None] = lambda _: None,
) -> ExitCode:
    """Carry the runs out and report them. `reruns` are those that they repeat, in order; `check` may refuse a site."""
    console = console_of(context, places, jobs=[spec.job for spec in specs])
    sandboxes = Sandboxes(claims.store)
    with Sites(serve=sandboxes.serve, learn=sandboxes.learn) as sites:
        pending = list(_pending(context, specs, sites, claims, reruns=reruns))
        check(sites)
        until_ready = waits_for(sites, specs, context)
        prepare_store(claims.store)
        claims.take()
        try:
            carried, code = carry_out(pending, console, context, store=claims.store, until_ready=until_ready)
        finally:
            claims.give_back()
    sandboxes.forget([run.result for run in carried.runs])
    return report(console, places, carried, code)


def _secrets(sites: Sites, specs: Sequence[RunSpec]) -> Secrets:
    secrets = Secrets()
    for target in dict.fromkeys(spec.target for spec in specs):
        sites.of(target).hidden.inform(secrets)
    for spec in specs:
        for name in (declared.name for declared in spec.job.inputs if declared.secret):
            if (value := spec.inputs.get(name)) is not None:
                secrets.add(name, canonical_text(value))
    return secrets


def _pending(
    context: click.Context, specs: Sequence[RunSpec], sites: Sites, claims: PlanClaims, *, reruns: Sequence[str]
) -> Iterator[PendingRun]:
    given, command, allowed = context.params, new_id(), permission(context)
    alone, judgement = given["jobs"] == 1 or len(specs) == 1, Judgement(hold=given["hold"])
    secrets = partial(_secrets, sites, specs)
    command_plan = CommandPlan(specs=specs, reruns=reruns, targets_file=given["targets"], secrets=secrets)
    begun_by = cache(partial(starter, os.environ))

    def begun(spec: RunSpec, rerun_of: str | None) -> ActiveRun:
        by = begun_by(confirmed=allowed.of(spec.target))
        origin = RunOrigin(command=command, rerun_of=rerun_of, begun_by=by, targets_file=given["targets"])
        run = begin(spec, sites, claims.store, alone=alone, judgement=judgement, origin=origin)
        claims.note(spec, run.facts.run)
        command_plan.note(claims.store, run.facts.run)
        return run

    for spec, rerun_of in zip_longest(specs, reruns):
        place = (spec.job.file, spec.target.name)
        yield PendingRun(
            title=spec.title, place=place, lock=claim_of(spec, sites), begin=partial(begun, spec, rerun_of)
        )
