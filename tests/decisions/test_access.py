from __future__ import annotations

import pytest

from executor.decisions.access import OTHERS, how_it_is_kept, keys_are_kept, powers, who_sees
from executor.model.forge import Actor
from executor.model.hosting import Hosting, Member, Tier
from executor.model.settings import Settings
from tests.decisions.hosting_builders import (
    BOT,
    OLIVIA,
    PAPER,
    UNREAD,
    WILLIAM,
    WITH_APP,
    environment,
    hosting,
    private_free,
    settings,
)

UNGUARDED = "change code and settings on main without a pull request"
GUARDED = "change code and settings on main by a pull request"


def told(seen: Hosting, main: Settings | None) -> dict[str, tuple[str, ...]]:
    return {one.member.actor.login: one.may for one in powers(seen, main)}


def test_everybody_who_may_write_is_named_and_nobody_else() -> None:
    assert set(told(hosting(), settings())) == {"olivia", "William"}
    assert told(hosting(members=UNREAD), settings()) == {}


def test_in_sim_nobody_is_asked() -> None:
    found = told(hosting(), settings())
    assert found["William"] == (
        "execute plans without an approval: none is asked in this mode",
        UNGUARDED,
    )
    assert found["olivia"][-1] == "change this set-up"


def test_in_paper_approvers_are_the_named_ones_or_all() -> None:
    main = settings(*PAPER, WITH_APP)
    assert told(hosting(main), main)["William"] == ("approve plans of others", GUARDED)
    named = settings(*PAPER, WITH_APP, ("approvers = []", f"approvers = [{OLIVIA.id}]"))
    found = told(hosting(named), named)
    assert found["William"] == (GUARDED,)
    assert found["olivia"][0] == "approve plans of others"


def test_a_program_that_may_write_approves_nothing() -> None:
    seen = hosting(members=(Member(BOT, "write"),))
    assert told(seen, settings())["trader[bot]"][0] == "approve nothing: it is no person"


def test_on_private_free_whoever_can_write_can_read_the_keys() -> None:
    main = settings(*PAPER)
    assert "read the keys by a workflow on a branch" in told(private_free(main), main)["William"]
    (first, *_) = how_it_is_kept(private_free(main), main)
    assert "whoever can write can trade" in first
    assert not keys_are_kept(private_free(main), main)


def test_what_is_in_force_is_said() -> None:
    main = settings(*PAPER, WITH_APP)
    assert list(how_it_is_kept(hosting(main), main)) == [
        "the mode's keys: out of reach of every branch but main",
        "the history of main: neither rewritten nor deleted",
        "code and settings: by pull request only",
        OTHERS,
    ]


def test_what_was_not_seen_is_never_said_to_be_in_force() -> None:
    environments = dict.fromkeys(("sim", "paper", "live"), environment("x", policies=UNREAD))
    seen = hosting(tier=Tier.UNKNOWN, rulesets=UNREAD, environments=environments)
    found = how_it_is_kept(seen, settings())
    assert found[0] == "what GitHub enforces on this plan was not read"
    assert "nothing was seen" in found[1]
    assert "no ruleset in force was seen" in found[2]
    assert "whoever can write" in found[3]
    assert not keys_are_kept(seen, None)
    assert told(seen, None)["William"][0] == "approve plans of others"


def test_who_sees_it() -> None:
    assert who_sees(hosting())[0].startswith("everybody: the repository is public")
    private = hosting(is_private=True, tier=Tier.PRIVATE_PAID)
    assert who_sees(private)[0] == "collaborators: olivia, rita, William"
    alone = hosting(is_private=True, members=())
    assert who_sees(alone)[0] == "collaborators: nobody"
    unread = hosting(is_private=True, members=UNREAD)
    assert who_sees(unread)[0] == "collaborators, who were not read"
    team = hosting(owner=Actor(1, "octo", "Organization"), members=(Member(WILLIAM, "write"),))
    assert any("organization" in one for one in who_sees(team))


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        ("public", "everybody who knows its address: a site of Pages is public"),
        ("private", "who may read the repository: a site of Pages"),
        (UNREAD, "a site of Pages: not read whether there is one"),
    ],
)
def test_a_site_of_pages_shows_it_as_well(pages: object, said: str) -> None:
    assert said in who_sees(hosting(is_private=True, pages=pages))
