"""What the room of messages publishes: kinds of events, as they stand in the log for ever.

`MESSAGE_FAILED` carries message, channel, state (FAILED or UNKNOWN), reason, task and person: whoever escalates goes on
without that person. `REPLY_RECEIVED` carries message, person, tasks, code (ACCEPT, OTHER, or what
the message asked for) and the number said behind it, never the words. The subject of the last five is the loudspeaker:
`SOUND_PLAYED` and `SOUND_FAILED` carry sound, key, ladder, prompt, attempts, due_at_us, state and reason (FAILED, UNKNOWN or LATE
for the second), the first also played_at_us; `SPEAKER_DEAD` carries the reason; `SPEAKER_CHANGED` who changed it.
"""

MESSAGE_FAILED = "notify.message_failed"
REPLY_RECEIVED = "notify.reply_received"
CHANNEL_CHANGED = "notify.channel_changed"
ROBOT_CHANGED = "notify.robot_changed"

SOUND_PLAYED = "notify.sound_played"
SOUND_FAILED = "notify.sound_failed"
SPEAKER_DEAD = "notify.speaker_dead"
SPEAKER_BACK = "notify.speaker_back"
SPEAKER_CHANGED = "notify.speaker_changed"
