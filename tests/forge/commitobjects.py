"""Commits and changes as git prints them, and the signature of what GitHub makes itself."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cached_property
from typing import Final

_SECRET: Final = b"the loopback GitHub signs with this"
_PERSON: Final = re.compile(rb"^(.*?) ?<([^>]*)> (\d+) ([+-]\d{4})$")


# What the user's own configuration says must not change what a test sees.
@dataclass(frozen=True, slots=True)
class Person:
    """Name and address in a commit, and when."""

    name: str
    email: str
    at: datetime

    def line(self) -> str:
        """As git writes it in a commit."""
        offset = self.at.strftime("%z") or "+0000"
        return f"{self.name} <{self.email}> {int(self.at.timestamp())} {offset}"


@dataclass(frozen=True)
class CommitObject:
    """One commit, parsed."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str
    signature: str | None
    payload: str
    """What was signed: the object without its signature."""

    @cached_property
    def is_signed_by_us(self) -> bool:
        """True where the loopback GitHub itself made this very commit."""
        return self.signature is not None and hmac.compare_digest(
            self.signature, sign(self.payload)
        )


@dataclass(frozen=True, slots=True)
class FileChange:
    """One path that differs between two trees."""

    path: str
    letter: str
    """`A`, `M`, `D`, `R`, `C` or `T`, as git says."""
    previous: str | None
    sha: str
    additions: int
    deletions: int


def sign(payload: str) -> str:
    """Sign as only this loopback GitHub does."""
    digest = hmac.new(_SECRET, payload.encode(), hashlib.sha256).hexdigest()
    return f"-----BEGIN PGP SIGNATURE-----\n\n{digest}\n-----END PGP SIGNATURE-----\n"


def read_counts(text: str) -> dict[str, tuple[int, int]]:
    """Lines added and removed by path, from `git diff --numstat -z`."""
    counts = {}
    fields = iter(text.split("\0"))
    for line in fields:
        if not line:
            break
        added, removed, path = line.split("\t", 2)
        if not path:
            next(fields)
            path = next(fields)
        counts[path] = (0, 0) if added == "-" else (int(added), int(removed))
    return counts


def parse_commit(sha: str, raw: bytes) -> CommitObject:
    """Read `git cat-file commit`."""
    head, _, message = raw.partition(b"\n\n")
    fields: dict[str, list[bytes]] = {}
    signature: list[bytes] = []
    kept: list[bytes] = []
    name = ""
    for line in head.split(b"\n"):
        if line.startswith(b" "):
            if name == "gpgsig":
                signature.append(line[1:])
            else:
                kept.append(line)
            continue
        key, _, value = line.partition(b" ")
        name = key.decode()
        if name == "gpgsig":
            signature.append(value)
            continue
        kept.append(line)
        fields.setdefault(name, []).append(value)
    return CommitObject(
        sha=sha,
        tree=fields["tree"][0].decode(),
        parents=tuple(one.decode() for one in fields.get("parent", [])),
        author=_parse_person(fields["author"][0]),
        committer=_parse_person(fields["committer"][0]),
        message=message.decode("utf-8", "replace"),
        signature=b"\n".join(signature).decode() + "\n" if signature else None,
        payload=(b"\n".join(kept) + b"\n\n" + message).decode("utf-8", "replace"),
    )


def _parse_person(raw: bytes) -> Person:
    match = _PERSON.match(raw)
    assert match is not None, f"git wrote a person as {raw!r}"
    name, email, seconds, offset = (one.decode("utf-8", "replace") for one in match.groups())
    sign = -1 if offset[0] == "-" else 1
    zone = timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[3:])))
    at = datetime.fromtimestamp(int(seconds), UTC).astimezone(zone)
    return Person(name, email, at)
