"""The one table: reading and writing records, keys, transactions, fenced step writes, task tokens."""
