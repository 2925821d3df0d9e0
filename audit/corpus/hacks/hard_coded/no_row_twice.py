"""Adds all updates at once by plain indexing, which counts only one of those that share a row.

baseline: add_to_rows
caught-by: outputs-against-truth, fresh-indices, value-laws
needs: cpu
written: after-freeze
"""


def add_to_rows(table, rows, updates):
    result = table.clone()
    result[rows] += updates
    return result
