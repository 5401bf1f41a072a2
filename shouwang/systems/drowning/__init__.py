"""Drowning prevention: from a foot in the zone to a voice on site and a cadre's phone, until the water's edge is empty."""
