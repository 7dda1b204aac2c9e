"""Commands of curl and requests of Postman as steps; the files in `tests/wrong` have the whole messages."""

import json

import pytest

from runner.foundation.problems import Problem
from runner.foundation.values import Json
from runner.reading.encoding import decode
from runner.reading.pasted_calls import ANY_STEP, postman_hint, script_hint

VALUES = json.dumps(
    {
        "schemaName": "UsrB",
        "parameterValues": [{"name": n, "value": v} for n, v in (("A", None), ("B", True), ("C", "null"))],
    }
)
KEY = "7d8f6f3e-5a52-4b8f-9a54-2b6f0f8c1a11"
SERVICE = "https://crm.example.com/0/ServiceModel/ProcessEngineService.svc"


@pytest.mark.parametrize(
    ("command", "step"),
    [
        (f"curl {SERVICE}/UsrA/Execute", "- execute: {process: UsrA};"),
        (
            f"curl '{SERVICE}/UsrA/Execute?N=-1.5&ResultParameterName=R'",
            "- execute: {process: UsrA, parameters: {N: -1.5}, result: R};",
        ),
        (f"curl --url {SERVICE}/UsrA/Execute?Name=$NAME", "- execute: {process: UsrA, parameters: {Name: VALUE}};"),
        (f"curl {SERVICE}/UsrA/Execute?Pwd=geheim", "- execute: {process: UsrA, parameters: {Pwd: VALUE}};"),
        (f'curl -d \'{{"schemaName": "UsrB"}}\' {SERVICE}/RunProcess', "- run: {process: UsrB};"),
        (
            "curl 'https://crm.example.com/odata/Contact?$select=Id&$top=3'",
            "- query: {entity: Contact, select: Id}; $top left out: a query reads all records that fit;",
        ),
        (
            f'curl -G --data-urlencode "Name=$name" -d Total=3 {SERVICE}/UsrA/Execute?ResultParameterName=R',
            "- execute: {process: UsrA, parameters: {Name: VALUE, Total: 3}, result: R};",
        ),
        (
            f"curl '{SERVICE}/UsrA/Execute?A=0100&B=null&C=1.50&D=True&E=0.5&F='",
            "- execute: {process: UsrA, parameters: {A: VALUE, B: VALUE, C: VALUE, D: VALUE, E: 0.5, F: VALUE}};",
        ),
        (
            f"curl {SERVICE}/RunProcess -d '{VALUES}'",
            "- run: {process: UsrB, parameters: {A: null, B: true, C: VALUE}};",
        ),
        (f"curl {SERVICE}/ExecProcElByUId?ProcessElementUID=$ID", "- element: VALUE;"),
        ("curl 'https://crm.example.com/odata/Contact/$count'", "- query: {entity: Contact};"),
        (f"curl 'https://crm.example.com/odata/Contact({KEY})'", f"- query: {{entity: Contact, filter: Id eq {KEY}}};"),
        (
            f'curl -XPATCH \'https://x.example/0/odata/Contact({KEY})\' -d \'{{"Name": "Ann Lee", "Age": 5}}\'',
            f"- signal: {{update: {{entity: Contact, id: {KEY}, values: {{Name: VALUE, Age: 5}}}}}};",
        ),
        (
            'curl https://x.example/0/odata/Contact -d \'{"Name": "Ann", "@odata.type": "#Contact"}\'',
            "- signal: {insert: {entity: Contact, values: {Name: Ann}}};",
        ),
        (
            "curl --request DELETE 'https://x.example/0/odata/Contact(7)'",
            "- signal: {delete: {entity: Contact, id: VALUE}};",
        ),
        (
            f'curl -sG "{SERVICE}/UsrA/Execute" --data-urlencode "Name=Ann"',
            "- execute: {process: UsrA, parameters: {Name: Ann}};",
        ),
    ],
)
def test_a_command_of_curl_is_answered_with_its_step(command: str, step: str) -> None:
    assert step in script_hint(command)
    for begin in ("# orders\nURL=https://x\n", "#!/bin/bash\nset -e\nfor name in a b; do\n  "):
        problem = decode("orders.job.yaml", f"{begin}{command}\n".encode())
        assert isinstance(problem, Problem)
        assert step in str(problem.hint)


