"""The class report: one HTML file that needs nothing else, to be read on screen or on paper.

It is built as a tree (:mod:`mission_tui.grading.page`), so a hostile name stays a name. Beside each
picture stand its figures in a table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final

from mission_tui.content.check import PLACEHOLDER
from mission_tui.content.schema import Mission
from mission_tui.grading import classview, neighbours, pictures
from mission_tui.grading.csvs import number
from mission_tui.grading.grade import Graded
from mission_tui.grading.overrides import CRITERIA
from mission_tui.grading.page import Element, document, el, table
from mission_tui.ledger import judge
from mission_tui.ledger.verdict import NAMES, State
from mission_tui.play import calibration, wording
from mission_tui.play.calibration import Share
from mission_tui.text import clean_line

_BANDS: Final = {
    "bands": "bands that hold the truth",
    "sure": "right, of sure choices",
    "unsure": "right, of unsure choices",
}
_POINTS: Final = "Points"
_WAITING: Final = "Awaits a person"
_BY_HAND: Final = "Points given by hand"
_VERDICTS: Final = "Verdicts"
_PREDICTIONS: Final = "Predictions"
_CALIBRATION: Final = "Calibration of the class"
_REGRET: Final = "Regret by run"
_TIME: Final = "Time on each part"
_STOPPED: Final = "Where people stopped"
_SURE: Final = "Sure and wrong"
_ALIKE: Final = "Plays that are much alike"
_CLICKED: Final = "Reasoned or clicked"
_FILES: Final = "All files"
_CHAPTERS: Final = (
    *(_POINTS, _WAITING, _VERDICTS, _PREDICTIONS, _CALIBRATION, _REGRET, _TIME, _STOPPED, _SURE),
    *(_ALIKE, _CLICKED, _FILES),
)
_LISTED: Final = 40
"""Students that a list names: the first ones, and it says of how many."""
_PAIRS: Final = 12
_LETTERS: Final = 62
_RUNS: Final = 24
"""Runs whose regret is shown."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a report is made of. ``at`` is when it was made; ``notes`` are lines for its head."""

    graded: Sequence[Graded]
    at: datetime
    title: str = "Class report"
    notes: tuple[str, ...] = ()


def written(report: Report) -> str:
    """The report as the text of an HTML file."""
    rows = [each.row for each in report.graded]
    firsts = classview.firsts(rows)
    missions = {
        (row.mission, row.track): found
        for row in firsts
        if (found := judge.find(row.mission, row.track)) is not None
    }
    return document(
        report.title,
        *_head(report),
        *_points(report.graded),
        *_waiting(report.graded),
        *_overridden(report.graded),
        *_verdicts(report.graded),
        *_predictions(classview.bets(firsts, missions), missions),
        *_calibration(classview.calibration(firsts)),
        *_regrets(classview.courses(firsts), missions),
        *_minutes(classview.minutes(firsts), missions),
        *_stops(classview.stops(firsts, missions), missions),
        *_sure(classview.sure_and_wrong(firsts), missions),
        *_alike(neighbours.pairs(rows, _PAIRS), missions),
        *_clicked(report.graded),
        *_files(report.graded, missions),
    )


def _head(report: Report) -> Iterator[Element]:
    graded = report.graded
    students = {each.row.student for each in graded if each.row.student and not each.row.bot}
    shares = [share for each in graded if (share := each.share) is not None and not each.held]
    middle = f"{median(shares) * 100:.0f} %" if shares else "–"
    yield el("h1", report.title)
    yield el("p", f"Made {report.at:%Y-%m-%d %H:%M %Z}.", class_="note")
    yield el(
        "div",
        _card(len(graded), "file", "files"),
        _card(len(students), "student", "students"),
        el("div", el("b", middle), el("span", "of the points, the median play that counts")),
        _card(sum(bool(each.held) for each in graded), "file awaits", "files await", " a person"),
        class_="cards",
    )
    for note in report.notes:
        yield el("p", note, class_="note")
    yield el(
        "p",
        "Points say what was done, never how fast, and never whether a prediction was right. "
        "Verdicts are told apart, and none of them punishes: what awaits a person is held back "
        "from gradebooks until somebody has looked. Nothing below is evidence against anybody.",
        class_="note",
    )
    yield el("nav", *(el("a", name, href=f"#{_place(name)}") for name in _CHAPTERS))


