"""The invariants, checked from outside: on tables, by public queries, and against what the simulator itself did and saw."""
