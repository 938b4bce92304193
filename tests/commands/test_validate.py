from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from executor.checks import all_rules
from executor.cli import run
from executor.commands.validate import DOCUMENTS
from executor.decisions.schemas import MODELS
from executor.errors import ExitCode
from executor.model.digest import plan_digest
from executor.model.reading import SIZE_LIMIT, read_document
from tests.examples.corpus import FOLDER, ROOT, Example, examples, name

PLANS = FOLDER / "valid" / "trading_instructions"
MISSION = PLANS / "mission_deployment.json"
NOW = "2026-01-14T15:00:00Z"


def validate(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one run as of the examples' instant."""
    code = run(["validate", "--repo", str(ROOT), "--now", NOW, *map(str, argv)])
    out, err = capsys.readouterr()
    return code, out, err


def validated(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, Any]:
    """Exit code and answer in JSON."""
    code, out, err = validate(capsys, "--json", *argv)
    assert err == ""
    return code, json.loads(out)


@pytest.mark.parametrize("example", examples(settings=False), ids=name)
def test_every_example_gets_exactly_its_verdict(
    example: Example, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = validate(capsys, "--file", example.path, "--document", example.document)
    headline, *lines = out.splitlines() or [""]
    refusals = [line for line in lines if not line.startswith(("warning: ", "not judged here: "))]
    if example.refused_by is None:
        assert (code, err, refusals) == (ExitCode.DONE, "", [])
        assert headline == f"valid: {example.path}"
        return
    assert code == ExitCode.REFUSED
    if err:
        # The reader's answer: nothing in the file can be judged.
        assert example.refused_by == "document"
        assert out == ""
        (line,) = err.splitlines()
        assert line.startswith(f"{example.path}: line ")
        assert "; " in line
        return
    assert headline == f"refused: {example.path}"
    assert {line.split(": ")[0] for line in refusals} == {example.refused_by}
    for line in refusals:
        assert "; " in line, "no remedy is named"


def test_the_missions_plan_is_valid_and_says_what_was_not_judged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = validate(capsys, "--file", MISSION)
    assert (code, err) == (0, "")
    first, off, rest = out.splitlines()
    assert first == f"valid: {MISSION}"
    assert off == "warning: sector_max: off: named in acknowledged_disabled"
    assert rest.startswith("not judged here: account_match, already_executed, approval, ")
    assert rest.endswith(" (needs the account or the record, which a bare file has not)")


def test_json_holds_an_answer_of_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = validated(capsys, "--file", MISSION)
    assert code == 0
    assert answer["answer"] == "yes"
    assert answer["document"] == "trading_instructions"
    assert answer["file"] == str(MISSION)
    assert answer["digest"] == plan_digest(read_document(MISSION.read_bytes()))
    assert {one["check"] for one in answer["verdicts"]} == {rule.id for rule in all_rules()}


def test_json_of_a_refusal_names_place_and_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    file = FOLDER / "invalid/trading_instructions/document--quantity-negative.json"
    code, answer = validated(capsys, "--file", file)
    assert code == 1
    assert answer["answer"] == "no"
    assert answer["digest"] is None
    (verdict,) = answer["verdicts"]
    assert verdict["check"] == "document"
    assert verdict["pointer"] == "/instructions/0/quantity"
    assert verdict["observed"] == "-5: the number is too low"
    assert verdict["remedy"].startswith("write a number above 0")


def test_json_of_an_unreadable_file_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    file = FOLDER / "invalid/trading_instructions/document--empty-file.json"
    code, out, err = validate(capsys, "--json", "--file", file)
    assert code == 1
    assert json.loads(out) == {"error": err.strip(), "exit_code": 1}


def test_a_plan_that_comes_too_early_or_late_is_no_mistake_of_its_form(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    plan = json.loads(MISSION.read_text()) | {"valid_until": "2026-01-14T14:59:59Z"}
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan))
    assert validated(capsys, "--file", file)[0] == 1
    code = run(
        ["validate", "--file", str(file), "--repo", str(ROOT), "--now", "2026-01-14T14:00:00Z"]
    )
    assert code == 0


def test_the_clock_of_the_machine_is_used_where_no_other_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["validate", "--file", str(PLANS / "sell_all.json"), "--repo", str(ROOT)]) == 0
    assert capsys.readouterr().out.startswith("valid: ")


# Files that are none


def test_a_missing_file_is_a_matter_of_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, err = validate(capsys, "--file", tmp_path / "none.json")
    assert (code, out) == (2, "")
    assert err == f"{tmp_path}/none.json: no such file; name a file that can be read\n"


def test_a_folder_is_no_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = validate(capsys, "--file", tmp_path)
    assert (code, out) == (2, "")
    assert err == f"{tmp_path}: a folder; name a file that can be read\n"


def test_a_path_through_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = validate(capsys, "--file", MISSION / "plan.json")
    assert code == 2
    assert "cannot be read: not a directory; name a file" in err


