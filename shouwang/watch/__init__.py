"""Runs detectors over the ingest log and the clock, and hands their findings to alerts together with its own state."""
