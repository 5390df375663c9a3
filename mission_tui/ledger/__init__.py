"""Saving, signing, verifying and replaying plays."""
