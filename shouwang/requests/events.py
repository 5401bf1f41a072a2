"""What the room of requests publishes. Payloads hold ids and codes only: what somebody said and their phone stay in the tables."""

RECEIVED = "request.received"
JOINED = "request.joined"
ANSWERED = "request.answered"
TOLD = "request.told"
MERGED = "request.merged"
SPLIT = "request.split"
