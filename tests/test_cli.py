"""The command line: verdicts on changed ledgers, and one clear line for every bad input."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mission_tui.cli import main
from mission_tui.content.load import MissionFile
from mission_tui.ledger import envelope, judge, keys, plays
from mission_tui.ledger.chain import link
from mission_tui.ledger.lines import encode_line, read_lines
from mission_tui.play import bots, seeds
from mission_tui.play.events import Event
from tests.conftest import WALL

ROOT = Path(__file__).resolve().parent.parent
MISSION = "memory-wall"
Run = Callable[..., "Said"]
Change = Callable[[list[Event]], list[Event]]


class Said:
    """How a command ended and what it wrote."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def is_one_line(self, code: int, *words: str) -> bool:
        """Whether it ended so, with one line on stderr that has these words, and no traceback."""
        lines = self.err.splitlines()
        return (
            self.code == code
            and len(lines) == 1
            and lines[0].startswith("mission-tui: ")
            and all(word in lines[0] for word in words)
            and "Traceback" not in self.out
        )

    def __repr__(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process."""

    def command(*arguments: object) -> Said:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as exit:
            code = int(exit.code or 0)
        return Said(code, *capsys.readouterr())

    return command


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, wall: MissionFile) -> Path:
    """The signed ledger of a play by a bot that changes one thing at a time."""
    saves = tmp_path_factory.mktemp("saves")
    with plays.start(saves, wall.tracks["edge"], "ada", "bot:reference") as opened:
        bots.play(opened.game, bots.bot("reference", 0))
        return opened.seal()


@pytest.fixture(scope="module")
def played(sealed: Path) -> list[Event]:
    return read_lines(envelope.open_envelope(sealed.read_bytes()).payload)


@pytest.fixture
def forge(tmp_path: Path, played: list[Event]) -> Callable[[Change], Path]:
    """Changes a play, makes its chain anew and signs it with the student's own key."""

    def forged(change: Change) -> Path:
        payload, prev = b"", ""
        for seq, event in enumerate(change(list(played))):
            data = dict(event.data)
            if event.kind == "close":
                data["count"] = seq
            raw = encode_line(replace(event, seq=seq, data=data), prev)
            payload += raw + b"\n"
            prev = link(raw)
        path = tmp_path / "forged.ledger.json"
        envelope.write_ledger(path, payload, keys.load())
        return path

    return forged


def first(events: list[Event], kind: str, where: str | None = None) -> int:
    """The place of the first event of a kind (an enter: of that screen)."""
    return next(
        n
        for n, event in enumerate(events)
        if event.kind == kind and (where is None or event.data.get("screen") == where)
    )


def edited(events: list[Event], n: int, edit: Callable[[dict[str, Any]], None]) -> list[Event]:
    """The events with the data of one of them edited."""
    data: dict[str, Any] = json.loads(json.dumps(dict(events[n].data)))
    edit(data)
    return [*events[:n], replace(events[n], data=data), *events[n + 1 :]]


# -- what the verifier says -------------------------------------------------------------------


def test_honest_ledger_holds_in_every_verdict(run: Run, sealed: Path) -> None:
    said = run("verify", sealed)
    assert said.code == 0, said
    for name in ("parse", "signature", "chain", "binding", "replay"):
        assert f"{name} holds" in said.out
    assert run("replay", sealed).code == 0


def test_honest_play_remade_by_the_forger_still_holds(
    run: Run, forge: Callable[[Change], Path]
) -> None:
    assert run("verify", forge(lambda events: events)).code == 0


@pytest.mark.parametrize("part", [0.001, 0.2, 0.5, 0.8, 0.97, 0.999])
def test_flipped_byte_fails_and_names_the_verdict(
    run: Run, sealed: Path, tmp_path: Path, part: float
) -> None:
    content = bytearray(sealed.read_bytes())
    content[int(part * len(content))] ^= 1
    path = tmp_path / "flipped.ledger.json"
    path.write_bytes(content)
    said = run("verify", path)
    assert said.code == 1, said
    assert "parse fails" in said.out or "signature fails" in said.out
    assert said.err == ""


def test_edited_play_without_a_new_signature_fails_signature_and_chain(
    run: Run, sealed: Path, tmp_path: Path
) -> None:
    fields = json.loads(sealed.read_bytes())
    payload = base64.b64decode(fields["payload"]).replace(b'"cost":0', b'"cost":1', 1)
    fields["payload"] = base64.b64encode(payload).decode()
    path = tmp_path / "edited.ledger.json"
    path.write_text(json.dumps(fields, sort_keys=True, separators=(",", ":")) + "\n")
    said = run("verify", "--json", path)
    assert said.code == 1
    verdicts = json.loads(said.out)[0]["verdicts"]
    assert verdicts["parse"]["state"] == "holds"
    assert verdicts["signature"]["state"] == "fails"
    assert verdicts["chain"]["state"] == "fails"


def better_metric(events: list[Event]) -> list[Event]:
    """A run that came out better than it did (by a whole sample more than the tolerance)."""
    n = first(events, "run_end")
    return edited(events, n, lambda d: d["outcome"]["metrics"].update(accuracy=86.0))


def less_memory(events: list[Event]) -> list[Event]:
    n = first(events, "run_end")
    peak = events[n].data["outcome"]["metrics"]["peak_memory"]
    return edited(events, n, lambda d: d["outcome"]["metrics"].update(peak_memory=peak * 1.001))


def other_series(events: list[Event]) -> list[Event]:
    n = first(events, "run_end")
    name = next(iter(events[n].data["outcome"]["series"]))
    return edited(events, n, lambda d: d["outcome"]["series"][name].append(1.0))


def truth_that_fits(events: list[Event]) -> list[Event]:
    """A truth a little off, still within the lock's factor, so that the judgement stands."""
    n = first(events, "enter", "reveal")
    return edited(
        events, n, lambda d: [t.update(value=t["value"] * 1.01) for t in d["truths"].values()]
    )


def other_terms(events: list[Event]) -> list[Event]:
    n = first(events, "claim")
    return edited(events, n, lambda d: d["terms"].update(activations=d["terms"]["activations"] * 2))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (better_metric, "run_end"),
        (less_memory, "run_end"),
        (other_series, "run_end"),
        (truth_that_fits, "enter"),
        (other_terms, "claim"),
    ],
)
def test_changed_result_with_a_valid_signature_fails_the_physics(
    run: Run, forge: Callable[[Change], Path], change: Change, kind: str
) -> None:
    path = forge(change)
    said = run("replay", "--json", path)
    assert said.code == 1, said
    found = json.loads(said.out)
    assert found["rules"]["state"] == "holds", found["rules"]
    assert found["physics"]["state"] == "fails"
    wrong = [row for row in found["physics"]["rows"] if row["state"] == "fails"]
    assert {row["kind"] for row in wrong} == {kind}
    assert f"event {wrong[0]['seq']}" in found["physics"]["reason"]
    verified = run("verify", path)
    assert verified.code == 1
    assert "signature holds" in verified.out
    assert "chain holds" in verified.out
    assert "replay fails" in verified.out


