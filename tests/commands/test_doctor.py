"""``mission-tui doctor``: each fault is made, and said with what to do about it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from engine import registry
from mission_tui import cli, profile
from mission_tui.checkup import installed, machine, player, storage, terminal
from mission_tui.checkup.finding import Finding
from mission_tui.ledger import course as courses
from mission_tui.ledger import enrolment, keys, receipts, witness
from mission_tui.play.start import facts
from mission_tui.screens.small import SMALLEST
from tests.conftest import WALL
from tests.engine import test_versions
from tests.terminal.screen import Terminal, environment

QUICK: dict[str, dict[str, Any]] = {
    "adaptation": test_versions.SETTINGS["adaptation"][4],
    "fleet": {"rounds": 2},
    "gossip": {"rounds": 4, "nodes": 36},
    "labeling": test_versions.SETTINGS["labeling"][1],
    "privacy": {"rounds": 3},
}
"""Settings that take little time; the others' are the first with a golden."""


def test_the_known_figures_are_those_of_every_models_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To renew: ``python -m tests.commands.test_doctor``."""
    monkeypatch.setattr(machine, "PATIENCE", 60.0)
    known = json.loads(machine.KNOWN.read_text(encoding="utf-8"))
    assert set(known["models"]) == set(registry.names())
    for name, of in known["models"].items():
        assert of["version"] == registry.model(name).version
        assert of["metrics"].keys() == {metric.name for metric in registry.model(name).metrics}
    (found,) = (each for each in machine.findings() if each.name == "figures")
    assert found.level == "ok", found
    assert f"of all {len(registry.names())} models" in found.found


def test_a_machine_that_is_too_slow_claims_no_more_than_it_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "PATIENCE", -1.0)
    found = machine._figures()
    assert (found.level, f"0 figures of 0 of {len(registry.names())} models" in found.found) == (
        "ok",
        True,
    )
    assert "replay here" not in found.found


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MISSION_TUI_STATE", str(tmp_path / "state"))
    monkeypatch.delenv(receipts.VARIABLE, raising=False)
    return tmp_path / "state"


def by_name(found: Iterable[Finding]) -> dict[str, Finding]:
    """The findings, each in shape: what is no fact is told with what to do, in one sentence."""
    held = list(found)
    for each in held:
        assert bool(each.todo) == (each.level != "ok"), each
        assert each.found == each.found.strip()
    assert len({each.name for each in held}) == len(held)
    return {each.name: each for each in held}


# -- the machine -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "level"), [(1e-12, "ok"), (1e-6, "fault")], ids=["last bits", "too far"]
)
def test_a_figure_that_moved_is_held_against_its_tolerance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: float, level: str
) -> None:
    known = json.loads(machine.KNOWN.read_text(encoding="utf-8"))
    known["models"] = {"energy": known["models"]["energy"]}
    known["models"]["energy"]["metrics"]["joules"] *= 1 + by
    found = figures_of(known, tmp_path, monkeypatch)
    assert found.level == level
    said = "energy's joules" if level == "fault" else "1 not bit for bit, all within tolerance"
    assert said in found.found


def test_a_model_of_another_version_is_not_compared_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = json.loads(machine.KNOWN.read_text(encoding="utf-8"))
    known["models"] = {"energy": known["models"]["energy"] | {"version": 99}}
    found = figures_of(known, tmp_path, monkeypatch)
    assert found.level == "note"
    assert "energy" in found.todo
    assert "0 figures of 0 of 1 models" in found.found


def test_an_installation_without_its_figures_is_not_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "KNOWN", tmp_path / "figures.json")
    assert machine._figures().level == "fault"


def figures_of(known: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Finding:
    monkeypatch.setattr(machine, "KNOWN", tmp_path / "figures.json")
    machine.KNOWN.write_text(json.dumps(known), encoding="utf-8")
    monkeypatch.setattr(machine.registry, "names", lambda: tuple(known["models"]))
    return machine._figures()


def test_numpy_with_many_threads_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine._arithmetic().level == "ok"
    monkeypatch.setattr(machine, "_openblas", lambda: ("Haswell", 4))
    found = machine._arithmetic()
    assert (found.level, "4 threads" in found.found) == ("note", True)


# -- missions ----------------------------------------------------------------------------------


def test_a_mission_that_does_not_load_is_a_fault_that_names_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISSION_TUI_MISSIONS", str(tmp_path))
    (found,) = installed.findings()
    assert (found.level, "has none" in found.found) == ("fault", True)
    for file in WALL.glob("*.toml"):
        shutil.copy(file, tmp_path)
    (found,) = installed.findings()
    assert (found.level, found.found[:4]) == ("ok", "1 in")
    (tmp_path / "broken.toml").write_text("id = 3\nwhat = \x1b[2J", encoding="utf-8")
    (found,) = installed.findings()
    assert found.level == "fault"
    assert "1 of 2" in found.found
    assert "broken.toml:2" in found.found


# -- saves -------------------------------------------------------------------------------------


def test_a_good_folder_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    found = by_name(storage.findings(tmp_path))
    assert {each.level for each in found.values()} == {"ok"}
    assert set(found) == {"saves", "room", "writing", "locks"}
    assert "median of" in found["writing"].found
    assert list(tmp_path.iterdir()) == [tmp_path / "mine"]


def test_a_folder_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    (found,) = storage.findings(tmp_path / "a" / "b")
    assert (found.level, "made at the first play" in found.found) == ("ok", True)
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_place_of_the_folder_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "saves").write_text("")
    assert by_name(storage.findings(tmp_path / "saves"))["saves"].level == "fault"
    assert by_name(storage.findings(tmp_path / "saves" / "in"))["saves"].level == "fault"


def test_a_read_only_folder_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, flags: int) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(storage, "open_regular", refuse)
    found = by_name(storage.findings(tmp_path))
    assert (found["saves"].level, len(found)) == ("fault", 1)
    assert "the folder is read-only" in found["saves"].found


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_without_leave_to_write_is_a_fault(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        assert by_name(storage.findings(tmp_path))["saves"].level == "fault"
        assert by_name(storage.findings(tmp_path / "new"))["saves"].level == "fault"
    finally:
        tmp_path.chmod(0o700)


def test_a_full_disk_is_a_fault_and_what_was_tried_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", full)
    monkeypatch.setattr(storage, "LEAST", 1 << 80)
    found = by_name(storage.findings(tmp_path))
    assert found["writing"].level == found["room"].level == "fault"
    assert "the disk is full" in found["writing"].found
    assert not list(tmp_path.iterdir())


def test_little_room_a_slow_disk_and_no_locks_are_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(fd: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(storage, "AMPLE", 1 << 80)
    monkeypatch.setattr(storage, "SLOW", 0.0)
    monkeypatch.setattr(storage.fcntl, "flock", unknown)
    found = by_name(storage.findings(tmp_path))
    levels = {name: each.level for name, each in found.items()}
    assert levels == {"saves": "ok", "room": "note", "writing": "note", "locks": "note"}


def test_locks_that_keep_nobody_out_are_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.fcntl, "flock", lambda fd, how: None)
    assert by_name(storage.findings(tmp_path))["locks"].level == "note"


# -- the player --------------------------------------------------------------------------------


def test_looking_makes_no_key(state: Path) -> None:
    found = by_name(player.findings())
    assert {each.level for each in found.values()} == {"ok"}
    assert not state.exists()


@pytest.mark.parametrize(
    ("where", "mode", "level"),
    [
        ("", 0o700, "ok"),
        ("", 0o755, "note"),
        ("", 0o777, "fault"),
        ("keys", 0o755, "fault"),
        ("keys/ed25519", 0o644, "fault"),
    ],
)
def test_modes_that_let_others_in_are_told_with_the_command(
    state: Path, where: str, mode: int, level: str
) -> None:
    public = keys.ensure_public()
    state.chmod(0o700)
    (state / where).chmod(mode)
    found = by_name(player.findings())
    told = found["key" if where else "state"]
    assert told.level == level
    if level == "ok":
        assert keys.fingerprint(bytes.fromhex(public))[:16] in found["key"].found
        assert "(file 0600, folder 0700)" in found["key"].found
    else:
        assert "chmod" in told.todo
        assert str(state / where) in told.todo


def test_a_key_that_is_none_and_a_state_that_is_no_folder_are_faults(state: Path) -> None:
    keys.ensure_public()
    (state / "keys" / "ed25519").write_bytes(b"short")
    found = by_name(player.findings())["key"]
    assert (found.level, "not a key" in found.found) == ("fault", True)
    shutil.rmtree(state)
    state.write_text("")
    assert by_name(player.findings())["state"].level == "fault"


def test_enrolments_that_count_for_nothing_are_told(state: Path, tmp_path: Path) -> None:
    courses.new(tmp_path / "course", "cs249r")
    token = courses.enrol(tmp_path / "course", "ada", keys.ensure_public())
    path = enrolment.keep(token)
    state.chmod(0o700)
    found = by_name(player.findings())["course"]
    assert (found.level, "cs249r, as ada" in found.found) == ("ok", True)
    profile.remember("bob")
    found = by_name(player.findings())["course"]
    assert (found.level, "Play as ada" in found.todo) == ("note", True)
    keys.rotate()
    found = by_name(player.findings())["course"]
    assert (found.level, "another key" in found.found) == ("fault", True)
    path.write_text(token.token().replace('"ada"', '"eve"'))
    assert "changed since" in by_name(player.findings())["course"].found
    path.write_text("{")
    found = by_name(player.findings())["course"]
    assert (found.level, "can't be read" in found.found) == ("fault", True)


def test_a_witness_is_reached_and_signs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(receipts.VARIABLE, str(tmp_path / "open" / "witness"))
    found = by_name(player.findings())["witness"]
    assert (found.level, "can't be reached" in found.found) == ("fault", True)
    server = witness.Server(witness.Witness(tmp_path / "witness"), tmp_path / "open" / "witness")
    thread = threading.Thread(target=server.serve)
    thread.start()
    before = sorted((tmp_path / "witness").rglob("*"))
    try:
        assert by_name(player.findings())["witness"].level == "ok"
    finally:
        server.stop()
        thread.join(5)
    assert sorted((tmp_path / "witness").rglob("*")) == before


# -- the terminal ------------------------------------------------------------------------------

LOOK = """
import json, signal, sys, time
from mission_tui.checkup import terminal
with terminal.asked(sys.stdin, sys.stdout) as answer:
    found = list(terminal.findings(answer))
    time.sleep(float(sys.argv[1]))