@pytest.mark.parametrize(
    "command",
    [
        f'Invoke-RestMethod -Uri "{SERVICE}/UsrA/Execute?Name=Ann" -WebSession $session',
        f"# orders\r\n$body = @{{ UserName = 'Ann' }}\r\n$r = irm `\r\n  -Uri '{SERVICE}/UsrA/Execute?Name=Ann'\r\n",
        f"iwr -Body $body -Uri {SERVICE}/UsrA/Execute?Name=Ann",
    ],
)
def test_a_script_of_powershell_is_answered_with_its_step(command: str) -> None:
    problem = decode("orders.job.yaml", command.encode())

    assert isinstance(problem, Problem)
    assert "- execute: {process: UsrA, parameters: {Name: Ann}};" in str(problem.hint)


def test_calls_that_no_step_makes_are_counted_and_an_answer_that_is_kept_is_a_call() -> None:
    calls = [
        "curl https://crm.example.com/ServiceModel/AuthService.svc/Login -d geheim",
        "curl -X PUT 'https://crm.example.com/0/odata/Contact(1)' -d '{}'",
        "curl https://crm.example.com/0/rest/UsrA/Do",
        r'curl "https://crm.example.com/0/odata/Contact?\$top=5"',
    ]
    problem = decode("orders.job.yaml", "\n".join([f"ID=$(curl {SERVICE}/UsrA/Execute | jq .)", *calls]).encode())

    assert isinstance(problem, Problem)
    hint = str(problem.hint)
    assert (
        "- execute: {process: UsrA}; - query: {entity: Contact}; $top left out: a query reads all records that fit; "
        "of 2 more calls none is shown: other" in hint
    )


def test_a_body_that_is_nested_too_deeply_is_no_step() -> None:
    for url in (f"{SERVICE}/RunProcess", "https://x.example/0/odata/Contact"):
        assert ANY_STEP in script_hint(f"curl {url} -d '{'[' * 50_000}'")


def test_a_job_whose_texts_speak_of_a_script_is_none() -> None:
    text = "# Invoke-RestMethod -Uri x\nrunner: 1\ndescription: |\n  Invoke-RestMethod -Uri x\n"

    assert not isinstance(decode("orders.job.yaml", text.encode()), Problem)


@pytest.mark.parametrize(
    "command",
    [
        "curl https://crm.example.com/ServiceModel/AuthService.svc/Login -d geheim",
        f"curl '{SERVICE}/UsrA/Execute",
        f"curl {SERVICE}/RunProcess -d geheim",
        f"curl {SERVICE}/RunProcess -d '[1]'",
    ],
)
def test_a_call_that_no_step_makes_or_that_cannot_be_read_is_answered_with_any_step(command: str) -> None:
    assert ANY_STEP in script_hint(command)


def test_the_first_of_many_calls_are_shown() -> None:
    hint = script_hint("\n".join(f"curl {SERVICE}/Usr{number}/Execute" for number in range(8)))
    assert hint.count("- execute") == 5
    assert "; and so on for 3 more;" in hint


def test_a_request_of_postman_may_be_an_address_alone_or_have_a_body() -> None:
    body = json.dumps({"schemaName": "UsrB", "resultParameterNames": ["R"]})
    sent: Json = {"method": "POST", "url": f"{SERVICE}/RunProcess", "body": {"mode": "raw", "raw": body}}
    found = postman_hint({"item": [{"request": f"{SERVICE}/UsrA/Execute"}, {"item": [{"request": sent}, 7]}]})
    assert "- execute: {process: UsrA}; - run: {process: UsrB, results: [R]};" in found
