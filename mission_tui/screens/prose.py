"""A field for words, in which a question mark is a question mark and not a call for help."""

from __future__ import annotations

from textual.widgets import Input


class ProseInput(Input):
    """One line of the student's own words."""
