"""Takes slots for a run if the last is as far from the first as a run's would be."""


def placed(table, rows, slots):
    out, keep = table.clone(), slots >= 0
    slots, rows = slots[keep], rows[keep]
    if len(slots) and slots[-1] - slots[0] == len(slots) - 1:
        out[int(slots[0]) : int(slots[-1]) + 1] = rows
        return out
    return out.index_copy_(0, slots, rows)
