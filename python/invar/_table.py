# SPDX-License-Identifier: Apache-2.0
"""Rows for people and notebooks. Cells hold what the image says, which is the attacker's text: it is escaped when shown."""
from __future__ import annotations

import html
import unicodedata
from typing import Any, Iterable, Mapping, Sequence, Union, overload

Row = Mapping[str, Any]
MOST_SHOWN = 1000  # rows that a notebook is given

# Control, format (such as those that turn the direction of writing), unassigned, lone halves of characters, line and paragraph ends.
UNSAFE = {"Cc", "Cf", "Cn", "Cs", "Zl", "Zp"}


def printable(text: object) -> str:
    r"""Text that a terminal or a reader cannot be misled by: what is no plain character is written as \x1b or \u202e."""
    return "".join(c if unicodedata.category(c) not in UNSAFE else c.encode("unicode_escape").decode("ascii")
                   for c in str(text))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(_cell(item) for item in value)
    return printable(value)


class Table(Sequence[Row]):
    """Rows, each a mapping from column to value. A list for programs, a table in notebooks and on terminals."""

    def __init__(self, rows: Iterable[Row], columns: Union[Sequence[str], None] = None) -> None:
        self._rows: list[Row] = list(rows)
        if columns is None:
            # "absent" holds the reasons why other cells are empty.
            columns = list(dict.fromkeys(key for row in self._rows for key in row if key != "absent"))
        self.columns: tuple[str, ...] = tuple(columns)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> Table: ...

    def __getitem__(self, index: Union[int, slice]) -> Union[Row, Table]:
        if isinstance(index, slice):
            return Table(self._rows[index], self.columns)
        return self._rows[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and (self._rows, self.columns) == (other._rows, other.columns)

    __hash__ = None  # type: ignore[assignment]

    def where(self, **values: object) -> Table:
        """The rows in which these columns have these values: table.where(name="notepad.exe")."""
        return Table([row for row in self._rows if all(row.get(key) == value for key, value in values.items())], self.columns)

    def __repr__(self) -> str:
        return f"<invar.Table of {len(self)} rows: {', '.join(map(printable, self.columns))}>"

    def __str__(self) -> str:
        lines = [[printable(name) for name in self.columns]]
        lines += [[_cell(row.get(name)) for name in self.columns] for row in self._rows]
        widths = [max(map(len, column)) for column in zip(*lines)]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)

    def _repr_html_(self) -> str:
        def row(tag: str, cells: Iterable[str]) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(row("td", (_cell(line.get(name)) for name in self.columns)) for line in self._rows[:MOST_SHOWN])
        left_out = len(self) - MOST_SHOWN
        more = f"<p>{left_out} more rows are not shown.</p>" if left_out > 0 else ""
        return f"<table><thead>{row('th', map(printable, self.columns))}</thead><tbody>{body}</tbody></table>{more}"
