"""The missions: how many there are, and whether each can be played."""

from __future__ import annotations

from collections.abc import Iterator

from mission_tui.checkup.finding import Finding
from mission_tui.content.load import MissionError, files, load
from mission_tui.ledger.files import why
from mission_tui.paths import missions_dir


def findings() -> Iterator[Finding]:
    """One finding: all load, or the first fault of the first that does not."""
    folder = missions_dir()
    paths = files(folder)
    if not paths:
        todo = "Install the program again, or name a folder that has some: $MISSION_TUI_MISSIONS."
        yield Finding("missions", "fault", f"{folder} has none", todo)
        return
    loaded, first = 0, ""
    for path in paths:
        try:
            load(path)
        except MissionError as error:
            first = first or str(error.problems[0])
        except OSError as error:
            first = first or f"{path.name}: {why(error)}"
        else:
            loaded += 1
    if first:
        wrong = len(paths) - loaded
        said = f"{wrong} of {len(paths)} in {folder} can't be played; first: {first}"
        yield Finding("missions", "fault", said, "mission-tui missions lists all that is wrong.")
        return
    yield Finding("missions", "ok", f"{loaded} in {folder}, and each loads")
