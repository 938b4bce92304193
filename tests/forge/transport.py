"""git's smart HTTP: `git http-backend` over the bare repositories, with rights and rules."""

from __future__ import annotations

import base64
import binascii
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.forge.accounts import Token
from tests.forge.gitobjects import ZERO
from tests.forge.merging import merge_armed
from tests.forge.messages import Request, Response
from tests.forge.moving import moved
from tests.forge.rulesets import refusals
from tests.forge.state import Repository, State

_TIMEOUT_SECONDS: Final = 120

# Asked before any ref moves. What the server can tell from the names alone it has told by files;
# only what takes the new objects is looked at here.
_HOOK: Final = """#!/bin/sh
refused=0
say() {
    printf '%s\\n' "error: GH013: Repository rule violations found for $1." "" "- $2" >&2
    refused=1
}
while read -r old new ref; do
    name=$(printf '%s' "$ref" | tr '/' '%')
    if [ -f "$FORGE_RULES/$name" ]; then say "$ref" "$(cat "$FORGE_RULES/$name")"; fi
    case "$old$new" in *0000000000000000000000000000000000000000*) continue ;; esac
    if [ -f "$FORGE_RULES/$name.forced" ] && ! git merge-base --is-ancestor "$old" "$new"; then
        say "$ref" "$(cat "$FORGE_RULES/$name.forced")"
    fi
    if [ -n "$FORGE_KEEPS_WORKFLOWS" ]; then
        touched=$(git diff --name-only "$old" "$new" -- .github/workflows | head -n 1)
        if [ -n "$touched" ]; then
            printf '%s' "refusing to allow a GitHub App to create or update workflow " >&2
            printf '%s\\n' "\\`$touched\\` without \\`workflows\\` permission" >&2
            refused=1
        fi
    fi
done
exit $refused
"""


def credentials(request: Request) -> str:
    """The token of a request: of git (`basic`) or of the API (`token`, `bearer`); may be empty."""
    kind, _, value = request.header("authorization").partition(" ")
    if kind.lower() in ("token", "bearer"):
        return value.strip()
    if kind.lower() != "basic":
        return ""
    try:
        name, _, password = base64.b64decode(value.strip()).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password if password and password != "x-oauth-basic" else name


def path_of(path: str) -> tuple[str, str] | None:
    """Repository and what git asks of it; None where a path is not git's."""
    parts = path.strip("/").split("/", 2)
    if len(parts) < 3 or parts[2] not in ("info/refs", "git-upload-pack", "git-receive-pack"):
        return None
    return f"{parts[0]}/{parts[1].removesuffix('.git')}", f"/{parts[2]}"


def serve(state: State, request: Request, token: Token | None, bad_token: bool) -> Response:
    """Answer git, and do what follows from a push."""
    asked = path_of(request.path)
    assert asked is not None, "only git's own paths come here"
    name, rest = asked
    repository = state.repository(name)
    writes = rest == "/git-receive-pack" or "service=git-receive-pack" in request.raw_query
    account = None if token is None else token.account
    if bad_token or (token is None and (writes or repository is None or repository.is_private)):
        headers = {"WWW-Authenticate": 'Basic realm="GitHub"', "Content-Type": "text/plain"}
        return Response(401, b"Authentication failed", headers)
    if repository is None or not repository.allows(account, "read"):
        return Response(404, b"Repository not found.", {"Content-Type": "text/plain"})
    if writes and token is not None and not may_push(repository, token):
        text = f"Permission to {repository.full_name}.git denied to {token.account.login}."
        return Response(403, text.encode(), {"Content-Type": "text/plain"})
    if rest != "/git-receive-pack":
        return _backend(repository, request, rest, {})
    assert token is not None, "a push has a token"
    return _push(state, repository, request, rest, token)


def may_push(repository: Repository, token: Token) -> bool:
    """Whether a token opens the way to a push at all; rules may still stand against it."""
    if token.scopes is not None:
        return token.grants("contents", "write")
    return repository.allows(token.account, "write")