def _card(count: int, one: str, several: str, more: str = "") -> Element:
    return el("div", el("b", str(count)), el("span", (one if count == 1 else several) + more))


def _chapter(name: str) -> Element:
    return el("h2", name, id=_place(name))


def _place(name: str) -> str:
    return name.lower().replace(" ", "-")


def _points(graded: Sequence[Graded]) -> Iterator[Element]:
    yield _chapter(_POINTS)
    counted = [each for each in graded if each.share is not None and not each.held]
    if not counted:
        yield _nothing("no play has points and is not held back")
        return
    yield el(
        "p",
        "Of all plays that are not held back, second attempts too: how much of the points that "
        "could be had each earned, and how much of each criterion's.",
        class_="note",
    )
    edges = [n / 10 for n in range(11)]
    shares = [each.share or 0.0 for each in counted]
    bins = [
        classview.Bin(
            f"{low * 100:.0f} to {high * 100:.0f} %" if high < 1 else "90 % and more",
            sum(low <= share < high or (high == 1.0 and share >= 1.0) for share in shares),
        )
        for low, high in pairwise(edges)
    ]
    rows = []
    for name in CRITERIA:
        own = [each.criteria[name] for each in counted if name in each.criteria]
        parts = [each.points / each.of for each in own if each.of]
        if parts:
            found = classview.spread(parts)
            quartiles = (found.low, found.middle, found.high)
            rows.append([name, str(len(parts)), *(f"{value * 100:.0f} %" for value in quartiles)])
    yield el(
        "div",
        pictures.bars(bins, "Plays by their share of the points"),
        table(["criterion", "plays", "lower", "median", "upper"], rows, range(1, 5)),
        class_="beside",
    )


def _waiting(graded: Sequence[Graded]) -> Iterator[Element]:
    yield _chapter(_WAITING)
    rows: list[list[Element | str | None]] = []
    for each in graded:
        if each.held:
            reasons = [
                f"{name}: {verdict.reason}"
                for name, verdict in each.row.verdicts.items()
                if verdict.state in {"fails", "not replayable here"}
            ]
            why = el("span", clean_line("; ".join(each.held), 200), class_="held")
            said = [*reasons, *([] if each.row.fails else [each.row.problem])]
            told = _told(_who(each) or "–", each.row.file)
            rows.append([told, why, clean_line("; ".join(filter(None, said)), 300)])
    if not rows:
        yield _nothing("every file counts")
        return
    yield el(
        "p",
        "Their points stand in the table of files, and gradebooks don't get them. An override of "
        "the criterion “total” says that somebody has looked.",
        class_="note",
    )
    yield table(["student", "why", "what is said of it"], rows, texts=[0])


def _verdicts(graded: Sequence[Graded]) -> Iterator[Element]:
    states: tuple[State, ...] = (
        "holds",
        "marginal",
        "not replayable here",
        "not applicable",
        "fails",
    )
    counts = {name: Counter(each.row.verdicts[name].state for each in graded) for name in NAMES}
    rows = [[name, *(str(counts[name][state] or "–") for state in states)] for name in NAMES]
    yield _chapter(_VERDICTS)
    yield table(["verdict", *states], rows, numbers=range(1, 6))


def _files(
    graded: Sequence[Graded], missions: Mapping[tuple[str, str], Mission]
) -> Iterator[Element]:
    yield _chapter(_FILES)
    rows: list[list[Element | str | None]] = []
    criteria = [name for name in CRITERIA if any(name in each.criteria for each in graded)]
    for each in graded:
        row = each.row
        said = [
            *(["held back"] if each.held else []),
            *(flag for flag in each.flags),
            *([row.problem] if row.problem and not row.fails else []),
        ]
        rows.append(
            [
                _told(_who(each) or "–", row.file),
                clean_line(f"{_mission(missions, row.mission)}, {row.track}".strip(", "), 60),
                *(
                    number(each.criteria[name].points) if name in each.criteria else ""
                    for name in criteria
                ),
                number(each.total) or "–",
                number(each.of),
                "; ".join(clean_line(flag, 160) for flag in said),
            ]
        )
    if not rows:
        yield _nothing("there are no files")
        return
    head = ["student", "mission", *criteria, "total", "of", "to know"]
    yield table(head, rows, range(2, len(criteria) + 4), [0])


