"""Loudspeakers: what one is, how they are found, and what they share. Each kind stands in `speakers`."""
