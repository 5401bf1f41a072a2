"""Pure rules of cases: procedures, the flow through them, evidence, errors."""