said = [[each.name, each.level, each.found, each.todo] for each in found]
print("SAID", json.dumps(said), "END", flush=True)
if len(sys.argv) > 2:
    print("LINE", repr(sys.stdin.readline()), flush=True)
"""


def looked(
    tmp_path: Path,
    *arguments: str,
    cells: Callable[[Terminal], int] | None = lambda line: line.screen.cursor.x,
    delay: float = 0.0,
    columns: int = 200,
    rows: int = 24,
    typed: str = "",
    **more: str,
) -> tuple[dict[str, Finding], Terminal]:
    """The terminal's findings in a pseudo-terminal that answers where its cursor is, or not."""
    env = environment(tmp_path, **more)
    env = {name: value for name, value in env.items() if value}
    program = (sys.executable, "-c", LOOK, *(arguments or ("0",)))
    with Terminal(env=env, columns=columns, rows=rows, program=program) as line:
        if typed:
            line.child.send(typed)
        before = mode(line)
        if cells is not None:
            line.until(lambda: b"\x1b[6n" in line.raw, "the question")
            time.sleep(delay)
            line.child.send(f"\x1b[7;{cells(line) + 1}R")
        line.until(lambda: b" END" in line.raw, "what it says")
        assert mode(line) == before
        if len(arguments) > 1:
            line.child.send("next\r")
            line.until(lambda: b"LINE '" in line.raw, "the next line")
        assert line.end() == 0
        said = bytes(line.raw).partition(b"SAID ")[2].partition(b" END")[0]
        found = by_name(Finding(*each) for each in json.loads(said.decode()))
        return found, line


