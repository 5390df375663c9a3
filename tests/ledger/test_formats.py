"""Old formats are read for ever: one ledger of each, never rewritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from mission_tui.ledger import verify

GOLDENS = sorted((Path(__file__).parent / "goldens").glob("format-*.ledger.json"))


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda path: path.stem)
def test_a_ledger_of_an_old_format_is_still_read(golden: Path) -> None:
    report = verify.verify(golden)
    states = {name: report.verdicts[name].state for name in ("parse", "signature", "chain")}
    assert states == dict.fromkeys(states, "holds")
    assert not report.unfinished
    header = report.events[0].data
    assert f"format-{header['format']}" in golden.name
    assert header["student"] == "golden"


def test_there_is_a_golden_of_each_format() -> None:
    from mission_tui.play.events import FORMAT

    assert len(GOLDENS) == FORMAT
