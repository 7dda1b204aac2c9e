"""The reports that are stored with each run."""

from runner.foundation.problems import Problem, Severity
from runner.reports.formats import FORMATS
from runner.reports.reported import ReportedRun, alone
from runner.runs.history import remember
from runner.runs.store import LocalRunStore, StoreError


def store_reports(runs: LocalRunStore, run: ReportedRun) -> list[Problem]:
    """Store a run's reports with it, and add it to the history. A failure is a warning: it can be repeated."""
    warnings = []
    try:
        remember(runs, run.result)
    except StoreError as error:
        message = f"the run is missing in the history: {error}"
        hint = "add it with `runner history --rebuild`"
        warnings.append(Problem(code="E311", message=message, hint=hint, severity=Severity.WARNING))
    try:
        for report in FORMATS:
            if report.stored_as is not None:
                runs.put(run.result.id, report.stored_as, report.write(alone(run)))
    except StoreError as error:
        message = f"the reports in the run's folder are missing: {error}"
        warnings.append(Problem(code="E311", message=message, severity=Severity.WARNING))
    return warnings
