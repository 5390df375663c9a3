"""What screens ask of the app. The app alone knows saves, ledgers and which screen comes next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from textual.message import Message


@dataclass
class Begin(Message):
    """The player leaves the title."""


@dataclass
class Named(Message):
    """The player said who they are."""

    student: str


@dataclass
class Rename(Message):
    """The player is someone else."""


@dataclass
class MissionChosen(Message):
    """The player picked a mission."""

    mission: str


@dataclass
class ResumeChosen(Message):
    """The player picks up a play where it stopped."""

    path: Path


@dataclass
class TrackChosen(Message):
    """The player picked a persona."""

    mission: str
    track: str


@dataclass
class Go(Message):
    """The player wants on to another screen of the play."""

    screen: str


@dataclass
class Draft(Message):
    """Something moved that is not recorded yet, such as a slider in mid-sweep."""


@dataclass
class CloseAndSign(Message):
    """The player ends the play: close it and sign its ledger."""


@dataclass
class Home(Message):
    """The player leaves the play; it is saved and resumes where it stopped."""
