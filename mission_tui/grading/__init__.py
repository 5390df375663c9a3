"""The instructor's desk."""
