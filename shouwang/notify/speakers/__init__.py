"""Kinds of loudspeakers, one folder each, found by scanning; beside them the recorded prompts, and voices that speak other words."""