def mode(line: Terminal) -> list[Any]:
    return termios.tcgetattr(line.child.child_fd)


def test_a_terminal_that_answers_is_measured_and_left_as_it_was(tmp_path: Path) -> None:
    found, line = looked(tmp_path, "0", "read")
    assert {each.level for each in found.values()} == {"ok"}
    assert found["round trip"].found.endswith(" ms")
    assert "one cell each" in found["characters"].found
    assert b"LINE 'next\\n'" in line.raw  # nothing of the answer came to whoever reads next
    assert not line.shows(terminal.DRAWN)
    assert b"[7;" not in line.raw  # nor was it echoed


def test_one_that_does_not_answer_is_noted_after_half_a_second(tmp_path: Path) -> None:
    started = time.monotonic()
    found, line = looked(tmp_path, cells=None)
    assert time.monotonic() - started >= terminal.PATIENCE
    assert found["round trip"].level == "note"
    assert "no answer within 0.5 s" in found["round trip"].found
    assert not line.shows(terminal.DRAWN)


def test_an_answer_that_comes_too_late_is_left_to_nobody(tmp_path: Path) -> None:
    found, line = looked(tmp_path, "0.6", "read", delay=terminal.PATIENCE + 0.2)
    assert found["round trip"].level == "note"
    assert b"LINE 'next\\n'" in line.raw
    assert b"[7;" not in line.raw