def _overridden(graded: Sequence[Graded]) -> Iterator[Element]:
    rows = [
        [
            _who(each),
            change.criterion,
            number(change.before),
            number(change.after),
            clean_line(change.given.override.by, 60),
            f"{change.given.override.at:%Y-%m-%d %H:%M}",
            "yes" if change.given.signed else "no",
            clean_line(change.given.override.reason, 400),
        ]
        for each in graded
        for change in each.changes
    ]
    if rows:
        yield _chapter(_BY_HAND)
        head = ["student", "criterion", "was", "is", "by", "at", "signed", "reason"]
        yield table(head, rows, [2, 3])


def _predictions(
    bets: Iterator[classview.Bet], missions: Mapping[tuple[str, str], Mission]
) -> Iterator[Element]:
    yield _chapter(_PREDICTIONS)
    yield el(
        "p",
        "Each student's first prediction of each lock, against the truth of that student's own "
        "data. Numbers are sorted by how far they are off.",
        class_="note",
    )
    found = False
    for bet in bets:
        found = True
        mission = missions[bet.mission, bet.track]
        part = mission.parts[bet.part]
        title = f"{mission.title}, {bet.track}: {part.title}, {bet.lock}"
        truth = " to ".join(bet.truths) if len(bet.truths) <= 2 else ", ".join(bet.truths)
        yield el("h3", title)
        yield el("p", clean_line(asked(mission, part.locks[bet.lock].prompt), 500))
        yield el("p", f"Truth: {truth}. The reason was right for {_of(bet.why)}.", class_="note")
        figures = [[each.label, str(each.count), "◂" if each.truth else ""] for each in bet.bins]
        yield el(
            "div",
            pictures.bars(bet.bins, f"Predictions of {title}"),
            table(["prediction", "students", "truth"], figures, [1]),
            class_="beside",
        )
    if not found:
        yield _nothing("no play has come to a reveal")


def _calibration(found: Mapping[str, Share]) -> Iterator[Element]:
    yield _chapter(_CALIBRATION)
    held = [
        pictures.Held(_BANDS[name], share, calibration.luck(share.of) if name == "bands" else None)
        for name, share in found.items()
        if share.of
    ]
    if not held:
        yield _nothing("no prediction was revealed")
        return
    yield el(
        "p",
        "A band is an 80 % interval: the thick line is that aim, and the whisker under the bar is "
        "what luck alone gives for so many bands if each is as good as it says and they were "
        "independent of each other, which those of one lock are not quite.",
        class_="note",
    )
    figures = [
        [
            each.label,
            str(each.share.held),
            str(each.share.of),
            f"{each.share.value * 100:.0f} %",
            f"{each.luck[0]} to {each.luck[1]}" if each.luck else "",
        ]
        for each in held
    ]
    yield el(
        "div",
        pictures.shares(held, "Calibration of the class"),
        table(["", "held", "of", "share", "luck"], figures, [1, 2, 3, 4]),
        class_="beside",
    )


def _regrets(
    courses: Iterator[classview.Course], missions: Mapping[tuple[str, str], Mission]
) -> Iterator[Element]:
    yield _chapter(_REGRET)
    yield el(
        "p",
        "How much of what could be gained was left by the best run so far: 0 is the solver's best, "
        "1 is the default. The line is the median, the band the quartiles. Who stopped keeps what "
        "was reached, so that every figure is of the same plays.",
        class_="note",
    )
    found = False
    for each in courses:
        found = True
        title = _title(missions, each.mission, each.track, each.part)
        figures = [
            [f"#{n}", *(f"{value:.2f}" for value in (s.low, s.middle, s.high)), str(running)]
            for n, (s, running) in enumerate(zip(each.after, each.running, strict=True), 1)
        ][:_RUNS]
        yield el("h3", title)
        yield el(
            "div",
            pictures.course(each, f"Regret by run, {title}", _RUNS),
            table(["run", "lower", "median", "upper", "plays still running"], figures, range(1, 5)),
            class_="beside",
        )
    if not found:
        yield _nothing("no run has a solver record to be held against")


