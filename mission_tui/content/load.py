"""Read mission files: every error at once, each as ``file:line: key path: what, what instead``."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import tomli
from pydantic import ValidationError

from mission_tui.content import lines as where
from mission_tui.content.check import number_problems, problems
from mission_tui.content.schema import Mission, Personas, texts_and_rules
from mission_tui.text import clean_line

LARGEST: Final = 196_608
"""Bytes that a mission file may have."""
_LONGEST_KEY: Final = 12
"""Dots in one key: a 32 kB chain of them takes a TOML parser seconds."""
TRACKS_FILE: Final = "tracks.toml"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with a file."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return clean_line(f"{self.file}:{self.line}: {self.key}: {self.message}", 400)


class MissionError(ValueError):
    """A mission file that cannot be played. ``problems`` holds everything that is wrong."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class MissionFile:
    """A mission file with its mission resolved for each of its tracks."""

    path: Path
    id: str
    title: str
    hook: str
    minutes: int
    tracks: Mapping[str, Mission]


@dataclass(frozen=True, slots=True)
class MissionHash:
    """SHA-256 of a resolved mission, rules and texts apart: a typo fix voids nothing."""

    rules: str
    texts: str


def load(path: Path) -> MissionFile:
    """Read and check one mission file and the ``tracks.toml`` beside it.

    Raises :class:`MissionError` with everything that is wrong, :class:`OSError` where a file
    can't be read.
    """
    personas = load_personas(path.with_name(TRACKS_FILE))
    tree, lines = _read(path)
    overlays = tree.pop("tracks", None)
    found: list[Problem] = []
    said: dict[tuple[where.Path, str], list[str]] = {}
    if not isinstance(overlays, dict) or not overlays:
        raise MissionError([Problem(path.name, 1, "tracks", "add at least one [tracks.<id>]")])
    resolved: dict[str, Mission] = {}
    for track, overlay in overlays.items():
        if track not in personas.tracks:
            known = ", ".join(personas.tracks)
            found.append(_problem(path, lines, ("tracks", track), f"no such track; known: {known}"))
            continue
        if not isinstance(overlay, dict):
            message = f"must be a table: [tracks.{track}]"
            found.append(_problem(path, lines, ("tracks", track), message))
            continue
        merged = merged_over(tree, overlay)
        merged = {**merged, "track": track, "persona": personas.tracks[track]}
        try:
            mission = Mission.model_validate(_frozen(merged))
        except ValidationError as error:
            wrong = list(_said(error, merged))
        else:
            wrong = list(problems(mission))
            resolved[track] = mission
        for fault in wrong:
            said.setdefault(fault, []).append(track)
    for (key, message), tracks in said.items():
        everywhere = len(tracks) == len(overlays)
        found += [_located(path, lines, t, key, message, everywhere) for t in tracks]
    if found:
        raise MissionError(found)
    first = next(iter(resolved.values()))
    if first.id != path.stem:
        raise MissionError(
            [_problem(path, lines, ("id",), f"{first.id!r} is not the file's name, {path.stem!r}")]
        )
    return MissionFile(path, first.id, first.title, first.hook, first.minutes, resolved)


def load_personas(path: Path) -> Personas:
    """Read ``tracks.toml``. Raises as :func:`load` does."""
    tree, lines = _read(path)
    try:
        personas = Personas.model_validate(_frozen(tree))
    except ValidationError as error:
        raise MissionError(
            [_problem(path, lines, key, message) for key, message in _said(error, tree)]
        ) from None
    found = [
        _problem(path, lines, key, message)
        for track, persona in personas.tracks.items()
        for name, number in persona.constants.items()
        for key, message in number_problems(("tracks", track, "constants", name), number)
    ]
    if found:
        raise MissionError(found)
    return personas


def files(folder: Path) -> tuple[Path, ...]:
    """The mission files of a folder, by name."""
    return tuple(
        path
        for path in sorted(folder.glob("*.toml"))
        if path.name != TRACKS_FILE and path.stem.count(".") == 0
    )


@lru_cache(maxsize=64)
def _hash_of(rules: str, texts: str) -> MissionHash:
    return MissionHash(
        hashlib.sha256(rules.encode()).hexdigest(), hashlib.sha256(texts.encode()).hexdigest()
    )


def mission_hash(mission: Mission) -> MissionHash:
    """The two hashes of a resolved mission (shared tree, overlay and persona)."""
    texts, rules = texts_and_rules(mission)
    return _hash_of(_canonical(rules), _canonical(texts))


