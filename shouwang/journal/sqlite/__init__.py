"""A Django database backend: SQLite behind a fair gate. Name it as ENGINE."""
