"""Template tags every room may use; `ui` is loaded everywhere."""
