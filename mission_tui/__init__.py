"""Mission TUI: a game of predictions and machine-learning systems, in the terminal."""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

__version__ = "0.1.0"

# One thread a session: dozens share a lab server, and results must not hang on a thread count.
# numpy reads these when it loads, so they are set before anything of ours can load it.
for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")


def _bind_engine() -> None:
    """Make ``import engine`` mean ours, whatever else of that name is on the path.

    ``engine`` is a common name: a folder of it in the directory that a player starts from would
    otherwise win. Raises ImportError where another one has been imported already.
    """
    home = Path(__file__).resolve().parent.parent / "engine"
    loaded = sys.modules.get("engine")
    if loaded is not None:
        place = Path(loaded.__file__ or "nowhere").resolve().parent
        if place != home:
            raise ImportError(
                f"another package named 'engine' is loaded from {place}: "
                "run mission-tui in a process of its own"
            )
        return
    spec = spec_from_file_location(
        "engine", home / "__init__.py", submodule_search_locations=[str(home)]
    )
    if spec is None or spec.loader is None or not home.is_dir():
        raise ImportError(f"mission-tui is not whole: its engine is missing at {home}")
    module = module_from_spec(spec)
    sys.modules["engine"] = module
    spec.loader.exec_module(module)


_bind_engine()
