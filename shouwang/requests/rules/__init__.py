"""Pure rules of requests: the catalogue, what a report must be, doubles, numbers, limits, procedures, progress."""
