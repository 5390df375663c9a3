"""Fields: in one for words a question mark is text, in any other it calls for help."""

from __future__ import annotations

from textual.widgets import Input


class FieldInput(Input):
    """A field for a name or a number."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Everything printable is this field's, but the key that calls for help."""
        return character != "?" and super().check_consume_key(key, character)


class ProseInput(Input):
    """One line of the student's own words."""
