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
from typing import Final

from mission_tui.content.schema import Mission
from mission_tui.grading import classview, neighbours, pictures
from mission_tui.grading.csvs import number
from mission_tui.grading.grade import Graded
from mission_tui.grading.page import Element, document, el, table
from mission_tui.ledger import judge
from mission_tui.ledger.verdict import NAMES, State
from mission_tui.play import calibration
from mission_tui.play.calibration import Share
from mission_tui.text import clean_line

_BANDS: Final = {
    "bands": "bands that hold the truth",
    "sure": "right, of sure choices",
    "unsure": "right, of unsure choices",
}
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
        *_table(report.graded),
        *_overridden(report.graded),
        *_predictions(classview.bets(firsts, missions), missions),
        *_calibration(classview.calibration(firsts)),
        *_regrets(classview.courses(firsts), missions),
        *_minutes(classview.minutes(firsts), missions),
        *_stops(classview.stops(firsts, missions), missions),
        *_sure(classview.sure_and_wrong(firsts)),
        *_alike(neighbours.pairs(rows)),
        *_clicked(report.graded),
    )


def _head(report: Report) -> Iterator[Element]:
    graded = report.graded
    students = {each.row.student for each in graded if each.row.student and not each.row.bot}
    yield el("h1", report.title)
    files = f"{len(graded)} file{'' if len(graded) == 1 else 's'}"
    who = f"{len(students)} student{'' if len(students) == 1 else 's'}"
    yield el("p", f"{files} by {who}; made {report.at:%Y-%m-%d %H:%M %Z}.")
    for note in report.notes:
        yield el("p", note, class_="note")
    yield el(
        "p",
        "Points say what was done, never how fast, and never whether a prediction was right. "
        "Verdicts are told apart, and none of them punishes: what awaits a person is held back "
        "from gradebooks until somebody has looked. Nothing below is evidence against anybody.",
        class_="note",
    )
    states: tuple[State, ...] = (
        "holds",
        "marginal",
        "not replayable here",
        "not applicable",
        "fails",
    )
    counts = {name: Counter(each.row.verdicts[name].state for each in graded) for name in NAMES}
    rows = [[name, *(str(counts[name][state] or "–") for state in states)] for name in NAMES]
    yield el("h2", "Verdicts")
    yield table(["verdict", *states], rows, numbers=range(1, 6))


def _table(graded: Sequence[Graded]) -> Iterator[Element]:
    yield el("h2", "Files")
    rows = []
    for each in graded:
        row = each.row
        points = "–" if each.total is None else f"{number(each.total)} of {number(each.of)}"
        held = el("span", "held back: " + "; ".join(each.held), class_="held")
        said = [*each.flags, *([row.problem] if row.problem else [])]
        rows.append(
            [
                clean_line(row.file, 80),
                _who(each),
                clean_line(f"{row.mission} {row.track}", 60),
                points,
                "; ".join(clean_line(flag, 200) for flag in said),
                held if each.held else "",
            ]
        )
    yield table(["file", "student", "mission", "points", "to know", "awaits a person"], rows, [3])


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
        yield el("h2", "Points given by hand")
        head = ["student", "criterion", "was", "is", "by", "at", "signed", "reason"]
        yield table(head, rows, [2, 3])


def _predictions(
    bets: Iterator[classview.Bet], missions: Mapping[tuple[str, str], Mission]
) -> Iterator[Element]:
    yield el("h2", "Predictions")
    yield el(
        "p",
        "Each student's first prediction of each lock, against the truth of that student's own "
        "data. Numbers are sorted by how many times too small (÷) or too large (×) they are.",
        class_="note",
    )
    found = False
    for bet in bets:
        found = True
        part = missions[bet.mission, bet.track].parts[bet.part]
        title = f"{bet.mission}, {bet.track}: {part.title}, {bet.lock}"
        truth = " to ".join(bet.truths) if len(bet.truths) <= 2 else ", ".join(bet.truths)
        yield el("h3", title)
        yield el("p", clean_line(part.locks[bet.lock].prompt, 400))
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
    yield el("h2", "Calibration of the class")
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
    yield el("h2", "Regret by run")
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
        title = f"{each.mission}, {each.track}: {_part(missions, each)}"
        figures = [
            [f"#{n}", *(f"{value:.2f}" for value in (s.low, s.middle, s.high)), str(running)]
            for n, (s, running) in enumerate(zip(each.after, each.running, strict=True), 1)
        ][:_RUNS]
        yield el("h3", title)
        yield el(
            "div",
            pictures.course(each, f"Regret by run, {title}", _RUNS),
            table(["run", "lower", "median", "upper", "plays with it"], figures, range(1, 5)),
            class_="beside",
        )
    if not found:
        yield _nothing("no run has a solver record to be held against")


