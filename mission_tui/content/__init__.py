"""TOML to typed, checked, frozen missions."""
