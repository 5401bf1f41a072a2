"""The systems of the city, strangers to one another."""
