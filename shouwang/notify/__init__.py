"""Messages to people: queued with the decision, sent once, ended for certain."""
