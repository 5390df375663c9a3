"""The command line. Each command loads what it needs when it runs, and nothing before.

Exit codes: 0 done, 1 something that was checked fails, 2 the command line is wrong or a file
can't be opened. Errors are one line on stderr, without a traceback.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from mission_tui import __version__
from mission_tui.commands import (
    course,
    doctor,
    forkserver,
    grade,
    keys,
    replay,
    submit,
    verify,
    witness,
)
from mission_tui.progress import Progress
from mission_tui.text import clean_line
from mission_tui.usage import DONE, FAILS, USAGE, UsageError

if TYPE_CHECKING:
    from mission_tui.authoring.gate import Report
    from mission_tui.content.load import MissionFile, Problem
    from mission_tui.content.schema import Mission
    from mission_tui.ledger.plays import OpenPlay
    from mission_tui.play.bots import Bot
    from mission_tui.play.calibration import Bet

STUDENT: Final = "guest"
BOTS: Final = "reference, random, climber, descent, sweep, accept or refuse"


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where help is."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2 and one line."""
        self.exit(USAGE, f"mission-tui: {clean_line(message)} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    arguments = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return run(arguments)
    except UsageError as error:
        return _say_error(str(error), USAGE)
    except BrokenPipeError:
        return DONE
    except OSError as error:
        reason = error.strerror or str(error)
        return _say_error(f"{error.filename or 'a file'}: {reason}", USAGE)
    except KeyboardInterrupt:
        return _say_error("stopped", 130)
    except Exception as error:
        from mission_tui import crash

        return _say_error(crash.sentence(error), FAILS)


def _parser() -> Parser:
    parser = Parser(
        prog="mission-tui",
        description="Missions in machine-learning systems: predict, act, observe, explain.",
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.set_defaults(run=_game, saves=None)
    _saves_option(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)

    play = commands.add_parser("play", help="play one mission")
    play.add_argument("mission")
    play.add_argument("--track")
    play.add_argument("--student")
    play.add_argument("--plain", action="store_true", help="the same play, line by line")
    _saves_option(play)
    play.set_defaults(run=_play)

    autoplay = commands.add_parser("autoplay", help="let a bot play, and print its ledger's path")
    autoplay.add_argument("mission")
    autoplay.add_argument("--track", required=True)
    autoplay.add_argument("--bot", default="reference", help=BOTS)
    autoplay.add_argument("--seed", type=int, help="a chosen seed; the ledger says so")
    autoplay.add_argument("--student")
    autoplay.add_argument("--watch", action="store_true", help="draw it: the bot at the keyboard")
    autoplay.add_argument(
        "--speed", type=float, default=1.0, help="of --watch: 2 is twice as quick, 0 waits never"
    )
    _saves_option(autoplay)
    autoplay.set_defaults(run=_autoplay)

    for each in (verify, replay, grade, keys, course, witness, submit, doctor):
        each.add(commands)
    forkserver.add(commands, main)

    missions = commands.add_parser("missions", help="list what is installed")
    missions.set_defaults(run=_missions)

    check = commands.add_parser(
        "check", help="check missions: the schema, then whether each is fair"
    )
    check.add_argument("missions", nargs="*", metavar="MISSION")
    check.add_argument("--json", action="store_true")
    check.add_argument(
        "--quick",
        action="store_true",
        help="one seed and class a part, few settings; nothing is kept",
    )
    check.add_argument("--workers", type=int, metavar="N", help="processes (default: one a core)")
    check.set_defaults(run=_check)

    new = commands.add_parser("new", help="begin a mission: a file that plays, yours to change")
    new.add_argument("id", metavar="ID", help="for example memory-wall")
    new.add_argument("--kind", default="live", help="of its part: live, budgeted or talks")
    new.add_argument("--dir", type=Path, default=Path(), metavar="D", help="where to write it")
    new.set_defaults(run=_new)

    preview = commands.add_parser("preview", help="play a mission while you write it")
    preview.add_argument("file", metavar="FILE", type=Path)
    preview.add_argument("--track")
    preview.add_argument("--part")
    preview.set_defaults(run=_preview)

    schema = commands.add_parser("schema", help="the mission format, for editors and for reading")
    schema.add_argument("file", nargs="?", metavar="FILE", type=Path, help="write it there")
    reference = schema.add_mutually_exclusive_group()
    reference.add_argument(
        "--models", nargs="*", metavar="MODEL", help="the engine's models, as Markdown"
    )
    reference.add_argument("--tables", action="store_true", help="every key, as Markdown")
    schema.set_defaults(run=_schema)
    return parser


def _saves_option(parser: argparse.ArgumentParser) -> None:
    # Given before the command or after it: a default here would overwrite what came before.
    parser.add_argument(
        "--saves", metavar="DIR", default=argparse.SUPPRESS, help="where plays are kept"
    )


def _game(arguments: argparse.Namespace) -> int:
    if arguments.version:
        print(f"mission-tui {__version__}")
        return DONE
    return _screens(arguments.saves, None, None, None)


def _play(arguments: argparse.Namespace) -> int:
    if not arguments.plain:
        if arguments.track is not None:
            _mission(arguments.mission, arguments.track)  # a wrong name is said before the screen
        else:
            _mission_path(arguments.mission)
        return _screens(arguments.saves, arguments.mission, arguments.track, arguments.student)
    from mission_tui import profile
    from mission_tui.ledger import history, judge, plays
    from mission_tui.plain import Plain
    from mission_tui.play.start import seed_says

    if arguments.track is None:
        raise UsageError("--plain wants a track, for example --track edge")
    mission = _mission(arguments.mission, arguments.track)
    saves = _saves(arguments.saves)
    student = clean_line(arguments.student or profile.remembered() or STUDENT, 64)
    with _one_sentence():
        opened = plays.resume_or_start(saves, mission, student, "plain")
    print(clean_line(f"Playing as {student}; --student ID plays as somebody else."))
    header = opened.game.session.header
    print(seed_says(header))

    def bets() -> Sequence[Bet]:
        return history.bets(saves, header["student"], but=header["play_id"])

    answered = history.answered(saves, header["student"])
    played = Plain(
        opened.game, sys.stdin, sys.stdout, find=judge.find, bets=bets, answered=answered
    )
    return _finish(opened, played.play)


def _autoplay(arguments: argparse.Namespace) -> int:
    from mission_tui.ledger import plays
    from mission_tui.play import bots

    if arguments.bot not in bots.NAMES:
        raise UsageError(f"no bot is called {arguments.bot!r}; known: {', '.join(bots.NAMES)}")
    mission = _mission(arguments.mission, arguments.track)
    player = bots.bot(arguments.bot, arguments.seed or 0)
    driver = f"bot:{player.name}"
    student = clean_line(arguments.student or driver.replace(":", "-"), 64)
    if arguments.watch:
        return _watch(arguments, player, driver, student)
    with _one_sentence():
        opened = plays.start(_saves(arguments.saves), mission, student, driver, arguments.seed)

    def play() -> bool:
        with Progress("playing, event") as told:
            opened.on_record = lambda event: told(event.seq)
            bots.play(opened.game, player)
        return True

    return _finish(opened, play)


def _watch(arguments: argparse.Namespace, player: Bot, driver: str, student: str) -> int:
    """The same play, on screen."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("no terminal here: leave --watch away")
    os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "256")
    from mission_tui.app import MissionApp
    from mission_tui.screens.watch import Watch

    app = MissionApp(
        _saves(arguments.saves),
        mission=arguments.mission,
        track=arguments.track,
        student=student,
        driver=driver,
        seed=arguments.seed,
    )
    app.run(auto_pilot=Watch(player, max(0.0, arguments.speed)).play)
    if app.sealed is None:
        return app.return_code or DONE  # it was left before the end; the play is saved
    print(app.sealed)
    return DONE


def _finish(opened: OpenPlay, play: Callable[[], bool]) -> int:
    """Play, then seal; the ledger's path is the last line."""
    with opened:
        ended = play()
        if opened.journal.unsaved:
            raise UsageError(opened.journal.unsaved)
        if not ended:
            print(f"Saved: {opened.journal.path}", file=sys.stderr)
            return DONE
        with _one_sentence():
            print(opened.seal())
    return DONE


@contextmanager
def _one_sentence() -> Iterator[None]:
    """What the ledger's room says of a play that can't be opened or sealed, as a UsageError."""
    from mission_tui.ledger.lockfile import HeldError
    from mission_tui.ledger.plays import PlayError

    try:
        yield
    except (PlayError, HeldError) as error:
        raise UsageError(str(error)) from None


def _screens(saves: str | None, mission: str | None, track: str | None, student: str | None) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("no terminal here: use play MISSION --track T --plain, or autoplay")
    # One look on every terminal, and frames a third smaller: SSH drops COLORTERM anyway. The
    # toolkit reads this when it is imported.
    os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "256")
    from mission_tui.app import MissionApp

    app = MissionApp(
        _saves(saves), mission=mission, track=track, student=clean_line(student or "", 64)
    )
    app.run()
    return app.return_code or DONE


def _missions(_: argparse.Namespace) -> int:
    from mission_tui.content.load import MissionError, files, load
    from mission_tui.paths import missions_dir

    code = DONE
    for path in files(missions_dir()):
        try:
            found = load(path)
        except MissionError as error:
            code = FAILS
            print(error, file=sys.stderr)
            continue
        tracks = ", ".join(found.tracks)
        print(clean_line(f"{found.id}  {found.title}  ({found.minutes} min; {tracks})"))
    return code


def _check(arguments: argparse.Namespace) -> int:
    from mission_tui.content.load import MissionError, files, load
    from mission_tui.paths import missions_dir

    workers = os.cpu_count() or 1 if arguments.workers is None else arguments.workers
    if workers < 1:
        raise UsageError("--workers wants a number from 1 on")
    paths = [_mission_path(name) for name in arguments.missions] or files(missions_dir())
    found: list[MissionFile] = []
    broken: list[Problem] = []
    for path in paths:
        try:
            found.append(load(path))
        except MissionError as error:
            broken += error.problems
    if broken:  # nothing is played before every file can be read
        return _say_problems(broken, [], arguments.json)
    from mission_tui.authoring import gate
    from mission_tui.authoring.examine import FULL, QUICK

    effort = QUICK if arguments.quick else FULL
    reports = []
    for file in found:
        with _progress() as say:
            reports.append(gate.check(file, effort, workers, say))
        if not arguments.json:
            print(clean_line(_checked(reports[-1], arguments.quick), 400))
            for line in reports[-1].lines():
                print(f"  {clean_line(line, 400)}")
    problems = [problem for report in reports for problem in report.problems]
    return _say_problems(problems, reports, arguments.json)


def _checked(report: Report, quick: bool) -> str:
    wrong = len(report.problems)
    tried = "as tried quickly" if quick and not report.kept else "on every seed"
    said = "it is fair" if not wrong else f"{wrong} problem{'' if wrong == 1 else 's'}"
    return f"{report.file.path.name}: the schema holds; {tried}: {said}"


def _say_problems(problems: Sequence[Problem], reports: Sequence[Report], as_json: bool) -> int:
    """Each on its line of stderr, or all as JSON; the exit code says whether there are any."""
    if as_json:
        import json
        from dataclasses import asdict

        missions = [report.as_json() for report in reports]
        said = {"problems": [asdict(problem) for problem in problems], "missions": missions}
        print(json.dumps(said, indent=2))
    else:
        for problem in problems:
            print(problem, file=sys.stderr)
    return FAILS if problems else DONE


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Progress on stderr: one line that is written over on a terminal, else one in ten seconds."""
    import time

    terminal = sys.stderr.isatty()
    last = time.monotonic()

    def say(line: str) -> None:
        nonlocal last
        if terminal:
            print(f"\r\x1b[K{clean_line(line, 79)}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - last >= 10:
            last = time.monotonic()
            print(clean_line(line, 200), file=sys.stderr, flush=True)

    try:
        yield say
    finally:
        if terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _new(arguments: argparse.Namespace) -> int:
    from mission_tui.authoring import new
    from mission_tui.content.load import MissionError

    try:
        made = new.create(arguments.id, arguments.kind, arguments.dir)
    except new.NewError as error:
        raise UsageError(str(error)) from None
    except MissionError as error:
        print(error, file=sys.stderr)
        raise UsageError("the tracks.toml there can't be read: see the lines above") from None
    for path in made:
        print(clean_line(f"wrote {path}", 400))
    print(clean_line(f"Now: mission-tui preview {made[0]}", 400))
    return DONE


def _preview(arguments: argparse.Namespace) -> int:
    from mission_tui.content.load import MissionError, load

    path: Path = arguments.file
    if not path.is_file():
        raise UsageError(f"{path} is no file; mission-tui new begins one")
    try:
        found = load(path)
    except MissionError:
        found = None  # it is shown, and opens as soon as it is repaired
    if found is not None and arguments.track is not None and arguments.track not in found.tracks:
        known = ", ".join(found.tracks)
        raise UsageError(f"{found.id} has no track {arguments.track!r}; known: {known}")
    parts = next(iter(found.tracks.values())).parts if found is not None else {}
    if found is not None and arguments.part is not None and arguments.part not in parts:
        known = ", ".join(parts)
        raise UsageError(f"{found.id} has no part {arguments.part!r}; known: {known}")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("no terminal here: a preview wants one; mission-tui check reads the file")
    os.environ.setdefault("TEXTUAL_COLOR_SYSTEM", "256")
    from mission_tui.app import PreviewApp

    app = PreviewApp(path, track=arguments.track, part=arguments.part)
    app.run()
    return app.return_code or DONE


def _schema(arguments: argparse.Namespace) -> int:
    from engine.registry import UnknownModelError
    from mission_tui.authoring import jsonschema

    if arguments.models is not None:
        try:
            text = jsonschema.models_reference(arguments.models)
        except (UnknownModelError, ValueError) as error:
            raise UsageError(str(error)) from None
    else:
        text = jsonschema.tables_reference() if arguments.tables else jsonschema.written()
    path: Path | None = arguments.file
    if path is None:
        print(text, end="")
        return DONE
    if path.exists() and not jsonschema.is_ours(path.read_text("utf-8", "replace")):
        raise UsageError(f"{path} is there already and is no mission schema; name another file")
    path.write_text(text, encoding="utf-8")
    print(clean_line(f"wrote {path}", 400))
    return DONE


def _mission(name: str, track: str) -> Mission:
    from mission_tui.content.load import MissionError, load

    path = _mission_path(name)
    try:
        found = load(path)
    except MissionError as error:
        print(error, file=sys.stderr)
        raise UsageError(f"{path.name} can't be played: see the lines above") from None
    if track not in found.tracks:
        raise UsageError(f"{found.id} has no track {track!r}; known: {', '.join(found.tracks)}")
    return found.tracks[track]


def _mission_path(name: str) -> Path:
    from mission_tui.content.load import files
    from mission_tui.paths import missions_dir

    installed = {path.stem: path for path in files(missions_dir())}
    if name in installed:
        return installed[name]
    given = Path(name)
    if given.suffix == ".toml" and given.is_file():
        return given
    raise UsageError(f"no mission is called {name!r}; known: {', '.join(installed) or 'none'}")


def _saves(option: str | None) -> Path:
    from mission_tui.paths import saves_dir

    return saves_dir(option)


def _say_error(message: str, code: int) -> int:
    print(f"mission-tui: {clean_line(message, 400)}", file=sys.stderr)
    return code