def _minutes(
    found: Mapping[tuple[str, str, str], classview.Spread],
    missions: Mapping[tuple[str, str], Mission],
) -> Iterator[Element]:
    yield el("h2", "Time on each part")
    if not found:
        yield _nothing("no play says how long it took")
        return
    named = [
        (f"{track}: {_title(missions, mission, track, part)}", each)
        for (mission, track, part), each in found.items()
    ]
    figures = [
        [name, str(each.count), *(f"{v:.1f}" for v in (each.low, each.middle, each.high))]
        for name, each in named
    ]
    yield el("p", "Active minutes, idle ones left out. Time is worth no points.", class_="note")
    yield el(
        "div",
        pictures.spreads(named, "min", "Active minutes on each part"),
        table(["part", "plays", "lower", "median", "upper"], figures, range(1, 5)),
        class_="beside",
    )


def _stops(
    found: Mapping[str, Sequence[tuple[str, str, int]]],
    missions: Mapping[tuple[str, str], Mission],
) -> Iterator[Element]:
    yield el("h2", "Where people stopped")
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
        yield el("h3", clean_line(mission, 60) or "no mission")
        yield el(
            "div",
            pictures.bars(bins, f"Where records of {mission} end"),
            table(["the record ends at", "plays"], [[b.label, str(b.count)] for b in bins], [1]),
            class_="beside",
        )
    if not found:
        yield _nothing("no play can be read")


def _sure(found: Sequence[classview.Sure]) -> Iterator[Element]:
    yield el("h2", "Sure and wrong")
    if not found:
        yield _nothing("nobody was sure and wrong")
        return
    yield el(
        "p",
        "Choices that were called sure and were wrong, and numbers whose truth lies outside of the "
        "band by more than the band is wide. Worth a word in class: this is where intuition is.",
        class_="note",
    )
    by_lock = Counter((each.row.track, each.made.part, each.made.lock) for each in found)
    figures = [
        [f"{track}: {part}, {lock}", str(n)] for (track, part, lock), n in by_lock.most_common()
    ]
    yield table(["lock", "sure and wrong"], figures, [1])
    rows = [
        [
            clean_line(each.row.student, 60),
            f"{each.row.track}: {each.made.part}, {each.made.lock}",
            each.made.said_shown,
            each.made.band_shown or "sure",
            each.made.truth_shown,
            "right" if each.made.why_right else "wrong",
        ]
        for each in found
    ]
    yield table(["student", "lock", "said", "band", "truth", "reason"], rows)


def _alike(found: Sequence[neighbours.Pair]) -> Iterator[Element]:
    yield el("h2", "Plays that are much alike")
    for text in (
        "Where to look, never what was done. Two who sat together, read one board, passed a run "
        "code on or think alike are as alike as two of whom one copied.",
        "Measured is what two plays of a part have in common in the same order: settings that were "
        "run, and claims with their answers. Each weighs as many bits as it is rare in this class, "
        "so what everybody does weighs nothing. Chance is made of this class too: pieces of up to "
        "three steps of random plays, put together to plays that nobody played. “Expected by "
        "chance” is how many pairs of this class would have as much in common if that were all "
        f"there is; under {neighbours.TELLING:g} chance hardly explains a pair (◂). It is an "
        "estimate, and too bold: of 40 classes of thirty, drawn from 300 simulated players who "
        "never copied, 9 had such a pair. Students' data differ (the seeds of the "
        "decks), so the same long path led them to other figures.",
    ):
        yield el("p", text, class_="note")
    if not found:
        yield _nothing("no two plays by different students have anything in common")
        return
    rows = [
        [
            clean_line(f"{pair.first.student} ({pair.first.file})", 100),
            clean_line(f"{pair.second.student} ({pair.second.file})", 100),
            clean_line(f"{pair.first.track}: {pair.part}", 60),
            str(pair.runs),
            str(pair.claims),
            f"{pair.bits:.0f}",
            _expected(pair.expected),
            "◂" if pair.telling else "",
        ]
        for pair in found
    ]
    head = ["play", "and play", "part", "runs", "claims", "bits", "expected by chance", ""]
    yield table(head, rows, [3, 4, 5, 6])


def _clicked(graded: Sequence[Graded]) -> Iterator[Element]:
    yield el("h2", "Reasoned or clicked")
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
    rows: list[list[Element | str | None]] = [
        [_who(each), clean_line(each.row.file, 80), clean_line(each.row.signs, 200)]
        for each in ordered
    ]
    yield table(["student", "file", "figure, and the signs that say most"], rows)


def _nothing(why: str) -> Element:
    return el("p", f"Nothing to show: {why}.")


def _who(each: Graded) -> str:
    name = f" ({each.name})" if each.name else ""
    return clean_line(f"{each.row.student}{name}", 100)


def _of(share: Share) -> str:
    return f"{share.held} of {share.of}"


def _part(missions: Mapping[tuple[str, str], Mission], found: classview.Course) -> str:
    return _title(missions, found.mission, found.track, found.part)


def _title(missions: Mapping[tuple[str, str], Mission], mission: str, track: str, part: str) -> str:
    known = missions.get((mission, track))
    return known.parts[part].title if known and part in known.parts else part


def _expected(value: float | None) -> str:
    if value is None:
        return "too few plays"
    if value < 0.001:
        return "under 0.001"
    return f"{value:.3f}" if value < 1 else f"{value:.0f}"


def title_of(folder: Path) -> str:
    """What a report on a folder is called."""
    return clean_line(f"Class report: {folder.absolute().name}", 120)
