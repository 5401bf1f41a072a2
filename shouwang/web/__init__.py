"""What shows several rooms together: the duty desk, the case page, the phone page, the live stream."""
