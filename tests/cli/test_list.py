"""`runner list`: what there is to run, also where a file beside it is broken."""

import json
from pathlib import Path

import pytest

from runner.cli.main import ended
from runner.foundation.values import JsonObject

JOB = """runner: 1
name: smoke
description: Looks whether it smokes.
tags: [smoke, slow]
target: staging
inputs:
  limit: {type: integer, default: 10, description: At most so many}
  phone: {type: [string, "null"]}
  token: {type: string, secret: true, default: swordfish}
steps: [{execute: {process: UsrSmoke}}]
"""
TARGETS = "runner: 1\ntargets: {staging: {url: https://staging.example.com}}\n"


@pytest.fixture(autouse=True)
def _its_files() -> None:
    Path("targets.yaml").write_text(TARGETS)
    Path("smoke.job.yaml").write_text(JOB)


def jobs(capsys: pytest.CaptureFixture[str]) -> list[JsonObject]:
    listed = json.loads(capsys.readouterr().out)
    assert listed["format"] == 1
    found: list[JsonObject] = listed["jobs"]
    return found


def test_a_job_is_listed_with_its_tags_target_and_inputs(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["list", "."]) == 0
    assert capsys.readouterr().out == (
        "smoke  @staging  [smoke, slow]    smoke.job.yaml\n"
        "  -i limit  integer         default 10     At most so many\n"
        "  -i phone  string or null  required\n"
        "  -i token  string, secret  has a default\n"
    )


def test_a_program_reads_the_same_and_never_a_secret_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["list", ".", "--format", "json"]) == 0
    (job,) = jobs(capsys)
    assert job == {
        "name": "smoke",
        "file": "smoke.job.yaml",
        "description": "Looks whether it smokes.",
        "tags": ["smoke", "slow"],
        "target": "staging",
        "cases": None,
        "inputs": [
            {
                "name": "limit",
                "type": "integer",
                "schema": {"type": "integer", "description": "At most so many"},
                "required": False,
                "secret": False,
                "description": "At most so many",
                "default": 10,
            },
            {
                "name": "phone",
                "type": ["string", "null"],
                "schema": {"type": ["string", "null"]},
                "required": True,
                "secret": False,
                "description": None,
            },
            {
                "name": "token",
                "type": "string",
                "schema": {"type": "string"},
                "required": False,
                "secret": True,
                "description": None,
            },
        ],
    }


def test_cases_are_counted_for_people_and_named_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    cases = "cases: [{name: one, inputs: {phone: '1'}}, {name: two, inputs: {phone: '2'}}]\n"
    Path("smoke.job.yaml").write_text(JOB + cases)
    assert ended(["list", "."]) == 0
    assert "2 cases" in capsys.readouterr().out
    assert ended(["list", ".", "--format", "json"]) == 0
    assert jobs(capsys)[0]["cases"] == ["one", "two"]


def test_a_broken_file_is_reported_and_the_others_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    Path("broken.job.yaml").write_text("runner: 1\nname: broken\nstep: []\n")
    assert ended(["list", ".", "--format", "json"]) == 2
    captured = capsys.readouterr()
    assert [job["name"] for job in json.loads(captured.out)["jobs"]] == ["smoke"]
    assert "broken.job.yaml:3:1: error[E104]" in captured.err


def test_a_folder_without_jobs_is_exit_5(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert ended(["list", "empty"]) == 5
    assert capsys.readouterr().out == ""


def test_no_text_of_a_file_reaches_the_terminal_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    nasty = '"\\u001b[31mred\\u202e"'
    Path("smoke.job.yaml").write_text(JOB.replace("At most so many", nasty))
    assert ended(["list", "."]) == 0
    assert ended(["list", ".", "--format", "json"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
