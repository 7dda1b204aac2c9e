"""What a command imports: only what it needs, for that is most of the time that a short command takes."""

import subprocess
import sys
from pathlib import Path

import pytest

JOB = """runner: 1
name: smoke
target: staging
steps:
  - id: one
    execute: {process: UsrSmoke, result: Found}
    effect: read
    expect: [result | length > 0]
"""
TARGETS = """runner: 1
targets:
  staging: {url: https://staging.example.com, auth: {username: '{{ env.NAME }}', password: '{{ env.PASSWORD }}'}}
"""
NEVER = {
    *("ast", "dis", "tokenize", "calendar", "email.utils", "typing_extensions", "gettext", "dataclasses"),
    *("platform", "random", "pkgutil", "_hashlib", "json.decoder", "_posixsubprocess", "difflib"),
    *("msgspec.inspect", "msgspec._json_schema"),
}
"""What libraries would import, and nobody asks for."""
NOT_WITHOUT_A_MISTAKE = {
    *("runner.language.findings", "runner.language.keys", "runner.language.values"),
    *("runner.runs.store", "runner.secrets.redact", "runner.explanations", "rapidfuzz"),
    *("runner.json_schema.violations", "runner.json_schema.flaws", "runner.lint.processes", "runner.catalogue.read"),
}
WITH_A_QUERY_ONLY = {"runner.lint.filters", "runner.odata.mistakes", "runner.odata.lexer"}
NOT_WITHOUT_CASES = {
    "csv",
    "runner.job.cases",
    "runner.job.inputs",
    "runner.project.case_files",
    "runner.reading.table",
}
NOT_WITHOUT_RUNS = {
    *("queue", "runner.terminal.writer", "runner.project.named_targets", "runner.targets.clio"),
    *("runner.runs.events", "runner.runs.evidence", "runner.service.calls", "runner.service.session"),
}
NOT_WITHOUT_A_SITE = {"httpx", "httpcore", "h11", "http.client", "ssl", "starlette", "uvicorn", "rich"}
NOT_FOR_A_RUN = {
    *("httpx._client", "http.client", "http.cookiejar", "urllib.request", "email.message", "logging", "idna.core"),
    *("httpx._types", "html.entities", "_posixsubprocess", "certifi", "starlette", "rich"),
    *("email.utils", "calendar", "random", "bz2", "boolean", "ast", "dis", "tokenize", "dataclasses", "json.decoder"),
}

CHECKED = NEVER | NOT_WITHOUT_A_SITE | NOT_WITHOUT_A_MISTAKE | NOT_WITHOUT_CASES | NOT_WITHOUT_RUNS | WITH_A_QUERY_ONLY
COMMANDS = {
    "validate -r smoke.job.yaml": CHECKED,
    "list smoke.job.yaml": CHECKED,
    "--version": CHECKED | {"yaml", "jinja2", "jsonschema_rs"},
}


@pytest.mark.slow
@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_imports_nothing_that_it_does_not_need(line: str, tmp_path: Path) -> None:
    (tmp_path / "smoke.job.yaml").write_text(JOB)
    (tmp_path / "targets.yaml").write_text(TARGETS)
    begun = "import sys; from runner.cli import import_libraries; import_libraries(); from runner.cli.main import ended"
    code = f"{begun}; assert ended({line.split()!r}) == 0; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert COMMANDS[line].intersection(printed.splitlines()[-1].split()) == set()


def test_a_run_imports_of_httpx_what_reads_addresses_and_no_other_client() -> None:
    code = "import sys; from runner.cli import import_libraries; import_libraries(); from runner.cli.main import load"
    command = [sys.executable, "-c", f"{code}; load('run'); print(*sys.modules)"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    modules = set(printed.split())
    assert {"httpx._urls", "h11._connection", "ssl"} <= modules
    assert modules & NOT_FOR_A_RUN == set()
