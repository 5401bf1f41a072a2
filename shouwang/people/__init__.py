"""Persons, households, organisations; who is answerable where; who may see and do what; who looked at what."""
