"""The wheel: engine data and missions travel in it, and it plays from any folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked: what ``pip install .`` puts into an environment."""
    built = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = built.glob("*.whl")
    target = built / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def run(installed: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the unpacked program from ``cwd``, outside of any checkout."""
    environment = {
        **os.environ,
        "PYTHONPATH": f"{cwd}{os.pathsep}{installed}",
        "MISSION_TUI_STATE": str(cwd / "state"),
    }
    environment.pop("MISSION_TUI_SAVES", None)
    environment.pop("MISSION_TUI_MISSIONS", None)
    command = [sys.executable, "-P", "-m", "mission_tui", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120
    )


def test_the_installed_program_finds_its_missions_from_any_folder(
    installed: Path, tmp_path: Path
) -> None:
    listed = run(installed, tmp_path, "missions")
    assert listed.returncode == 0, listed.stderr
    assert "vol2-11-edge-intelligence" in listed.stdout


def test_every_data_file_travels_in_the_wheel(installed: Path) -> None:
    told = [path.as_posix() for path in installed.rglob("*") if path.is_file()]
    inside = {path.removeprefix(f"{installed.as_posix()}/") for path in told}
    named = "authoring/template.toml rubric.toml missions/tracks.toml app.tcss py.typed".split()
    assert not {f"mission_tui/{name}" for name in named} - inside
    kept = {".toml", ".tcss", ".json", ".npz", ".txt", ".gz", ".typed"}
    on_disk = {
        path.relative_to(ROOT).as_posix()
        for room in ("engine", "mission_tui", "missions")
        for path in (ROOT / room).rglob("*")
        if path.suffix in kept
    }
    shipped = {re.sub("^missions/", "mission_tui/missions/", path) for path in on_disk}
    assert "mission_tui/missions/vol2-11-edge-intelligence.toml" in shipped
    assert not shipped - inside


def test_the_installed_program_begins_a_mission_from_its_template(
    installed: Path, tmp_path: Path
) -> None:
    made = run(installed, tmp_path, "new", "my-first", "--kind", "talks")
    assert made.returncode == 0, made.stderr
    assert {path.name for path in tmp_path.glob("*.*")} == {
        "my-first.toml",
        "tracks.toml",
        "mission.schema.json",
    }


def test_the_installed_program_plays_beside_an_unrelated_engine(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "__init__.py").write_text("raise RuntimeError('the wrong engine')\n")
    played = run(installed, tmp_path, "autoplay", "vol2-11-edge-intelligence", "--track", "tiny")
    assert played.returncode == 0, played.stderr
    ledger = Path(played.stdout.splitlines()[-1])
    assert ledger.is_relative_to(tmp_path / "state")
    verified = run(installed, tmp_path, "verify", str(ledger))
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_the_console_script_is_the_command_line() -> None:
    import tomli

    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"]["mission-tui"] == "mission_tui.cli:main"
