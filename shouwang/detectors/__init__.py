"""Detectors: pure functions from columns and state to findings and state. One file each; adding one edits no list."""
