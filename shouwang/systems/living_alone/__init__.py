"""People who live alone: their water meter's silence or flood becomes a visit."""
