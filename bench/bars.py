# SPDX-License-Identifier: Apache-2.0
"""What was measured against what the design demands: each part of the benchmark hands in its lines, the table comes last."""

ROWS = []  # (what, limit as text, measured as text, held)


def at_most(what, limit, measured, unit="", form=".2f"):
    ROWS.append((what, f"at most {limit:g}{unit}", f"{measured:{form}}{unit}", measured <= limit))


def at_least(what, limit, measured, unit="", form=".2f", also=True, beside=""):
    """also: what has to hold besides, as beside says."""
    ROWS.append((what, f"at least {limit:g}{unit}{', nothing lost' if beside else ''}", f"{measured:{form}}{unit}{beside}",
                 measured >= limit and also))


def table():
    lines = ["\n## Against the bars\n", "| what | bar | measured | |", "|---|---|---|---|"]
    for what, limit, measured, held in ROWS:
        lines.append(f"| {what} | {limit} | {measured} | {'met' if held else '**missed**'} |")
    missed = sum(not held for *_, held in ROWS)
    lines.append(f"\n{len(ROWS) - missed} of {len(ROWS)} bars met.")
    return "\n".join(lines)