def _minutes(
    found: Mapping[tuple[str, str, str], classview.Spread],
    missions: Mapping[tuple[str, str], Mission],
) -> Iterator[Element]:
    yield _chapter(_TIME)
    if not found:
        yield _nothing("no play says how long it took")
        return
    yield el("p", "Active minutes, idle ones left out. Time is worth no points.", class_="note")
    for mission in dict.fromkeys(mission for mission, _, _ in found):
        named = [
            (f"{track}: {_part(missions, mission, track, part)}", each)
            for (name, track, part), each in found.items()
            if name == mission
        ]
        figures = [
            [name, str(each.count), *(f"{v:.1f}" for v in (each.low, each.middle, each.high))]
            for name, each in named
        ]
        title = _mission(missions, mission)
        yield el("h3", title)
        yield el(
            "div",
            pictures.spreads(named, "min", f"Active minutes on each part, {title}"),
            table(["part", "plays", "lower", "median", "upper"], figures, range(1, 5)),
            class_="beside",
        )


def _stops(
    found: Mapping[str, Sequence[tuple[str, str, int]]],
    missions: Mapping[tuple[str, str], Mission],
) -> Iterator[Element]:
    yield _chapter(_STOPPED)
    titles = {
        (mission.id, name): part.title
        for mission in missions.values()
        for name, part in mission.parts.items()
    }
    for mission, places in found.items():
        bins = [
            classview.Bin(f"{titles.get((mission, part), part)} {screen}".strip(), count)
            for screen, part, count in places
        ]
        yield el("h3", _mission(missions, mission) or "no mission")
        yield el(
            "div",
            pictures.bars(bins, f"Where records of {mission} end"),
            table(["the record ends at", "plays"], [[b.label, str(b.count)] for b in bins], [1]),
            class_="beside",
        )
    if not found:
        yield _nothing("no play can be read")


def _sure(
    found: Sequence[classview.Sure], missions: Mapping[tuple[str, str], Mission]
) -> Iterator[Element]:
    yield _chapter(_SURE)
    if not found:
        yield _nothing("nobody was sure and wrong")
        return
    yield el(
        "p",
        "Choices that were called sure and were wrong, and numbers whose truth lies outside of the "
        "band by more than the band is wide. Worth a word in class: this is where intuition is.",
        class_="note",
    )
    by_lock = Counter(_lock(missions, each) for each in found)
    figures = [[lock, str(n)] for lock, n in by_lock.most_common()]
    yield table(["lock", "sure and wrong"], figures, [1])
    yield from _cut(len(found), "that are farthest off")
    rows = [
        [
            clean_line(each.row.student, 60),
            _lock(missions, each),
            each.made.said_shown,
            each.made.band_shown or "sure",
            each.made.truth_shown,
            "right" if each.made.why_right else "wrong",
        ]
        for each in found[:_LISTED]
    ]
    yield table(["student", "lock", "said", "band", "truth", "reason"], rows, texts=[0])


def _alike(
    found: Sequence[neighbours.Pair], missions: Mapping[tuple[str, str], Mission]
) -> Iterator[Element]:
    yield _chapter(_ALIKE)
    for text in (
        "Where to look, never what was done. Two who sat together, read one board, passed a run "
        "code on or think alike are as alike as two of whom one copied.",
        "Measured is what two plays of a part have in common in the same order: settings that were "
        "run, and claims with their answers. Each weighs as many bits as few others took it, so "
        "what everybody does weighs nothing. “Above” is how much more that is than what the two "
        "have in common with everybody. Chance is the rest of this class: “by chance” is how many "
        "pairs of this list would be as far above if these two were as the others are (its tail is "
        f"extrapolated). Under {neighbours.TELLING:g} chance hardly explains a pair (◂).",
        neighbours.MEASURED,
        "Students' data differ (the seeds of the decks), so the same long path led them to other "
        "figures.",
    ):
        yield el("p", text, class_="note")
    if not found:
        yield _nothing("no two plays by different students have anything in common")
        return
    rows: list[list[Element | str | None]] = [
        [
            _told(pair.first.student, pair.first.file),
            _told(pair.second.student, pair.second.file),
            _title(missions, pair.first.mission, pair.first.track, pair.part),
            str(pair.runs),
            str(pair.claims),
            f"{pair.bits:.0f}",
            f"{pair.excess:.0f}",
            _expected(pair.expected),
            "◂" if pair.telling else "",
        ]
        for pair in found
    ]
    head = ["play", "and play", "part", "runs", "claims", "bits", "above", "by chance", ""]
    yield table(head, rows, range(3, 8), [0, 1])