def merged_over(shared: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """``shared`` with ``overlay`` laid over it, table by table; anything else is replaced."""
    merged = dict(shared)
    for key, value in overlay.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = merged_over(below, value)
        else:
            merged[key] = value
    return merged


def _canonical(tree: Any) -> str:
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _frozen(tree: Any) -> Any:
    """Lists as tuples, all the way down: what frozen models hold."""
    if isinstance(tree, dict):
        return {key: _frozen(value) for key, value in tree.items()}
    return tuple(_frozen(value) for value in tree) if isinstance(tree, list) else tree


def _read(path: Path) -> tuple[dict[str, Any], dict[where.Path, int]]:
    with path.open("rb") as file:
        raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        message = f"larger than {LARGEST:,} bytes; a mission fits in less"
        raise MissionError([Problem(path.name, 1, "file", message)])
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise MissionError(
            [Problem(path.name, line, "file", "not UTF-8; save it as UTF-8")]
        ) from None
    for number, line_text in enumerate(text.split("\n"), start=1):
        if line_text.partition("=")[0].count(".") > _LONGEST_KEY and not _prose(line_text):
            message = f"a key of more than {_LONGEST_KEY} dots; use [tables]"
            raise MissionError([Problem(path.name, number, "key", message)])
    try:
        tree = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        message = f"not TOML: {error.msg}"
        raise MissionError([Problem(path.name, error.lineno, "file", message)]) from None
    except RecursionError:
        raise MissionError([Problem(path.name, 1, "file", "nested too deeply")]) from None
    except ValueError as error:  # Python's own limit on the digits of an integer
        raise MissionError([Problem(path.name, 1, "file", f"not TOML: {error}")]) from None
    return tree, where.key_lines(text)


def _prose(line: str) -> bool:
    """Whether a line with many dots is plainly words and no key."""
    head = line.partition("=")[0]
    return bool(re.search(r"[^\s.]\s+[^\s.=]", head)) and not head.lstrip().startswith("[")


def _said(error: ValidationError, tree: Mapping[str, Any]) -> Iterator[tuple[where.Path, str]]:
    """One sentence a key: the branches of a union say together what they would take."""
    said: dict[where.Path, str] = {}
    for key, message in _details(error, tree):
        if key in said and message.startswith("must be "):
            given = re.search(r"( \(given: .*\))?$", said[key])
            start = given.start() if given else len(said[key])
            wanted = message.removeprefix("must be ").partition(" (given: ")[0]
            said[key] = f"{said[key][:start]} or {wanted}{said[key][start:]}"
        else:
            said.setdefault(key, message)
    yield from said.items()


def _in_file(loc: tuple[int | str, ...], tree: Any) -> where.Path:
    """The steps of an error's place that are keys of the file, not branches of a union."""
    key: list[str] = []
    for n, step in enumerate(loc):
        if isinstance(tree, dict) and (step in tree or n == len(loc) - 1) and step != "[key]":
            key.append(str(step))
            tree = tree.get(step)
        elif isinstance(step, int):
            key.append(str(step))
            tree = tree[step] if isinstance(tree, (list, tuple)) and step < len(tree) else None
    return tuple(key)


def _details(error: ValidationError, tree: Mapping[str, Any]) -> Iterator[tuple[where.Path, str]]:
    for detail in error.errors(include_url=False):
        key = _in_file(detail["loc"], tree)
        given = detail.get("input")
        message = {
            "extra_forbidden": "no such key here; check its spelling",
            "missing": "is missing",
        }.get(detail["type"], detail["msg"].removeprefix("Input ").replace("should", "must"))
        if isinstance(given, (str, int, float, bool)) and detail["type"] != "extra_forbidden":
            shown = given if len(str(given)) <= 40 else str(given)[:39] + "…"
            message += f" (given: {shown!r})"
        yield key, message


def _located(
    path: Path,
    lines: dict[where.Path, int],
    track: str,
    key: where.Path,
    message: str,
    everywhere: bool,
) -> Problem:
    """Point at the overlay's own line where the overlay says it, else at the shared one's.

    What is missing in neither more than the other is the overlay's, unless all tracks miss it.
    """
    overlay = ("tracks", track, *key)
    shared, own = _known(lines, key), _known(lines, overlay) - 2
    if everywhere and own == shared < len(key):
        return _problem(path, lines, key, message)
    said_in_overlay = own >= max(shared, 1)
    return _problem(path, lines, overlay if said_in_overlay or not shared else key, message)


def _known(lines: dict[where.Path, int], key: where.Path) -> int:
    return max((n for n in range(len(key) + 1) if key[:n] in lines), default=0)


def _problem(path: Path, lines: dict[where.Path, int], key: where.Path, message: str) -> Problem:
    return Problem(path.name, where.line_of(lines, key), ".".join(key) or "file", message)
