"""The bare loop that the runner is measured against: the same calls, made and read with `httpx.Client`."""

import json
import sys
from xml.etree import ElementTree as ET

import httpx


def main(site: str, calls: int, process: str = "UsrBench") -> None:
    with httpx.Client() as client:
        login = {"UserName": "u", "UserPassword": "p"}
        client.post(f"{site}/ServiceModel/AuthService.svc/Login", json=login)
        headers = {"ForceUseSession": "true", "BPMCSRF": client.cookies.get("BPMCSRF") or ""}
        last = "0"
        for _ in range(calls):
            reply = client.get(
                f"{site}/0/ServiceModel/ProcessEngineService.svc/{process}/Execute",
                params={"ResultParameterName": "Found", "After": last},
                headers=headers,
            )
            result = json.loads(json.loads(ET.fromstring(reply.content).text or "null"))
            assert len(result) > 0
            assert result[0]["Name"] == "a contact"
            last = result[0]["Id"]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