def test_what_was_typed_ahead_stays_for_the_shell(tmp_path: Path) -> None:
    found, line = looked(tmp_path, "0", "read", cells=None, typed="ls ")
    assert "typed ahead" in found["round trip"].found
    assert b"LINE 'ls next\\n'" in line.raw
    assert b"\x1b[6n" not in line.raw


@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_puts_the_mode_back(tmp_path: Path, number: str) -> None:
    import signal

    program = (sys.executable, "-c", LOOK, "20")
    with Terminal(env=environment(tmp_path), program=program) as line:
        before = mode(line)
        line.until(lambda: b"\x1b[6n" in line.raw, "the question")
        line.child.send("\x1b[1;5R")
        line.until(lambda: b"\x1b[K" in line.raw, "its end")
        assert mode(line) != before
        assert line.kill(getattr(signal, number)) != 0
        assert mode(line) == before


def test_a_terminal_of_few_colours_is_noted(tmp_path: Path) -> None:
    found, _ = looked(tmp_path, TERM="vt100")
    assert found["colours"].level == "note"
    assert "NO_COLOR=1" in found["colours"].todo


@pytest.mark.parametrize(
    ("cells", "level"), [(4, "ok"), (7, "note"), (12, "fault")], ids=["one", "wide", "bytes"]
)
def test_the_cells_of_block_characters_tell_how_they_are_drawn(cells: int, level: str) -> None:
    assert terminal._letters(terminal.Answer(0.001, cells)).level == level


@pytest.mark.parametrize(
    ("columns", "rows", "level"),
    [(80, 24, "ok"), (60, 20, "fault"), (76, 22, "note"), (100, 12, "fault")],
)
def test_too_small_says_by_how_much(
    monkeypatch: pytest.MonkeyPatch, columns: int, rows: int, level: str
) -> None:
    monkeypatch.setattr(os, "get_terminal_size", lambda fd: os.terminal_size((columns, rows)))
    found = terminal._size()
    assert found.level == level
    assert ("20 columns and 4 rows more" in found.todo) == (columns == 60)


def test_the_least_size_is_the_games_own() -> None:
    assert terminal.LEAST == SMALLEST