def workbench_before_lock(events: list[Event]) -> list[Event]:
    n = first(events, "lock")
    return [*events[:n], *events[n + 1 :]]


def second_seal(events: list[Event]) -> list[Event]:
    n = first(events, "lock")
    changed = edited(events, n, lambda d: d.update(value=d["value"] * 1.01))
    return [*events[: n + 1], changed[n], *events[n + 1 :]]


def seal_after_the_reveal(events: list[Event]) -> list[Event]:
    n, reveal = first(events, "lock"), first(events, "enter", "reveal")
    return [*events[: reveal + 1], events[n], *events[reveal + 1 :]]


def passed_by_decree(events: list[Event]) -> list[Event]:
    n = next(n for n, e in enumerate(events) if e.kind == "run_end" and e.data["passed"] is False)
    return edited(events, n, lambda d: d.update(passed=True))


def claim_on_runs_never_made(events: list[Event]) -> list[Event]:
    return edited(events, first(events, "claim"), lambda d: d.update(runs=[98, 99]))


def verified_by_decree(events: list[Event]) -> list[Event]:
    n = first(events, "claim")
    return edited(events, n, lambda d: d.update(mechanism="weights"))


def slider_off_its_grid(events: list[Event]) -> list[Event]:
    return edited(events, first(events, "control"), lambda d: d.update(to="free"))


def result_without_a_run(events: list[Event]) -> list[Event]:
    n = first(events, "run")
    return [*events[:n], *events[n + 1 :]]


def better_outcome_at_the_close(events: list[Event]) -> list[Event]:
    n = first(events, "close")
    return edited(events, n, lambda d: d["outcome"]["memory"].update(locks=2))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (workbench_before_lock, "(enter)"),
        (second_seal, "(lock)"),
        (seal_after_the_reveal, "(lock)"),
        (passed_by_decree, "(run_end): passed"),
        (claim_on_runs_never_made, "(claim)"),
        (verified_by_decree, "(claim)"),
        (slider_off_its_grid, "(control)"),
        (result_without_a_run, "(run_end)"),
        (better_outcome_at_the_close, "(close): outcome"),
    ],
)
def test_illegal_play_with_a_valid_signature_fails_the_rules(
    run: Run, forge: Callable[[Change], Path], change: Change, words: str
) -> None:
    path = forge(change)
    said = run("replay", "--json", path)
    assert said.code == 1, said
    found = json.loads(said.out)
    assert found["rules"]["state"] == "fails"
    assert found["rules"]["reason"].startswith("event ")
    assert words in found["rules"]["reason"]
    assert found["physics"]["state"] == "not applicable"
    verified = run("verify", path)
    assert verified.code == 1
    assert "signature holds" in verified.out
    assert "replay fails" in verified.out
    assert words in verified.out


