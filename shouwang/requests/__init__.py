"""The citizens' mirror of alerts: what people report, from receipt to their own answer."""
