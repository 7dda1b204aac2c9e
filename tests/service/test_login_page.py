"""What is taken for the login page: from it follows that the call was not dispatched, and it is sent again."""

import time

import httpx
import pytest
from answers import Answers

from runner.service.auth import PASSWORD
from runner.service.calls import (
    Answered,
    Call,
    CallFailed,
    CompleteCall,
    ElementCall,
    ExecuteCall,
    FailureKind,
    QueryCall,
    ReadRows,
    RunProcessCall,
)
from runner.service.client import Client
from runner.service.login_page import signed_out
from runner.service.site import Reply, Site

EXECUTE = ExecuteCall(process="UsrAdd", parameters={})
ACTING: tuple[Call, ...] = (
    EXECUTE,
    RunProcessCall(process="UsrAdd", parameters={}),
    ElementCall(uid="u"),
    CompleteCall(uid="u", parameters={}),
)
READING: tuple[Call | None, ...] = (ReadRows(process="UsrAdd"), QueryCall(entity="Contact"), None)

PAGES = [
    '<html><head><title>Login</title></head><body><script src="/Login/NuiLogin.js"></script></body></html>',
    '<!DOCTYPE html><html><script>window.location = "/Login/NuiLogin.aspx?ReturnUrl=%2f";</script></html>',
    '<html><body><form action="/Login/NuiLogin.aspx"><a href="/Login/Forgot.aspx">Forgot?</a></form></body></html>',
    '<html><head><base href="https://site.example/0/Nui/Login/"></head><body id="login"></body></html>',
    '<html><head><meta http-equiv="refresh" content="0; url=/Login/Login.html"></head></html>',
    "<html>Sign in at /Login/NuiLogin.aspx</html>",
    "<html><form><input name=p type=password></form><a href='/Login/Forgot.aspx'>Forgot?</a></html>",
    "<html><a href='/help'>Help</a> /Login/</html>",
    '<html data-loadbootstrap="bootstrap.login"><head><title>Creatio</title></head><body></body></html>',
]
ERROR_PAGES = [
    '<html><h1>Something went wrong</h1><p>Request 4711</p><a href="/Login/NuiLogin.aspx">Back to sign-in</a></html>',
    "<html><h1>Error</h1><A HREF='/Login/NuiLogin.aspx'><b>/Login/NuiLogin.aspx</b></A></html>",
    '<html><h1>Error</h1><a\nclass="x" href="/Login/NuiLogin.aspx">Back',
    "<html><h1>Error</h1><button onclick=\"location='/Login/NuiLogin.aspx'\">Sign in</button></html>",
    '<html><head><link href="/Login/error.css"></head><h1>Error</h1><img src="/Login/logo.png">Sorry</html>',
    "<html><!-- layout: /Login/NuiLogin.aspx --><h1>Error</h1></html>",
]


def page(text: str, status: int = 200) -> Reply:
    return Reply(status=status, headers={}, body=text.encode())


@pytest.mark.parametrize("text", PAGES)
def test_a_page_that_is_the_login_page_says_that_no_call_was_dispatched(text: str) -> None:
    assert all(signed_out(call, page(text)) for call in (*ACTING, *READING))


@pytest.mark.parametrize("text", ERROR_PAGES)
def test_a_page_that_only_links_to_the_sign_in_says_nothing_of_a_call_that_acts(text: str) -> None:
    assert not any(signed_out(call, page(text)) for call in ACTING)
    assert all(signed_out(call, page(text)) for call in READING)


def test_a_page_without_any_word_of_the_sign_in_is_none() -> None:
    for text in ("<html><input type=password></html>", "<html>Maintenance</html>", '"/Login/"'):
        assert not any(signed_out(call, page(text)) for call in (*ACTING, *READING))


@pytest.mark.parametrize("status", [301, 302, 303, 307])
def test_a_redirect_to_the_login_page_is_a_sign_for_every_call(status: int) -> None:
    for location in ("/Login/NuiLogin.aspx?ReturnUrl=%2f", "https://site.example/app/Login/Login.html", "/login"):
        reply = Reply(status=status, headers={"location": location}, body=b"")
        assert all(signed_out(call, reply) for call in (*ACTING, *READING))
    elsewhere = Reply(status=status, headers={"location": "/Error.aspx?from=/Login/"}, body=b"")
    assert not any(signed_out(call, elsewhere) for call in (*ACTING, *READING))


@pytest.mark.slow
def test_a_large_page_of_open_links_is_judged_in_linear_time() -> None:
    begun = time.monotonic()
    assert not signed_out(EXECUTE, page("<html>" + "<a " * 500_000 + "/Login/"))
    assert time.monotonic() - begun < 60


def test_an_execute_that_was_answered_by_an_error_page_is_not_sent_again() -> None:
    starts: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        target: bytes = request.extensions["target"]
        if target.endswith(b"AuthService.svc/Login"):
            return httpx.Response(200, json={"Code": 0}, headers={"set-cookie": "BPMCSRF=c; path=/"})
        starts.append(target.decode())
        return httpx.Response(200, text=ERROR_PAGES[0])

    client = Client(
        Site(url="https://site.example"),
        credentials=PASSWORD.credentials(username="Ann", password="p4ss"),
        transport=Answers(answer),
    )
    ending = client.perform(EXECUTE, 5)

    assert len(starts) == 1
    assert not isinstance(ending, Answered)
    assert isinstance(ending, CallFailed)
    assert (ending.kind, ending.trouble.code) == (FailureKind.UNANSWERED, "E307")
