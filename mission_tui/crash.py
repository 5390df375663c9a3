"""A bug of ours: the user gets one sentence, and the traceback goes to a file for us."""

from __future__ import annotations

import traceback

from mission_tui.paths import state_dir


def sentence(error: BaseException) -> str:
    """Keep the traceback in ``crash.txt`` of the state directory, and say where, in one line."""
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    path = state_dir() / "crash.txt"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    except (OSError, UnicodeError):
        return f"a bug of this program, not of yours ({told}); what was acknowledged is saved"
    return f"a bug of this program, not of yours ({told}); saved is saved; details in {path}"
