"""Ledgers of every format and kind are read for ever, and replay while their models stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from mission_tui.ledger import judge
from mission_tui.ledger.strict import MAX_BYTES
from mission_tui.play.events import FORMAT
from tests.ledger import golden

FOLDER = Path(__file__).parent / "goldens"
GOLDENS = sorted(FOLDER.glob("v*/*.json"))


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    known = golden.missions()
    monkeypatch.setattr(judge, "find", lambda mission, track: known.get((mission, track)))


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_golden_parses_chains_and_its_signature_holds(path: Path) -> None:
    report = judge.verify_ledger(path)
    states = {name: verdict.state for name, verdict in report.verdicts.items()}
    assert (states["parse"], states["signature"], states["chain"]) == ("holds",) * 3
    data = report.events[0].data
    assert path.parent.name == f"v{data['format']}"
    assert data["public_key"] == golden.KEY.public_hex
    assert report.unfinished == (report.events[-1].kind != "close")
    # Where its mission or a model is of another version now, that is said, and not held against it.
    assert states["replay"] in {"holds", "not replayable here"}, report.verdicts["replay"]
    if states["replay"] == "holds":
        assert states["binding"] == "holds", report.verdicts["binding"]


@pytest.mark.parametrize("kind", golden.KINDS)
def test_a_golden_of_each_kind_replays_today(kind: str) -> None:
    """Else a model or a mission has moved: give new ones the next number, and keep the old."""
    found = sorted(FOLDER.glob(f"v{FORMAT}/{kind}.*.json"))
    states = [judge.verify_ledger(path).verdicts["replay"].state for path in found]
    assert "holds" in states, states


def test_there_are_goldens_of_each_format() -> None:
    formats = {path.parent.name for path in GOLDENS}
    assert formats == {f"v{n}" for n in range(1, FORMAT + 1)}
    assert all(path.stat().st_size < MAX_BYTES // 50 for path in GOLDENS)


def test_goldens_are_not_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = FOLDER.glob(f"v{FORMAT}/live-unfinished.{golden.NUMBER}.json")
    before = path.read_bytes()
    monkeypatch.setattr(golden, "KINDS", {"live-unfinished": golden.KINDS["live-unfinished"]})
    golden.main()
    assert path.read_bytes() == before
