"""The rules of play: a pure reducer of events, and its drivers' common ground."""
