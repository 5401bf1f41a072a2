"""Pages of the drowning system: waters, cameras with their zones, the hall's pictures, figures."""
