"""What the room of messages publishes: kinds of events, as they stand in the log for ever.

`MESSAGE_FAILED` carries message, channel, state (FAILED or UNKNOWN), reason, task and person: whoever escalates goes on
without that person. `REPLY_RECEIVED` carries message, person, tasks, code (ACCEPT, OTHER, or what
the message asked for) and the number said behind it, never the words.
"""

MESSAGE_FAILED = "notify.message_failed"
REPLY_RECEIVED = "notify.reply_received"
CHANNEL_CHANGED = "notify.channel_changed"
ROBOT_CHANGED = "notify.robot_changed"