def test_a_name_that_no_file_can_have(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = validate(capsys, "--file", "x" * 5000)
    assert code == 2
    assert "cannot be read: file name too long" in err


def test_a_link_to_nowhere_and_a_link_to_itself(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "nowhere").symlink_to(tmp_path / "none")
    (tmp_path / "itself").symlink_to(tmp_path / "itself")
    assert validate(capsys, "--file", tmp_path / "nowhere")[0] == 2
    assert validate(capsys, "--file", tmp_path / "itself")[0] == 2


def test_a_pipe_that_nobody_writes_to_does_not_hold_the_command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    code, _, err = validate(capsys, "--file", tmp_path / "pipe")
    assert code == 1
    assert "the file is empty" in err


def test_a_pipe_is_read_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    reading, writing = os.pipe()
    data = MISSION.read_bytes()

    def write() -> None:
        with open(writing, "wb") as pipe:
            pipe.write(data[:100])
            pipe.flush()
            pipe.write(data[100:])

    writer = threading.Thread(target=write)
    writer.start()
    code, out, _ = validate(capsys, "--file", f"/dev/fd/{reading}")
    writer.join()
    os.close(reading)
    assert code == 0
    assert out.startswith(f"valid: /dev/fd/{reading}")


def test_fifty_megabytes_are_not_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "huge.json"
    with file.open("wb") as huge:
        huge.truncate(50 * 1024 * 1024)
    code, _, err = validate(capsys, "--file", file)
    assert code == 1
    assert err == (f"{file}: more than {SIZE_LIMIT:,} bytes; split the plan or shorten its texts\n")


def test_a_device_without_end_is_not_read_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert validate(capsys, "--file", "/dev/zero")[0] == 1


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_nesting_of_ten_thousand_levels(
    opening: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "deep.json"
    closing = {"[": "]", '{"a":': "}"}[opening]
    file.write_text(opening * 10_000 + "1" + closing * 10_000)
    code, _, err = validate(capsys, "--file", file)
    assert code == 1
    assert err.startswith(f"{file}: line 1 column ")
    assert err.endswith(": nested deeper than 32 levels; flatten it\n")


def test_very_many_problems_are_counted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "empty_lines.json"
    file.write_text(json.dumps({"strategy_type": "t", "reason": "r", "instructions": [{}] * 500}))
    code, out, _ = validate(capsys, "--file", file)
    assert code == 1
    lines = out.splitlines()
    assert len(lines) == 102
    assert lines[-1] == "document: 1,400 more problems; correct these first"


def test_very_many_refusals_are_counted_and_json_holds_them_all(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    line = {"action": "SELL", "ticker": "MU", "reason": "neither quantity nor notional"}
    file.write_text(json.dumps({"strategy_type": "t", "reason": "r", "instructions": [line] * 250}))
    code, out, _ = validate(capsys, "--file", file)
    assert code == 1
    _, answer = validated(capsys, "--file", file)
    refusals = [one for one in answer["verdicts"] if one["answer"] == "no"]
    assert len(refusals) >= 250
    assert f"{len(refusals) - 200} more; `--json` gives them all" in out.splitlines()


def test_ten_thousand_instructions_are_judged(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    line = {"action": "SELL", "quantity": 1, "reason": "a reason"}
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    tickers = [a + b + c for a in letters for b in letters for c in letters][:10_000]
    plan = {
        "strategy_type": "t",
        "reason": "r",
        "instructions": [line | {"ticker": ticker} for ticker in tickers],
    }
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    shipped = (ROOT / "autoinvestor.toml").read_text()
    wider = shipped.replace("_plan_max = 200", "_plan_max = 10_000").replace("= 500", "= 10_000")
    (tmp_path / "autoinvestor.toml").write_text(wider)
    code = run(["validate", "--repo", str(tmp_path), "--file", str(tmp_path / "plan.json")])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    assert out.startswith("valid: ")


def test_text_of_the_plan_cannot_fake_a_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"a\nvalid: everything": 1}))
    code, out, _ = validate(capsys, "--file", file)
    assert code == 1
    assert not [line for line in out.splitlines() if line.startswith("valid")]


# Settings


def test_without_settings_the_remedy_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code = run(["validate", "--file", str(MISSION), "--repo", str(tmp_path)])
    assert code == 2
    assert capsys.readouterr().err == (
        f"{tmp_path}/autoinvestor.toml: no such file;"
        " run in the repository, or name its folder with --repo\n"
    )


def test_bad_settings_are_a_matter_of_usage_one_line_a_problem(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "autoinvestor.toml").write_text("")
    code = run(["validate", "--file", str(MISSION), "--repo", str(tmp_path)])
    assert code == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["mode", "margin", "limits"]


def test_settings_without_end_are_not_read_to_their_end(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "autoinvestor.toml").symlink_to("/dev/zero")
    code = run(["validate", "--file", str(MISSION), "--repo", str(tmp_path)])
    assert code == 2
    assert "more than 4,194,304 bytes" in capsys.readouterr().err


def test_other_documents_need_no_settings(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = FOLDER / "valid/strategy_review/mission_hold.json"
    argv = ["validate", "--file", str(file), "--repo", str(tmp_path)]
    assert run([*argv, "--document", "strategy_review"]) == 0
    assert capsys.readouterr().out == f"valid: {file}\n"


def test_every_document_but_the_settings_may_be_named() -> None:
    assert set(DOCUMENTS) == set(MODELS) - {"settings"}


# Options


def test_another_document_is_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "--document", "alert"]) == 2
    assert capsys.readouterr().err == "--document alert: goes with --file; name one\n"


def test_a_file_and_a_commit_are_not_judged_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "--file", str(MISSION), "--ref", "main"]) == 2
    assert "not allowed with argument" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        ["--file"],
        ["--file", "x", "--document", "plan"],
        ["--file", "x", "--now", "yesterday"],
        ["--file", "x", "--now", "2026-02-30T00:00:00Z"],
        ["--fil", "x"],
        ["x"],
    ],
    ids=" ".join,
)
def test_what_is_no_option(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", *argv]) == 2
    assert capsys.readouterr().err.startswith("usage: autoinvestor validate")


def test_a_wrong_instant_is_told_how_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    run(["validate", "--file", "x", "--now", "noon"])
    assert "'noon' is not a timestamp; write one such as 2026-01-14T13:45:00Z" in (
        capsys.readouterr().err
    )
