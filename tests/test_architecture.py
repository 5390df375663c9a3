from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def python(code: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def loaded(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after ``code``."""
    done = python(
        "import atexit, json, sys\n"
        "atexit.register(lambda: print('\\n' + json.dumps(sorted(sys.modules))))\n" + code
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_the_rooms_import_one_way_only() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as c; c()",
            "--no-cache",
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_help_loads_nothing_heavy() -> None:
    held = loaded("import sys\nsys.argv[1:] = ['--help']\nfrom mission_tui.cli import main\nmain()")
    assert "mission_tui" in held
    assert not held & {"numpy", "textual", "pydantic", "cryptography", "rich", "plotext"}


@pytest.mark.parametrize("module", ["mission_tui.ledger.judge", "mission_tui.play.bots"])
def test_what_does_not_draw_loads_nothing_that_draws(module: str) -> None:
    held = loaded(f"import {module}")
    assert "mission_tui" in held
    assert not held & {"textual", "rich", "plotext"}


def test_asking_the_registry_for_names_loads_no_numpy() -> None:
    assert "numpy" not in loaded("import mission_tui, engine.registry as r\nassert r.names()")


def test_importing_the_game_sets_one_thread_unless_the_user_chose() -> None:
    code = (
        "import os, mission_tui; "
        "print(*(os.environ[f'{n}_NUM_THREADS'] for n in ('OPENBLAS', 'OMP', 'MKL')))"
    )
    assert python(code).stdout.split() == ["1", "1", "1"]
    assert python(code, OMP_NUM_THREADS="3").stdout.split() == ["1", "3", "1"]


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A folder with a package called ``engine`` that must never run."""
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "__init__.py").write_text("raise RuntimeError('not ours')\n")
    return tmp_path


@pytest.mark.parametrize("where", ["cwd", "path"])
def test_another_engine_on_the_path_does_no_harm(stranger: Path, where: str) -> None:
    path = os.pathsep.join([str(stranger), str(ROOT)]) if where == "path" else str(ROOT)
    done = subprocess.run(
        [sys.executable, "-m", "mission_tui", "missions"],
        cwd=stranger if where == "cwd" else ROOT.parent,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Edge Intelligence" in done.stdout


def test_another_engine_that_is_loaded_already_is_named(stranger: Path) -> None:
    (stranger / "engine" / "__init__.py").write_text("")
    done = python("import engine, mission_tui", cwd=stranger)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: another package named 'engine' is loaded from")
    assert str(stranger) in last
