"""The spine: a procedure is a graph of steps; a case runs it; tasks reach the answerable person before a deadline."""
