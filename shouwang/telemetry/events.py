"""What telemetry publishes in the journal."""

THING_ADDED = "telemetry.thing_added"
THING_PLACED = "telemetry.thing_placed"
FILE_IMPORTED = "telemetry.file_imported"
QUARANTINE_RELEASED = "telemetry.quarantine_released"
DEVICE_EVENT_RECORDED = "device.event_recorded"
DEVICE_REPEATED = "device.repeated"