def test_other_students_seed_fails_the_binding(run: Run, forge: Callable[[Change], Path]) -> None:
    for change in ({"seed_root": seeds.root_of_student("bob")}, {"student": "bob"}):
        said = run(
            "verify", forge(lambda events, c=change: edited(events, 0, lambda d: d.update(c)))
        )
        assert said.code == 1, said
        assert "binding fails" in said.out
        assert "not this student's" in said.out


def test_seed_of_an_unknown_make_fails_the_binding(
    run: Run, forge: Callable[[Change], Path]
) -> None:
    said = run("verify", forge(lambda e: edited(e, 0, lambda d: d.update(seed="dreamt"))))
    assert said.code == 1
    assert "binding fails" in said.out


def test_other_rules_fail_the_binding_and_are_not_replayed(
    run: Run, forge: Callable[[Change], Path]
) -> None:
    other = "0" * 64
    path = forge(lambda e: edited(e, 0, lambda d: d["mission_hash"].update(rules=other)))
    said = run("verify", path)
    assert said.code == 1
    assert "binding fails" in said.out
    assert "replay not replayable here" in said.out
    assert run("replay", path).is_one_line(1, "not replayable here")


def test_header_that_lacks_what_rules_need_is_said_and_no_traceback(
    run: Run, forge: Callable[[Change], Path]
) -> None:
    for lost in ("seed_root", "attempt", "models", "mission_hash", "student", "seed", "format"):
        path = forge(lambda e, lost=lost: edited(e, 0, lambda d: d.pop(lost)))
        said = run("verify", path)
        assert said.code in {0, 1}, (lost, said)
        assert said.err == "", (lost, said)
    for name, value in (("attempt", "one"), ("seed_root", 7), ("models", []), ("track", ["edge"])):
        path = forge(lambda e, n=name, v=value: edited(e, 0, lambda d: d.update({n: v})))
        said = run("verify", path)
        assert said.code in {0, 1}, (name, said)
        assert said.err == "", (name, said)


def test_chosen_seed_is_said_and_holds(run: Run, tmp_path: Path) -> None:
    made = run(
        "autoplay", MISSION, "--track", "tiny", "--bot", "random", "--seed", 7, "--saves", tmp_path
    )
    assert made.code == 0, made
    said = run("verify", made.out.strip())
    assert said.code == 0, said
    verdicts = json.loads(run("verify", "--json", made.out.strip()).out)[0]["verdicts"]
    assert "the seed was chosen" in verdicts["binding"]["reason"]
    assert "bot:random" in verdicts["binding"]["reason"]


def test_one_row_a_file_and_the_worst_exit_code(run: Run, sealed: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.ledger.json"
    broken.write_text("{}\n")
    said = run("verify", sealed, broken, tmp_path / "none")
    assert said.code == 2
    assert len(said.out.splitlines()) == 2
    assert "parse fails" in said.out
    assert said.err.count("\n") == 1
    assert run("verify", sealed, broken).code == 1


# -- bad input --------------------------------------------------------------------------------


def test_unknown_names_are_answered_with_the_known_ones(run: Run, tmp_path: Path) -> None:
    for command in ("play", "autoplay"):
        plain = ("--plain",) if command == "play" else ()
        said = run(command, "vol9-99", "--track", "edge", *plain)
        assert said.is_one_line(2, "vol9-99", MISSION), said
        said = run(command, MISSION, "--track", "sea", *plain)
        assert said.is_one_line(2, "'sea'", "edge"), said
    assert run("play", "vol9-99").is_one_line(2, "vol9-99")
    assert run("play", MISSION, "--track", "sea").is_one_line(2, "'sea'")
    said = run("autoplay", MISSION, "--track", "edge", "--bot", "cheat", "--saves", tmp_path)
    assert said.is_one_line(2, "'cheat'", "reference"), said
    assert run("play", MISSION, "--plain").is_one_line(2, "--track")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--nonsense",),
        ("fly",),
        ("verify",),
        ("verify", "--nonsense", "x"),
        ("autoplay", MISSION),
        ("autoplay", MISSION, "--track", "edge", "--seed", "many"),
        ("replay", "a", "b"),
        ("\x1b]52;c;QUJD\x07",),
    ],
)
def test_wrong_command_line_is_one_line_and_exit_2(run: Run, arguments: tuple[str, ...]) -> None:
    said = run(*arguments)
    assert said.is_one_line(2, "--help"), said
    assert "\x1b" not in said.err
    assert "\x07" not in said.err


