"""Benches: each prints one JSON object that says what was measured, on what, against whom, and whether it was checked."""