def _push(
    state: State, repository: Repository, request: Request, rest: str, token: Token
) -> Response:
    before = repository.git.refs("refs/")
    with tempfile.TemporaryDirectory() as folder:
        rules, hooks = Path(folder, "rules"), Path(folder, "hooks")
        rules.mkdir()
        hooks.mkdir()
        hook = hooks / "pre-receive"
        hook.write_text(_HOOK)
        hook.chmod(0o755)
        for old, new, ref in _commands(request.body):
            _write_rules(rules, repository, old, new, ref, token)
        keeps = token.scopes is not None and not token.grants("workflows", "write")
        answer = _backend(
            repository,
            request,
            rest,
            {
                "GIT_CONFIG_COUNT": "2",
                "GIT_CONFIG_KEY_0": "http.receivepack",
                "GIT_CONFIG_VALUE_0": "true",
                "GIT_CONFIG_KEY_1": "core.hooksPath",
                "GIT_CONFIG_VALUE_1": str(hooks),
                "FORGE_RULES": str(rules),
                "FORGE_KEEPS_WORKFLOWS": "1" if keeps else "",
                "REMOTE_USER": token.account.login,
            },
        )
    after = repository.git.refs("refs/")
    for ref in sorted({*before, *after}):
        if before.get(ref) != after.get(ref):
            moved(state, repository, ref, before.get(ref), after.get(ref), token)
    merge_armed(state, repository)
    return answer


def _write_rules(
    folder: Path, repository: Repository, old: str, new: str, ref: str, token: Token
) -> None:
    was, will = (None if one == ZERO else one for one in (old, new))
    plain = refusals(repository, ref, was, will, token)
    forced = refusals(repository, ref, was, will, token, forced=True)
    if ref.startswith("refs/pull/"):
        plain = ["refs/pull is read-only"]
    if will is None and ref == f"refs/heads/{repository.default_branch}":
        plain.append("refusing to delete the current branch")
    name = ref.replace("/", "%")
    if plain:
        (folder / name).write_text("\n- ".join(plain))
    more = [one for one in forced if one not in plain]
    if more:
        (folder / f"{name}.forced").write_text("\n- ".join(more))


def _commands(body: bytes) -> Iterator[tuple[str, str, str]]:
    """What a push asks for: old, new and ref of each command (gitprotocol-pack)."""
    at = 0
    while at + 4 <= len(body):
        length = int(body[at : at + 4], 16)
        if length < 4:
            return
        line = body[at + 4 : at + length].split(b"\0")[0].decode().strip()
        at += length
        parts = line.split(" ", 2)
        if len(parts) == 3 and len(parts[0]) == len(ZERO):
            yield parts[0], parts[1], parts[2]


def _backend(repository: Repository, request: Request, rest: str, more: dict[str, str]) -> Response:
    bare = repository.git.path.resolve()
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment = {
        **clean,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_PROJECT_ROOT": str(bare.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{bare.name}{rest}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.raw_query,
        "CONTENT_TYPE": request.header("content-type"),
        "CONTENT_LENGTH": str(len(request.body)),
        "GIT_PROTOCOL": request.header("git-protocol"),
        "REMOTE_ADDR": "127.0.0.1",
        # A push that is only asked for is told the refs as well.
        "REMOTE_USER": "somebody",
        **more,
    }
    done = subprocess.run(
        ["git", "http-backend"],
        input=request.body,
        capture_output=True,
        check=False,
        timeout=_TIMEOUT_SECONDS,
        env=environment,
    )
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    status, headers = 200, {}
    for line in head.decode().split("\r\n"):
        name, _, value = line.partition(": ")
        if name == "Status":
            status = int(value.split(" ")[0])
        elif name:
            headers[name] = value
    if done.returncode or not head:
        return Response(500, done.stderr)
    return Response(status, body, headers)