def _clicked(graded: Sequence[Graded]) -> Iterator[Element]:
    yield _chapter(_CLICKED)
    yield el(
        "p",
        "From 0 (as simulated clickers play) to 1 (as simulated reasoners do). No class of people "
        "has been measured, so there is no known error rate: a low figure is a reason to read the "
        "ledger or to talk to somebody. It is no grade, and nobody is graded by it.",
        class_="note",
    )
    known = [each for each in graded if each.row.clicker is not None and not each.row.bot]
    if not known:
        yield _nothing("no play has enough runs to say anything")
        return
    values = [each.row.clicker or 0.0 for each in known]
    edges = [n / 5 for n in range(6)]
    bins = [
        classview.Bin(
            f"{low:.1f} to {high:.1f}",
            sum(low <= value < high or (high == 1.0 and value == 1.0) for value in values),
        )
        for low, high in pairwise(edges)
    ]
    yield el(
        "div",
        pictures.bars(bins, "From clicked (0) to reasoned (1)"),
        table(["from clicked to reasoned", "plays"], [[b.label, str(b.count)] for b in bins], [1]),
        class_="beside",
    )
    ordered = sorted(known, key=lambda each: each.row.clicker or 0.0)
    yield from _cut(len(ordered), "with the lowest figures")
    rows: list[list[Element | str | None]] = [
        [_told(_who(each), each.row.file), clean_line(each.row.signs, 200)]
        for each in ordered[:_LISTED]
    ]
    yield table(["student", "figure, and the signs that say most"], rows, texts=[0])


def _cut(count: int, first: str) -> Iterator[Element]:
    if count > _LISTED:
        yield el("p", f"Of {count} the {_LISTED} {first}:", class_="note")


def _nothing(why: str) -> Element:
    return el("p", f"Nothing to show: {why}.")


def _who(each: Graded) -> str:
    name = f" ({each.name})" if each.name else ""
    return clean_line(f"{each.row.student}{name}", 100)


def _of(share: Share) -> str:
    return f"{share.held} of {share.of}"


def _title(missions: Mapping[tuple[str, str], Mission], mission: str, track: str, part: str) -> str:
    """Mission, track and part, as people know them; as the ledger has them where it is not here."""
    of = _part(missions, mission, track, part)
    return clean_line(f"{_mission(missions, mission)}, {track}: {of}", 160)


def _mission(missions: Mapping[tuple[str, str], Mission], mission: str) -> str:
    known = next((each.title for (name, _), each in missions.items() if name == mission), mission)
    return clean_line(known, 80)


def _part(missions: Mapping[tuple[str, str], Mission], mission: str, track: str, part: str) -> str:
    known = missions.get((mission, track))
    return clean_line(known.parts[part].title if known and part in known.parts else part, 80)


def _lock(missions: Mapping[tuple[str, str], Mission], found: classview.Sure) -> str:
    row, made = found.row, found.made
    return f"{_title(missions, row.mission, row.track, made.part)}, {made.lock}"


def asked(mission: Mission, prompt: str) -> str:
    """A lock's question. Figures that hang on a student's own play are left open."""
    return PLACEHOLDER.sub("…", wording.fill(prompt, wording.constants(mission)))


def _told(student: str, file: str) -> Element:
    """Who, and the file below it in small."""
    small = el("span", _short(clean_line(file, 400)), class_="file")
    return el("span", clean_line(student, 100), el("br"), small)


def _short(name: str) -> str:
    """A long name without its middle: folders are told apart by their start, plays by their end."""
    half = _LETTERS // 2
    return name if len(name) <= _LETTERS else f"{name[:half]}…{name[-half:]}"


def _expected(value: float | None) -> str:
    if value is None:
        return "too few plays"
    if value < 0.001:
        return "under 0.001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.1f}" if value < 10 else f"{value:.0f}"


def title_of(folder: Path) -> str:
    """What a report on a folder is called."""
    return clean_line(f"Class report: {folder.absolute().name}", 120)
