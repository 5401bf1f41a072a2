"""Things, datastreams and observations in SensorThings words, and the sources that bring them in."""
