"""Pages of the notify room: the channels, the robots of groups, and how a person wishes to be told."""
