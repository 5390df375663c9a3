"""What ``mission-tui doctor`` looks at: this machine, terminal, saves, player and missions."""
