"""All updates by index_add, which counts each of those that share a row.

baseline: add_to_rows
needs: cpu
written: after-freeze
"""


def add_to_rows(table, rows, updates):
    return table.index_add(0, rows, updates)
