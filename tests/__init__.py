"""The tests, in folders that mirror the rooms; faults, clusters and the documents have folders of their own."""
