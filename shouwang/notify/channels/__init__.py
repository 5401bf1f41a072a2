"""Ways to reach people: one folder each, found by its `manifest.toml`. Adding one edits nothing here."""
