"""The terminal: its size, what it shows, and how long it takes to answer."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Final, TextIO

from mission_tui.checkup.finding import Finding

LAID_OUT: Final = (80, 24)
LEAST: Final = (72, 20)
"""Columns and rows below which the game covers itself (as ``screens/small.py`` has it)."""
PATIENCE: Final = 0.5
"""Seconds that a terminal may take to answer."""
SLOW: Final = 0.150
"""Seconds of a round trip with which a slider is felt to lag behind its key."""
DRAWN: Final = "█▁●▸"
"""What charts and gauges are drawn with: one cell each, or columns don't stand."""
_ANSWER: Final = re.compile(rb"\x1b\[(\d{1,5});(\d{1,5})R")
_NO_SCREEN: Final = frozenset({"", "dumb", "unknown"})
_PLAIN: Final = "play line by line: mission-tui play MISSION --track T --plain."


@dataclass(frozen=True, slots=True)
class Answer:
    """What a terminal answered: ``seconds`` there and back; None where it did not.

    ``cells`` is how many cells :data:`DRAWN` took; ``unasked`` why it was not asked.
    """

    seconds: float | None = None
    cells: int | None = None
    unasked: str = ""


@contextlib.contextmanager
def asked(source: TextIO, sink: TextIO, patience: float = PATIENCE) -> Iterator[Answer]:
    """Ask the terminal where its cursor is, after four characters; the body runs meanwhile.

    While the body runs nothing is echoed, so that an answer that comes late is neither seen nor
    left to the shell. The terminal's mode comes back whatever happens, SIGTERM and a dropped
    line included. Nothing is asked where somebody has typed ahead: those keys are the shell's.
    """
    if unasked := _unasked(source, sink):
        yield Answer(unasked=unasked)
        return
    fd = source.fileno()
    try:
        before = termios.tcgetattr(fd)
    except termios.error:
        yield Answer(unasked="it can't be asked")
        return
    with _ended_by_signals():
        try:
            _hush(fd)
            if select.select([fd], [], [], 0)[0]:
                yield Answer(unasked="keys were typed ahead")
                return
            answer = _ask(fd, sink, patience)
            yield answer
            if answer.seconds is None:
                termios.tcflush(fd, termios.TCIFLUSH)
        finally:
            with contextlib.suppress(termios.error):  # the line is gone
                termios.tcsetattr(fd, termios.TCSANOW, before)


