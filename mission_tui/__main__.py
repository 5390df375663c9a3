"""``python -m mission_tui`` is ``mission-tui``."""

import sys

from mission_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
