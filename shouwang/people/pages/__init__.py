"""Pages of people: entry, persons, duties and roster, imports, the access log."""
