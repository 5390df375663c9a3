"""The author's tools: the gate plays the missions before a student does."""
