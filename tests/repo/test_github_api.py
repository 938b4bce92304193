"""What leaves for GitHub and what its answers become, over a server that answers as told."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from executor.errors import ExitCode, ForgeRefused, ForgeUnavailable, UsageError
from executor.repo import github_api
from executor.repo.github_api import DEFAULT_URL, PAGES_MAX, GitHubApi
from tests.brokers.raw_server import RawServer, http, raw_server

TOKEN = "ghs_0123456789abcdef"
JSON = "Content-Type: application/json; charset=utf-8"
OK = http("200 OK", b'{"a": 1}', JSON)

Send = Callable[[GitHubApi], object]

WRITES: dict[str, Send] = {
    "POST": lambda api: api.post("pulls", body={"title": "x"}),
    "PUT": lambda api: api.put("pulls", 7, "merge", body={}),
    "PATCH": lambda api: api.patch("issues", 7, body={"state": "closed"}),
    "DELETE": lambda api: api.delete("git", "refs", "heads", "plan"),
    "GRAPHQL": lambda api: api.graphql("createCommitOnBranch", "mutation {}", {}),
}
SENDS: dict[str, Send] = {
    "GET": lambda api: api.get("pulls", 7),
    "PAGES": lambda api: list(api.pages("pulls")),
    **WRITES,
}


@contextmanager
def served(*answers: bytes) -> Iterator[tuple[GitHubApi, RawServer]]:
    with raw_server(*answers) as server:
        api = GitHubApi("ada/investor", TOKEN, server.url)
        try:
            yield api, server
        finally:
            api.close()


def refusal(status: str, message: str, *headers: str, **more: object) -> bytes:
    return http(status, json.dumps({"message": message, **more}).encode(), JSON, *headers)


def failed(send: Send, answer: bytes) -> tuple[ForgeUnavailable | ForgeRefused, list[bytes]]:
    """What one answer makes of a request, and every request that had been sent by then."""
    with served(answer) as (api, server):
        with pytest.raises((ForgeUnavailable, ForgeRefused)) as caught:
            send(api)
        assert isinstance(caught.value, (ForgeUnavailable, ForgeRefused))
        return caught.value, server.requests


NO_ANSWER = {
    "502": http("502 Bad Gateway", b"<html>Unicorn!</html>"),
    "503": refusal("503 Service Unavailable", "No server is currently available"),
    "500": http("500 Internal Server Error", b""),
    "504": http("504 Gateway Timeout", b"", "Retry-After: 60"),
    "408": http("408 Request Timeout", b""),
    "429": refusal("429 Too Many Requests", "Slow down", "Retry-After: 60"),
    "secondary": refusal("403 Forbidden", "You have exceeded a secondary rate limit."),
    "retry-after": refusal("403 Forbidden", "Wait.", "Retry-After: 60"),
    "primary": refusal("403 Forbidden", "API says no", "X-RateLimit-Remaining: 0"),
    "dropped": b"",
    "cut in its headers": OK[:40],
    "cut": http("200 OK", b'{"a": 1}', JSON, length=500),
    "no http": b"\x00\x01\x02 nothing that HTTP knows\r\n\r\n",
    "not json": http("200 OK", b"<html>Unicorn!</html>"),
    "half json": http("200 OK", b'[{"a": ', JSON),
    "not utf-8": http("200 OK", b'{"a": "\xff"}', JSON),
    "deep json": http("200 OK", b"[" * 200_000, JSON),
    "not gzip": http("200 OK", b"plain", "Content-Encoding: gzip"),
}


@pytest.mark.parametrize("send", SENDS.values(), ids=SENDS)
@pytest.mark.parametrize("answer", NO_ANSWER.values(), ids=NO_ANSWER)
def test_no_usable_answer_is_told_after_one_send(send: Send, answer: bytes) -> None:
    problem, sent = failed(send, answer)
    assert isinstance(problem, ForgeUnavailable)
    assert problem.exit_code is ExitCode.RUN_AGAIN
    assert len(sent) == 1
    assert "; run again" in str(problem)


REFUSALS = {
    "400": (400, refusal("400 Bad Request", "Problems parsing JSON")),
    "401": (401, refusal("401 Unauthorized", "Bad credentials")),
    "403": (403, refusal("403 Forbidden", "Resource not accessible by integration")),
    "404": (404, refusal("404 Not Found", "Not Found")),
    "409": (409, refusal("409 Conflict", "Git Repository is empty.")),
    "410": (410, http("410 Gone", b"")),
    "422": (422, refusal("422 Unprocessable Entity", "Validation Failed", errors=["no such"])),
    "451": (451, refusal("451 Unavailable For Legal Reasons", "Blocked")),
}


@pytest.mark.parametrize("send", SENDS.values(), ids=SENDS)
@pytest.mark.parametrize(("status", "answer"), REFUSALS.values(), ids=REFUSALS)
def test_a_definite_no_is_told_after_one_send(send: Send, status: int, answer: bytes) -> None:
    problem, sent = failed(send, answer)
    assert isinstance(problem, ForgeRefused)
    assert problem.exit_code is ExitCode.PERSON
    assert problem.status == status
    assert len(sent) == 1
    assert "; " in str(problem)


@pytest.mark.parametrize("send", SENDS.values(), ids=SENDS)
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_no_redirect_is_followed(send: Send, status: str) -> None:
    """PyGithub would go on with the path alone, and lose what was asked for behind it."""
    with raw_server(OK) as elsewhere:
        answer = http(status, b'{"message": "Moved"}', f"Location: {elsewhere.url}/repositories/1")
        problem, sent = failed(send, answer)
        assert elsewhere.requests == []
    assert isinstance(problem, ForgeRefused)
    assert len(sent) == 1
    assert str(problem).endswith("the repository has moved; correct its name")


def test_what_is_not_worked_out_yet_is_not_waited_for() -> None:
    problem, sent = failed(SENDS["GET"], http("202 Accepted", b"{}", JSON))
    assert str(problem) == "GitHub, GET pulls/7: not worked out yet; run again"
    assert len(sent) == 1


def test_a_stale_connection_is_not_asked_twice() -> None:
    """Each connection is closed by the server after one answer, as a proxy does now and then."""
    with served(http("200 OK", b'{"a": 1}', JSON)) as (api, server):
        for number in range(1, 4):
            with suppress(ForgeUnavailable):
                api.post("pulls", body={})
            assert len(server.requests) <= number


def test_nobody_answers_at_all() -> None:
    with raw_server(OK) as server:
        url = server.url
    api = GitHubApi("ada/investor", TOKEN, url)
    with pytest.raises(ForgeUnavailable, match="the connection was refused or dropped; run again"):
        api.get()


@pytest.mark.parametrize("send", SENDS.values(), ids=SENDS)
def test_no_error_shows_the_token(send: Send) -> None:
    quoted = f"Authorization: token {TOKEN}\nLine\x1b[31m {'x' * 9_000}"
    for answer in (refusal("422 No", quoted, errors=[{"message": TOKEN}, TOKEN]), b"", OK[:20]):
        with served(answer) as (api, _), pytest.raises((ForgeUnavailable, ForgeRefused)) as caught:
            send(api)
        shown = "".join(traceback.format_exception(caught.value))
        told = str(caught.value)
        assert TOKEN not in shown
        assert ("Authorization: token ***" in told) is answer.startswith(b"HTTP/1.1 422")
        assert told.isprintable()
        assert len(told) < 600
        seen: BaseException | None = caught.value
        while seen is not None:
            assert TOKEN not in repr(vars(seen))
            seen = seen.__cause__ or seen.__context__


def test_what_leaves() -> None:
    with served(OK) as (api, server):
        api.get("pulls", 7, query={"state": "open"})
        api.post("issues", 7, "comments", body={"body": "ä"})
        api.delete("git", "refs", "heads", "plan")
    first, second, third = (one.partition(b"\r\n\r\n") for one in server.requests)
    assert first[0].startswith(b"GET /repos/ada/investor/pulls/7?state=open HTTP/1.1\r\n")
    assert f"Authorization: token {TOKEN}".encode() in first[0]
    assert b"X-GitHub-Api-Version: 2022-11-28" in first[0]
    assert b"Accept: application/vnd.github+json" in first[0]
    assert json.loads(second[2]) == {"body": "ä"}
    assert third[0].startswith(b"DELETE /repos/ada/investor/git/refs/heads/plan HTTP/1.1\r\n")
    assert third[2] == b""


@pytest.mark.parametrize(
    ("part", "quoted"),
    [
        ("a/b", "a%2Fb"),
        ("../../user", "..%2F..%2Fuser"),
        ("x?state=all", "x%3Fstate%3Dall"),
        ("x#y", "x%23y"),
        ("x y\r\nHost: evil", "x%20y%0D%0AHost%3A%20evil"),
        ("github-actions[bot]", "github-actions%5Bbot%5D"),
        ("%2e%2e", "%252e%252e"),
        ("ä", "%C3%A4"),
        (7, "7"),
    ],
)
def test_every_part_of_a_path_stays_one(part: str | int, quoted: str) -> None:
    with served(OK) as (api, server):
        api.get("collaborators", part, "permission")
    path = server.requests[0].split()[1].decode()
    assert path == f"/repos/ada/investor/collaborators/{quoted}/permission"


@pytest.mark.parametrize("part", ["", ".", ".."])
def test_a_part_that_a_server_would_resolve_is_our_mistake(part: str) -> None:
    api = GitHubApi("ada/investor", TOKEN)
    with pytest.raises(AssertionError, match="resolve away"):
        api.get("collaborators", part, "permission")


def test_the_root_is_asked_by_name() -> None:
    with served(OK) as (api, server):
        api.get("/", "user", 7)
        api.get()
    assert [one.split()[1] for one in server.requests] == [b"/user/7", b"/repos/ada/investor"]


def test_an_answer_without_a_body_is_none() -> None:
    with served(http("204 No Content", b"")) as (api, _):
        assert api.post("dispatches", body={}) is None


# Lists.


def linked(url: str, items: bytes, relation: str = "next") -> bytes:
    return http("200 OK", items, JSON, f'Link: <{url}>; rel="{relation}", <{url}>; rel="last"')


def test_a_list_is_read_page_by_page_as_it_is_needed() -> None:
    with raw_server(b"") as server:
        server.answers = [
            linked(f"{server.url}/repositories/1/pulls?page=2&per_page=100", b"[1, 2]"),
            http("200 OK", b"[3]", JSON),
        ]
        api = GitHubApi("ada/investor", TOKEN, server.url)
        items = api.pages("pulls", query={"state": "closed"})
        assert [next(items), next(items)] == [1, 2]
        assert len(server.requests) == 1
        assert list(items) == [3]
        assert [one.split()[1] for one in server.requests] == [
            b"/repos/ada/investor/pulls?per_page=100&state=closed",
            b"/repositories/1/pulls?page=2&per_page=100",
        ]
        api.close()


def test_a_page_on_another_host_is_not_asked_for() -> None:
    with (
        raw_server(OK) as elsewhere,
        served(linked(f"{elsewhere.url}/x?page=2", b"[1]")) as (api, _),
    ):
        with pytest.raises(ForgeUnavailable, match="the next page lies elsewhere"):
            list(api.pages("pulls"))
        assert elsewhere.requests == []


def test_a_list_that_does_not_end_is_no_answer() -> None:
    with raw_server(b"") as server:
        server.answers = [linked(f"{server.url}/repos/ada/investor/pulls?page=2", b"[1]")]
        api = GitHubApi("ada/investor", TOKEN, server.url)
        with pytest.raises(ForgeUnavailable, match="more than 5,000 items"):
            list(api.pages("pulls"))
        assert len(server.requests) <= PAGES_MAX + 1
        api.close()


@pytest.mark.parametrize("body", [b'{"a": 1}', b"null", b'"x"', b"7"])
def test_what_is_no_list_is_no_answer(body: bytes) -> None:
    with (
        served(http("200 OK", body, JSON)) as (api, _),
        pytest.raises(ForgeUnavailable, match="the answer is no list"),
    ):
        list(api.pages("pulls"))


def test_a_list_inside_an_object_is_named() -> None:
    body = b'{"total_count": 2, "workflow_runs": [1, 2]}'
    with served(http("200 OK", body, JSON)) as (api, _):
        assert list(api.pages("runs", key="workflow_runs")) == [1, 2]
        with pytest.raises(ForgeUnavailable, match="the answer is no list"):
            list(api.pages("runs", key="runs"))


def test_an_answer_has_an_end() -> None:
    huge = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"[" * (33 * 1024 * 1024)
    with served(huge) as (api, server):
        with (
            suppress(ConnectionError),
            pytest.raises(ForgeUnavailable, match="an answer of more than 33,554,432 bytes"),
        ):
            api.get()
        assert len(server.requests) == 1


# GraphQL.


def answered(content: object) -> bytes:
    return http("200 OK", json.dumps(content).encode(), JSON)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("STALE_DATA", 409),
        ("NOT_FOUND", 404),
        ("FORBIDDEN", 403),
        ("INSUFFICIENT_SCOPES", 403),
        ("UNPROCESSABLE", 422),
    ],
)
def test_a_definite_no_of_graphql(kind: str, status: int) -> None:
    errors = [{"type": kind, "message": "Not\nso.", "path": ["x"]}]
    problem, _ = failed(WRITES["GRAPHQL"], answered({"data": {"x": None}, "errors": errors}))
    assert isinstance(problem, ForgeRefused)
    assert problem.status == status
    assert f"refused with status {status}: Not so; " in str(problem)


def test_a_query_that_the_schema_does_not_know_is_refused() -> None:
    errors = [{"message": "Field 'x' doesn't exist", "extensions": {"code": "undefinedField"}}]
    problem, _ = failed(WRITES["GRAPHQL"], answered({"errors": errors}))
    assert isinstance(problem, ForgeRefused)
    assert problem.status == 400


@pytest.mark.parametrize(
    "content",
    [
        {"errors": [{"message": "Something went wrong while executing your query."}]},
        {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]},
        {"errors": [{"type": "INTERNAL", "message": "x"}, {"type": "NOT_FOUND", "message": "y"}]},
        {"errors": [{"type": "STALE_DATA"}, {"message": "x"}]},
        {"errors": "many"},
        {"errors": [7]},
        {"errors": [{"type": 7}]},
        {"data": None},
        {"data": []},
        {},
        [],
        None,
        "x",
    ],
)
def test_what_may_have_happened_all_the_same(content: object) -> None:
    problem, sent = failed(WRITES["GRAPHQL"], answered(content))
    assert isinstance(problem, ForgeUnavailable)
    assert len(sent) == 1


def test_graphql_lies_beside_rest() -> None:
    with served(answered({"data": {"x": 1}})) as (api, server):
        assert api.graphql("x", "query { x }", {"a": 1}) == {"x": 1}
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /graphql HTTP/1.1")
    assert json.loads(body) == {"query": "query { x }", "variables": {"a": 1}}


# What it is opened with.


@pytest.mark.parametrize(
    "repository",
    ["", "ada", "ada/", "/investor", "ada/investor/x", "ada/..", "a b/c", "ada/in?vestor", "ä/b"],
)
def test_a_repository_is_owner_and_name(repository: str) -> None:
    with pytest.raises(UsageError, match="GITHUB_REPOSITORY"):
        GitHubApi(repository, TOKEN)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.github.com",
        "http://api.github.com",
        "https://",
        "https://user@api.github.com",
        "https://api.github.com/?x=1",
        "ftp://api.github.com",
        "http://127.0.0.1.evil.example",
    ],
)
def test_the_token_goes_nowhere_in_the_clear(url: str) -> None:
    with pytest.raises(UsageError, match="GITHUB_API_URL"):
        GitHubApi("ada/investor", TOKEN, url)


@pytest.mark.parametrize("token", ["", "a b", "ab\n", "ä"])
def test_a_token_that_no_header_can_carry(token: str) -> None:
    with pytest.raises(UsageError, match="GITHUB_TOKEN") as caught:
        GitHubApi("ada/investor", token)
    assert not token or token not in str(caught.value)


def test_the_library_is_loaded_with_the_first_question_only() -> None:
    code = (
        "import sys\n"
        "from executor.repo.github_api import GitHubApi\n"
        "from executor.repo.github_forge import GitHubForge\n"
        "from executor.repo.github_book import GitHubBook\n"
        f"GitHubForge(GitHubApi('ada/investor', 'x', {DEFAULT_URL!r}))\n"
        "print('github' in sys.modules, 'requests' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
    assert github_api.DEFAULT_URL == "https://api.github.com"
