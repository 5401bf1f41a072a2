"""Figures with their definition and source: folded from the journal; each can be followed to its rows."""
