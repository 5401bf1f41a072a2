"""The bulk back end: a whole register at once, three-valued, as packed bits. NumPy only."""

from shouwang.eligibility.bulk.columns import Column, Marks, Members, Table, table_of
from shouwang.eligibility.bulk.running import amounts_of, decide_records, decide_table

__all__ = ["Column", "Marks", "Members", "Table", "amounts_of", "decide_records", "decide_table", "table_of"]
