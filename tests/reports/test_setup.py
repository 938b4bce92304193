from __future__ import annotations

import json
from dataclasses import replace

from executor.decisions.setup import drifts, unread
from executor.errors import ExitCode
from executor.model.hosting import Call, Hosting
from executor.reports.blocks import plain_text
from executor.reports.setup import Done, report_applied, report_shown
from tests.decisions.hosting_builders import NAME, UNREAD, environment, hosting, on_main
from tests.golden_files import assert_golden


def spoiled() -> Hosting:
    """A set-up with a drift of each kind: by calls, by a file, by a person."""
    return hosting(
        environments={"sim": None, "paper": environment("paper"), "live": environment("live")},
        default_branch="trunk",
        variables={"AUTOINVESTOR_ENVIRONMENT": "sim"},
        pages=UNREAD,
    )


def test_what_would_be_done_is_shown() -> None:
    seen = spoiled()
    found = report_shown(NAME, drifts(seen, on_main(codeowners=None)), unread(seen))
    assert_golden("setup_shown", plain_text(found.blocks))
    assert found.exit_code is ExitCode.REFUSED
    assert [one["what"] for one in found.data["not_read"]] == ["Pages"]
    json.dumps(found.data)


def test_a_set_up_in_order_is_said_to_be_as_far_as_it_was_read() -> None:
    found = report_shown(NAME, (), ())
    assert plain_text(found.blocks) == f"{NAME}: as it should be, as far as it was read"
    assert found.exit_code is ExitCode.DONE


def test_drifts_that_only_a_person_mends_promise_nothing() -> None:
    found = report_shown(NAME, drifts(hosting(default_branch="trunk"), on_main()), ())
    assert "--apply" not in plain_text(found.blocks)


def test_what_was_done_and_what_is_left_are_told() -> None:
    seen = spoiled()
    made = drifts(seen, on_main())
    calls = [call for one in made for call in one.calls]
    done = Done(
        sent=(calls[0], Call("DELETE", ("labels", "old"))),
        written=(".github/CODEOWNERS",),
        in_the_way=("autoinvestor.toml",),
        stopped_at=calls[1],
        why="GitHub, POST environments/sim: refused with status 403: no; grant it",
        exit_code=ExitCode.PERSON,
    )
    found = report_applied(NAME, made, unread(seen), done)
    assert_golden("setup_stopped", plain_text(found.blocks))
    assert found.exit_code is ExitCode.PERSON
    assert found.data["stopped_at"]["method"] == "POST"
    json.dumps(found.data)


def test_where_everything_was_done_nothing_is_left() -> None:
    done = replace(Done(), sent=(Call("PATCH", (), {"allow_auto_merge": False}),))
    found = report_applied(NAME, (), (), done)
    assert plain_text(found.blocks) == (
        f'done: PATCH the repository {{"allow_auto_merge": false}}\n{NAME}: nothing is left'
    )
    assert found.data["stopped_at"] is None
