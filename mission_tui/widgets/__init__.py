"""The widgets of the game; they know nothing of missions or rules."""
