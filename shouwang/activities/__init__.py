"""Planned doings: help day, service day, lesson, drill, class; sign-up, queue numbers, matters handled as cases, attendance as a count."""
