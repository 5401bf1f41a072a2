"""The append-only event log in commit order, durable listeners, timers and leases; and how rows are written in bulk."""
