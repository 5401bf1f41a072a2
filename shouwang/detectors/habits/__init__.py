"""The habits of homes with a water meter: what an hour says, the chance of use, and the hour at which silence is worth a visit."""