def test_the_environment_is_told_as_it_is() -> None:
    def found(**environment: str) -> dict[str, Finding]:
        given = {"TERM": "xterm-256color", **environment}
        return by_name(terminal.findings(terminal.Answer(0.001, 4), given))

    assert found()["colours"].found == "256"
    assert found(COLORTERM="truecolor")["colours"].found.startswith("24-bit")
    assert "NO_COLOR" in found(NO_COLOR="1")["colours"].found
    assert found(TERM="dumb")["colours"].level == "note"
    assert found()["line"].found == "direct"
    inside = found(TMUX="/tmp/t,1,0", SSH_CONNECTION="1 2 3 4")
    assert inside["line"].found == "inside tmux and SSH"
    assert "not measured" in inside["round trip"].found
    slow = terminal._round_trip(terminal.Answer(0.4, 4), {})
    assert (slow.level, slow.found) == ("note", "400.0 ms")


# -- the whole ---------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the figures: they have their own tests, and take longest."""
    monkeypatch.setattr(machine, "_figures", lambda: Finding("figures", "ok", "none"))


@pytest.mark.usefixtures("quick")
def test_the_command_prints_a_table_and_fails_with_a_fault(
    tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saves = tmp_path / ("long " * 20) / "\x1b[2Jsaves"
    saves.mkdir(parents=True)
    assert cli.main(["doctor", "--saves", str(saves)]) == 0
    out = capsys.readouterr().out
    rows = out.splitlines()
    assert max(map(len, rows)) < 80
    assert "\x1b" not in out
    assert rows[-1].startswith("no faults, ")
    assert {row[:5].strip() for row in rows[:-1]} <= {"ok", "note", ""}
    keys.ensure_public()
    (state / "keys").chmod(0o755)
    assert cli.main(["doctor", "--saves", str(saves)]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 fault, ")
    with pytest.raises(SystemExit) as ended:
        cli.main(["doctor", "--what"])
    assert ended.value.code == 2


@pytest.mark.usefixtures("quick")
def test_json_says_the_same(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys.ensure_public()
    state.chmod(0o777)
    assert cli.main(["doctor", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["faults"] == 1
    (fault,) = (each for each in said["findings"] if each["level"] == "fault")
    assert (fault["name"], "chmod 700" in fault["todo"]) == ("state", True)
    assert set(fault) == {"name", "level", "found", "todo"}


def test_in_a_small_dumb_terminal_with_a_bad_locale_all_is_told(tmp_path: Path) -> None:
    """The whole program, with its figures, and not a traceback."""
    env = environment(tmp_path, TERM="dumb", PYTHONIOENCODING="ascii", LC_ALL="C", NO_COLOR="1")
    with Terminal("doctor", env=env, columns=60, rows=20) as line:
        assert line.end() == 1
        said = bytes(line.raw).decode("ascii")
    assert "\x1b" not in said
    rows = {row[7:19].strip(): row[:6].strip() for row in said.splitlines()}
    faults = {name for name, level in rows.items() if level == "fault"}
    assert faults == {"TERM", "size", "characters"}
    assert "60 ? 20 is too small to play in." in said
    assert rows["figures"] == rows["missions"] == "ok"
    assert not (tmp_path / "state").exists()
    assert not (tmp_path / "saves").exists()


def test_the_command_measures_the_terminal_it_is_in(tmp_path: Path) -> None:
    """The whole program where the terminal answers."""
    with Terminal("doctor", env=environment(tmp_path)) as line:
        line.until(lambda: b"\x1b[6n" in line.raw, "the question")
        line.child.send(f"\x1b[1;{line.screen.cursor.x + 1}R")
        assert line.end() == 0
        assert b"one cell each" in line.raw
        assert b"no faults, no notes." in line.raw


def renew() -> None:
    """Write the figures as they come out here, with what they were computed by."""
    models = {}
    for name in registry.names():
        setting = QUICK.get(name, test_versions.SETTINGS[name][0])
        metrics = registry.evaluate(name, setting, seed=test_versions.SEED).metrics
        version = registry.model(name).version
        models[name] = {"version": version, "setting": setting, "metrics": dict(metrics)}
    said = {"machine": facts(), "seed": test_versions.SEED, "models": models}
    machine.KNOWN.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    renew()
