"""What the watch publishes: kinds of events, as they stand in the log for ever. Payloads hold ids and numbers."""

THRESHOLDS_SET = "watch.thresholds_set"
