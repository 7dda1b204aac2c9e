"""The bare loop that the runner is measured against: the same calls, made and read with `httpx.Client`.

With a fourth argument it also does what no `once` call that the log verifies can do without: before the call a line on
disk, after it a reading of the log. It does nothing else of it: no hash, no secrets, no turn, and no rows of others.
"""

import json
import os
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx


def main(site: str, calls: int, process: str = "UsrBench", *, is_verified: bool = False) -> None:
    with httpx.Client() as client, Path("bare.jsonl").open("ab", buffering=0) as journal:
        login = {"UserName": "u", "UserPassword": "p"}
        client.post(f"{site}/ServiceModel/AuthService.svc/Login", json=login)
        headers = {"ForceUseSession": "true", "BPMCSRF": client.cookies.get("BPMCSRF") or ""}
        if is_verified:
            schema = _rows(client, f"{site}/0/odata/VwProcessLib?$filter=Name eq '{process}'")[0]["Id"]
        last = "0"
        newest = "2000-01-01T00:00:00Z"
        for _ in range(calls):
            if is_verified:
                journal.write(json.dumps({"after": last, "newest": newest}).encode() + b"\n")
                os.fsync(journal)
            reply = client.get(
                f"{site}/0/ServiceModel/ProcessEngineService.svc/{process}/Execute",
                params={"ResultParameterName": "Found", "After": last},
                headers=headers,
            )
            result = json.loads(json.loads(ET.fromstring(reply.content).text or "null"))
            assert len(result) > 0
            assert result[0]["Name"] == "a contact"
            last = result[0]["Id"]
            if is_verified:
                rows = f"SysSchema/Id eq {schema} and StartDate ge {newest}"
                row = _rows(client, f"{site}/0/odata/SysProcessLog?$filter={rows}&$orderby=StartDate desc")[0]
                assert row["CompleteDate"] >= row["StartDate"] > newest
                newest = row["StartDate"]


def _rows(client: httpx.Client, address: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = client.get(address).json()["value"]
    return rows


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:4], is_verified=len(sys.argv) > 4)
