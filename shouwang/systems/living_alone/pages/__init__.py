"""The pages of the living-alone system."""