def findings(answer: Answer, environment: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """Everything about the terminal, by the environment and by its own answer."""
    environment = os.environ if environment is None else environment
    yield _ends()
    if sys.stdout.isatty():
        yield _size()
    yield _kind(environment)
    yield _colours(environment)
    yield _letters(answer)
    yield _line(environment)
    yield _round_trip(answer, environment)


def _unasked(source: TextIO, sink: TextIO) -> str:
    if not (source.isatty() and sink.isatty()):
        return "no terminal"
    if os.environ.get("TERM", "") in _NO_SCREEN:
        return "TERM says that it can't answer"
    try:
        if os.tcgetpgrp(source.fileno()) != os.getpgrp():
            return "this runs in the background"
    except OSError:
        return "it is not this session's"
    return ""


def _hush(fd: int) -> None:
    """No echo, no lines, no stopping; Ctrl+C still ends the program."""
    mode = termios.tcgetattr(fd)
    mode[3] &= ~(termios.ECHO | termios.ICANON)
    control = list(mode[6])
    control[termios.VMIN], control[termios.VTIME] = 0, 0
    control[termios.VSUSP] = os.fpathconf(fd, "PC_VDISABLE").to_bytes(1, "little")
    mode[6] = control
    termios.tcsetattr(fd, termios.TCSANOW, mode)


def _ask(fd: int, sink: TextIO, patience: float) -> Answer:
    """Draw four characters at the left edge, ask for the cursor (DSR 6), rub them out."""
    drawn = DRAWN.encode(sink.encoding or "ascii", "replace")
    sink.flush()
    out = sink.fileno()
    started = time.monotonic()
    found, seen = None, b""
    try:
        os.write(out, b"\r" + drawn + b"\x1b[6n")
        while found is None and (left := started + patience - time.monotonic()) > 0:
            if select.select([fd], [], [], left)[0]:
                more = os.read(fd, 256)
                if not more:
                    break  # the line is gone
                seen += more
                found = _ANSWER.search(seen)
        seconds = time.monotonic() - started
    finally:
        os.write(out, b"\r\x1b[K")
    if found is None:
        return Answer()
    return Answer(seconds, int(found[2]) - 1)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP unwind, so that what must be put back is."""

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    kinds = (signal.SIGTERM, signal.SIGHUP)
    before = {kind: signal.signal(kind, end) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _ends() -> Finding:
    ends = {"standard input": sys.stdin, "standard output": sys.stdout}
    none = [name for name, stream in ends.items() if not stream.isatty()]
    if none:
        said = f"{' and '.join(none)} {'is' if len(none) == 1 else 'are'} no terminal"
        return Finding("terminal", "note", said, f"The game needs both; else {_PLAIN}")
    return Finding("terminal", "ok", "standard input and output are one")


def _size() -> Finding:
    columns, rows = os.get_terminal_size(sys.stdout.fileno())
    said = f"{columns} × {rows}"
    wanted = f"{LAID_OUT[0]} × {LAID_OUT[1]}"
    short = [
        f"{want - have} {what}"
        for have, want, what in zip((columns, rows), LAID_OUT, ("columns", "rows"), strict=True)
        if have < want
    ]
    if not short:
        return Finding("size", "ok", f"{said} ({wanted} is enough)")
    todo = f"Make it {wanted}: {' and '.join(short)} more."
    if columns < LEAST[0] or rows < LEAST[1]:
        return Finding("size", "fault", f"{said} is too small to play in", todo)
    return Finding("size", "note", f"{said} is tight", todo)


def _kind(environment: Mapping[str, str]) -> Finding:
    term = environment.get("TERM", "")
    if term not in _NO_SCREEN:
        return Finding("TERM", "ok", term)
    said = f"{term or 'not set'}: no screen can be drawn"
    todo = f"Set TERM to what your terminal is, xterm-256color for most; else {_PLAIN}"
    return Finding("TERM", "fault" if sys.stdout.isatty() else "note", said, todo)


def _colours(environment: Mapping[str, str]) -> Finding:
    """The game sends 256 colours at most, unless it is told otherwise."""
    if "NO_COLOR" in environment:
        return Finding("colours", "ok", "none, as NO_COLOR asks; nothing is told by colour alone")
    term = environment.get("TERM", "")
    true = environment.get("COLORTERM", "") in {"truecolor", "24bit"}
    count = _palette(term)
    if true or "direct" in term:
        return Finding("colours", "ok", "24-bit; the game uses 256 of them")
    if count >= 256 or "256color" in term:
        return Finding("colours", "ok", "256")
    if term in _NO_SCREEN:
        return Finding("colours", "note", "none", "See TERM.")
    said = f"{count or 'no'} by TERM, and the game sends 256"
    todo = f"If they look wrong, set TERM to {term}-256color, or NO_COLOR=1."
    return Finding("colours", "note", said, todo)


def _palette(term: str) -> int:
    """How many colours the system's database knows of a terminal; 0 where it knows none."""
    if term in _NO_SCREEN:
        return 0
    try:
        import curses

        curses.setupterm(term)
        return max(0, curses.tigetnum("colors"))
    except Exception:  # no database, no entry, no curses: what it would say is a note at most
        return 0


def _letters(answer: Answer) -> Finding:
    """Whether block characters can be written, and whether each is drawn as one cell."""
    encoding = sys.stdout.encoding or "ascii"
    todo = "Set a UTF-8 locale, for example LANG=C.UTF-8, and the terminal to UTF-8."
    try:
        DRAWN.encode(encoding)
    except (LookupError, UnicodeEncodeError):
        said = f"the locale's {encoding} has no block characters"
        return Finding("characters", "fault", said, todo)
    if answer.cells is None:
        return Finding("characters", "ok", f"{encoding}, which has the block characters")
    if answer.cells == len(DRAWN):
        return Finding("characters", "ok", f"{encoding}; block characters take one cell each")
    said = f"{encoding}; {len(DRAWN)} block characters take {answer.cells} cells"
    if answer.cells > 2 * len(DRAWN):  # each byte was drawn by itself
        return Finding("characters", "fault", f"{said}: the terminal is not set to UTF-8", todo)
    todo = "Set the terminal's characters of ambiguous width to narrow, or columns won't stand."
    return Finding("characters", "note", said, todo)


def _line(environment: Mapping[str, str]) -> Finding:
    """What stands between the game and the eye."""
    between = [
        name
        for name, variables in {
            "tmux": ("TMUX",),
            "screen": ("STY",),
            "SSH": ("SSH_CONNECTION", "SSH_TTY"),
        }.items()
        if any(environment.get(variable) for variable in variables)
    ]
    return Finding("line", "ok", f"inside {' and '.join(between)}" if between else "direct")


def _round_trip(answer: Answer, environment: Mapping[str, str]) -> Finding:
    if answer.unasked:
        return Finding("round trip", "ok", f"not measured: {answer.unasked}")
    if answer.seconds is None:
        said = f"no answer within {PATIENCE:g} s"
        todo = "The game plays all the same; if keys lag too, look at the line."
        return Finding("round trip", "note", said, todo)
    said = f"{answer.seconds * 1e3:.1f} ms"
    if environment.get("TMUX") or environment.get("STY"):
        said += " to the multiplexer; the line behind it is not measured"
    if answer.seconds > SLOW:
        todo = "Sliders will lag behind your keys: play nearer to the machine, or --plain."
        return Finding("round trip", "note", said, todo)
    return Finding("round trip", "ok", said)