def test_file_that_cannot_be_opened_is_one_line_and_exit_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "none", tmp_path, tmp_path / "file" / "below", Path("/dev/null")):
        for command in ("verify", "replay"):
            said = run(command, path)
            assert said.is_one_line(2, str(path)), (command, path, said)


def test_file_that_is_no_whole_ledger_is_one_row_and_exit_1(
    run: Run, sealed: Path, tmp_path: Path
) -> None:
    whole = sealed.read_bytes()
    path = tmp_path / "x.ledger.json"
    for content in (b"", b"\n", b"\xff\xfe", whole[: len(whole) // 2], whole[:-1], b"[" * 9_000):
        path.write_bytes(content)
        verified = run("verify", path)
        assert verified.code == 1, (content[:9], verified)
        assert "parse fails" in verified.out
        assert verified.err == ""
        assert run("replay", path).is_one_line(1, "x.ledger.json"), content[:9]


def test_unfinished_play_that_is_signed_is_unfinished_and_no_failure(
    run: Run, forge: Callable[[Change], Path]
) -> None:
    said = run("verify", forge(lambda events: events[:-3]))
    assert said.code == 0, said
    assert "unfinished" in said.out


def test_no_terminal_is_one_line_that_says_what_to_use(run: Run) -> None:
    for arguments in ((), ("play", MISSION), ("play", MISSION, "--track", "edge")):
        assert run(*arguments).is_one_line(2, "no terminal", "--plain"), arguments


def test_saves_that_take_nothing_are_one_line_and_exit_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for saves in (tmp_path / "file" / "saves", Path("/proc/none/saves")):
        said = run("autoplay", MISSION, "--track", "edge", "--bot", "random", "--saves", saves)
        assert said.is_one_line(2, "not being saved"), said


def test_key_that_cannot_be_kept_is_one_line_and_exit_2(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MISSION_TUI_STATE", str(tmp_path / "file" / "state"))
    said = run("autoplay", MISSION, "--track", "edge", "--saves", tmp_path / "saves")
    assert said.is_one_line(2, "key"), said


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tests' missions in a folder of this test, installed from there."""
    folder = tmp_path / "missions"
    shutil.copytree(WALL, folder)
    monkeypatch.setenv("MISSION_TUI_MISSIONS", str(folder))
    judge._installed.cache_clear()
    return folder


@pytest.fixture(autouse=True)
def _forget_installed() -> Any:
    yield
    judge._installed.cache_clear()


def test_broken_mission_is_listed_with_its_line_beside_the_others(run: Run, copied: Path) -> None:
    (copied / "broken.toml").write_text('schema = 1\nid = "broken"\ntitle = [\n')
    said = run("missions")
    assert said.code == 1
    assert MISSION in said.out
    assert "broken.toml:" in said.err
    assert "Traceback" not in said.err
    said = run("check")
    assert said.code == 1
    assert "broken.toml:" in said.err
    said = run("play", "broken", "--track", "edge", "--plain")
    assert said.code == 2
    assert "broken.toml can't be played" in said.err.splitlines()[-1]


def test_broken_mission_does_not_keep_ledgers_of_others_from_being_verified(
    run: Run, copied: Path, sealed: Path
) -> None:
    (copied / "broken.toml").write_text("schema = [")
    assert run("verify", sealed).code == 0


def test_missing_missions_are_said(run: Run, copied: Path, sealed: Path) -> None:
    shutil.rmtree(copied)
    assert run("play", MISSION, "--track", "edge", "--plain").is_one_line(2, "none")
    said = run("verify", sealed)
    assert said.code == 0
    assert "binding not replayable here" in said.out


def test_version_and_help_are_answered(run: Run) -> None:
    assert run("--version").out.startswith("mission-tui ")
    said = run("--help")
    assert said.code == 0
    assert "autoplay" in said.out


@pytest.mark.skipif(not (ROOT / ".venv" / "bin" / "python").exists(), reason="not made by make")
def test_make_play_without_a_terminal_prints_a_ledger_that_verifies(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = {**os.environ, "MISSION_TUI_SAVES": str(tmp_path / "saves")}
    # This may itself run under make, and what is installed for the tests is not what ships.
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MISSION_TUI_MISSIONS"):
        env.pop(name, None)
    made = subprocess.run(
        ["make", "--assume-old=.venv/.play", "play"],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    path = made.stdout.splitlines()[-1]
    assert path.endswith(".ledger.json")
    monkeypatch.delenv("MISSION_TUI_MISSIONS")
    judge._installed.cache_clear()
    assert run("verify", path).code == 0


def test_module_and_interrupted_pipe_end_quietly(sealed: Path) -> None:
    program = f"{sys.executable} -m mission_tui verify --json {sealed} | head -c 1"
    done = subprocess.run(
        ["sh", "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout == "["
    assert done.stderr == ""
