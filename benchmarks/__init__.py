"""Measured comparisons: what the game costs, as ratios to a bare app in the same run."""
