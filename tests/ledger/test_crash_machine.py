"""Play, save, crash and reload in any order: what was told to be saved is there, always.

A crash is kill -9 (the file keeps what the kernel was given) or a power cut (it keeps what was
synced, perhaps more, perhaps with garbage behind). In between the disk may refuse for a while.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mission_tui.content import space
from mission_tui.content.load import load
from mission_tui.ledger import judge, plays, verify
from mission_tui.play import actions as do
from mission_tui.play.events import ACKNOWLEDGED, Event
from mission_tui.play.session import Refused
from tests.conftest import WALL
from tests.ledger.faults import CODES, Faults

MISSION = load(WALL / "memory-wall.toml").tracks["edge"]
SCREENS = ("briefing", "lock", "workbench", "reveal", "claim", "debrief")


class Crashes(RuleBasedStateMachine):
    """One student's one play, on a disk that can't be relied on."""

    opened: plays.OpenPlay

    @initialize()
    def begin(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="crashes-"))
        self.patch = pytest.MonkeyPatch()
        self.patch.setenv("MISSION_TUI_STATE", str(self.home / "state"))
        self.fault = Faults(self.patch, 0, CODES[0], 0)
        self.kernel = 0  # events that were said to be saved: kill -9 must not take them
        self.synced = 0  # events that were acknowledged or flushed: no power cut may
        self._start()

    def _start(self) -> None:
        self.kernel = self.synced = 0
        self._watch(plays.start(self.home / "saves", MISSION, "ada", "human"))
        self._count(synced=True)

    def _watch(self, opened: plays.OpenPlay) -> None:
        self.opened = opened
        opened.on_record = lambda event: self._count(synced=event.kind in ACKNOWLEDGED)

    def _count(self, *, synced: bool) -> None:
        journal = self.opened.journal
        if journal.unsaved is None:
            self.kernel = len(journal.events)
            self.synced = self.kernel if synced else self.synced

    def teardown(self) -> None:
        if not hasattr(self, "opened"):
            return
        try:
            self._heal()
            assert self.opened.journal.close()
            report = verify.verify(plays._write_ledger(self.opened.journal))
            assert not report.fails
            assert report.events == self.opened.journal.events
            assert judge.verify_ledger(report.path).verdicts["replay"].state == "holds"
        finally:
            self.patch.undo()
            shutil.rmtree(self.home)

    # -- play ----------------------------------------------------------------------------------

    def _closed(self) -> bool:
        return self.opened.journal.is_closed

    @precondition(lambda self: not self._closed())
    @rule(screen=st.sampled_from(SCREENS))
    def go(self, screen: str) -> None:
        self._try(lambda: self.opened.game.go(screen, 0, 0))

    @precondition(lambda self: not self._closed())
    @rule(value=st.integers(6, 10))
    def seal_a_lock(self, value: int) -> None:
        found = 10.0**value
        seal = do.Seal("least", found, found / 2, found * 2, None, "weights", 0, 0)
        self._try(lambda: self.opened.game.act(seal))

    @precondition(lambda self: not self._closed())
    @rule(data=st.data())
    def turn(self, data: st.DataObject) -> None:
        part = MISSION.parts["memory"]
        slider = data.draw(st.sampled_from(sorted(part.sliders)))
        value = data.draw(st.sampled_from(space.values(part, slider)))
        self._try(lambda: self.opened.game.turn(slider, value))
        self._try(self.opened.game.settle)

    @precondition(lambda self: not self._closed())
    @rule()
    def run(self) -> None:
        self._try(lambda: self.opened.game.run())

    @precondition(lambda self: not self._closed())
    @rule()
    def begin_a_run_and_leave_it(self) -> None:
        self._try(lambda: self.opened.game.begin_run())

    @precondition(lambda self: not self._closed())
    @rule(text=st.text(max_size=40))
    def note(self, text: str) -> None:
        self._try(lambda: self.opened.game.act(do.Note("answer", text)))

    @precondition(lambda self: not self._closed())
    @rule()
    def close(self) -> None:
        self._try(lambda: self.opened.game.act(do.Close()))

    def _try(self, act: object) -> None:
        before = self.opened.journal.events
        try:
            act()  # type: ignore[operator]
        except Refused:
            assert self.opened.journal.events == before

    # -- save ----------------------------------------------------------------------------------

    @rule()
    def flush(self) -> None:
        if self.opened.journal.flush():
            self._count(synced=True)

    @rule()
    def sign(self) -> None:
        """As the app does at a debrief; it may fail with a sentence."""
        try:
            ledger = self.opened.seal()
        except plays.PlayError:
            return
        report = verify.judge(ledger, ledger.read_bytes())  # past the calls that fail
        assert report.events == self.opened.journal.events

    @rule(code=st.sampled_from(CODES), calls=st.integers(1, 60), after=st.integers(1, 12))
    def the_disk_refuses(self, code: int, calls: int, after: int) -> None:
        self.fault.count, self.fault.number = 0, after
        self.fault.code, self.fault.repeat = code, calls

    @rule()
    def the_disk_works_again(self) -> None:
        self._heal()

    def _heal(self) -> None:
        self.fault.number, self.fault.repeat = 0, 0

    # -- crash and reload ----------------------------------------------------------------------

    @rule()
    def kill_9(self) -> None:
        self._die()
        self._reload(self.kernel)

    @rule(share=st.integers(0, 100), garbage=st.binary(max_size=30))
    def power_cut(self, share: int, garbage: bytes) -> None:
        path, durable = self.opened.journal.path, self.opened.journal._durable
        self._die()
        if path.exists():
            size = path.stat().st_size
            kept = min(durable, size) + max(0, size - durable) * share // 100
            path.write_bytes(path.read_bytes()[:kept] + garbage.replace(b"\n", b""))
        self._reload(self.synced)

    @rule()
    def leave_and_come_back(self) -> None:
        if self.opened.journal.close():
            self._count(synced=True)
        self._reload(self.kernel)

    def _die(self) -> None:
        """What the kernel does at a process's death: descriptors close, nothing else happens."""
        journal = self.opened.journal
        if journal._fd is not None:
            os.close(journal._fd)
        if journal._lock is not None and journal._lock._fd >= 0:
            os.close(journal._lock._fd)
        journal._fd = journal._lock = None

    def _reload(self, promised: int) -> None:
        self._heal()
        before = self.opened.journal.events
        path = self.opened.journal.path
        try:
            opened = plays.resume(path, lambda *_: MISSION)
        except plays.PlayError:
            assert promised == 0  # not even its header was said to be saved
            self._start()
            return
        found = [event for event in opened.journal.events if event.seq < len(before)]
        torn = opened.journal.recovery is not None and not opened.journal.is_closed
        kept = len(found) - (torn and len(opened.journal.events) <= len(before))
        assert kept >= promised
        assert tuple(found[:kept]) == before[:kept]
        self.kernel = self.synced = 0
        self._watch(opened)
        self._count(synced=False)
        self.synced = min(self.kernel, kept)
        if opened.journal.flush():
            self._count(synced=True)

    @invariant()
    def nothing_is_lost_in_silence(self) -> None:
        if not hasattr(self, "opened"):
            return
        journal = self.opened.journal
        if journal.unsaved is None:
            assert journal.path.read_bytes().startswith(journal.payload)
        else:
            assert journal.unsaved.endswith(".")

    @invariant()
    def the_session_is_what_its_events_say(self) -> None:
        if hasattr(self, "opened"):
            events: tuple[Event, ...] = self.opened.journal.events
            assert (
                self.opened.game.session.at
                == type(self.opened.game.session).replayed(MISSION, events).at
            )


def machine(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Crashes,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_what_was_said_to_be_saved_survives_any_crash() -> None:
    machine(12, 20)


@pytest.mark.soak
def test_what_was_said_to_be_saved_survives_any_crash_at_length() -> None:
    machine(600, 50)
