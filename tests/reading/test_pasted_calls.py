"""Scripts that call the service are no YAML, and answered with a step; `tests/wrong` has the whole messages."""

import pytest

from runner.foundation.problems import Problem
from runner.reading.encoding import CALLS_AS_STEPS, decode

SERVICE = "https://crm.example.com/0/ServiceModel/ProcessEngineService.svc"


@pytest.mark.parametrize("begin", ["", "# orders\nURL=https://x\n", "#!/bin/bash\nset -e\nfor name in a b; do\n  "])
@pytest.mark.parametrize("command", [f"curl {SERVICE}/UsrA/Execute", f'curl -sG "{SERVICE}/UsrA/Execute" -d Name=Ann'])
def test_a_command_of_curl_is_answered_with_a_step(begin: str, command: str) -> None:
    problem = decode("orders.job.yaml", f"{begin}{command}\n".encode())

    assert isinstance(problem, Problem)
    assert problem.hint == CALLS_AS_STEPS


@pytest.mark.parametrize(
    "command",
    [
        f'Invoke-RestMethod -Uri "{SERVICE}/UsrA/Execute?Name=Ann" -WebSession $session',
        f"# orders\r\n$body = @{{ UserName = 'Ann' }}\r\n$r = irm `\r\n  -Uri '{SERVICE}/UsrA/Execute?Name=Ann'\r\n",
        f"iwr -Body $body -Uri {SERVICE}/UsrA/Execute?Name=Ann",
    ],
)
def test_a_script_of_powershell_is_answered_with_a_step(command: str) -> None:
    problem = decode("orders.job.yaml", command.encode())

    assert isinstance(problem, Problem)
    assert problem.hint == CALLS_AS_STEPS


def test_a_job_whose_texts_speak_of_a_script_is_none() -> None:
    text = "# Invoke-RestMethod -Uri x\nrunner: 1\ndescription: |\n  Invoke-RestMethod -Uri x\n"

    assert not isinstance(decode("orders.job.yaml", text.encode()), Problem)
