"""Voices: programs of the machine that speak a text, one folder each, found by scanning."""
