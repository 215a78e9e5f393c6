"""XLSX, spooled to disk: numbers as numbers, dates as dates, text never as a formula or a link."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from gateway.errors import RequestError
from gateway.formats.layout import Batch, Cells, Layout, LayoutColumn, digits_of, json_texts

MOST_ROWS: Final = 1_048_575
"""Rows that a sheet holds below its header. Source: ECMA-376, part 1, 18.3.1.73."""

MOST_LETTERS: Final = 32_767
"""UTF-16 units that a cell holds."""

EXACT_DIGITS: Final = 15
"""Digits of a number that a sheet keeps; what has more is text."""

_FIRST_YEAR: Final = 1900
"""A sheet has no dates before it; they are text."""

_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_TOO_LONG: Final = -2
"""What the library answers for text beyond the length of a cell, which it cuts."""


class XlsxWriter:
    """Writes a workbook of one sheet; a `FileWriter`. ``directory`` is the writer's own."""

    def __init__(self, layout: Layout, directory: Path) -> None:
        self._path = directory / "export.xlsx"
        self._directory = directory
        self._columns = layout.columns
        self._book = xlsxwriter.Workbook(str(self._path), {**_OPTIONS, "tmpdir": str(directory)})
        self._sheet = self._book.add_worksheet()
        self._next = 1
        bold = self._book.add_format({"bold": True})
        for place, column in enumerate(layout.columns):
            self._sheet.write_string(0, place, column.name, bold)
        self._sheet.freeze_panes(1, 0)
        self._formats = [self._format(column) for column in layout.columns]

    def rows(self, batch: Batch) -> None:
        """Write some rows.

        Raises:
            RequestError: ``export_too_large`` beyond the rows of a sheet or the length of a cell.
        """
        if self._next + len(batch) - 1 > MOST_ROWS:
            raise _too_large(f"An XLSX sheet holds {MOST_ROWS} rows and there are more.")
        found = zip(self._columns, batch.columns(), strict=True)
        columns = [_sheet_cells(column, cells) for column, cells in found]
        for cells in zip(*columns, strict=True):
            self._row(cells)

    def _row(self, cells: Sequence[Any]) -> None:
        row, sheet = self._next, self._sheet
        self._next += 1
        for place, (cell, form) in enumerate(zip(cells, self._formats, strict=True)):
            if cell is None:
                continue
            if isinstance(cell, str):
                if sheet.write_string(row, place, cell) == _TOO_LONG:
                    name = self._columns[place].name
                    raise _too_large(f"An XLSX cell holds {MOST_LETTERS} characters and one of {name} has more.")
            elif isinstance(cell, date):
                sheet.write_datetime(row, place, cell, form)
            else:
                sheet.write_number(row, place, cell, form)

    def _format(self, column: LayoutColumn) -> object:
        shown = _NUMBER_FORMATS.get(column.kind)
        scale = column.type.scale if column.type is not None and column.kind == "decimal" else None
        if scale:
            shown = f"0.{'0' * scale}"
        return None if shown is None else self._book.add_format({"num_format": shown})

    def size(self) -> int:
        """Return the bytes of the directory, in which the library keeps its parts too."""
        return sum(path.stat().st_size for path in self._directory.iterdir())

    def finish(self) -> Path:
        """Pack the workbook and return it."""
        self._book.close()
        return self._path

    def abandon(self) -> None:
        """Close the sheet's own file; the directory goes with its owner."""
        if not self._book.fileclosed:
            self._sheet.row_data_fh.close()


_NUMBER_FORMATS: Final = {
    "date": "yyyy-mm-dd",
    "datetime": "yyyy-mm-dd hh:mm:ss",
    "timestamp": "yyyy-mm-dd hh:mm:ss",
}


def _sheet_cells(column: LayoutColumn, cells: Cells) -> Sequence[Any]:
    """Cells as text, `date`, `datetime` without a zone or a number that a sheet holds exactly."""
    if column.is_nested:
        return json_texts(cells)
    if column.is_digits and not column.is_text:
        return [None if text is None else _number(text) for text in digits_of(cells)]
    convert = _CONVERSIONS.get(column.kind, _plain)
    return [None if cell is None else convert(cell) for cell in cells]


def _number(text: str) -> float | str:
    digits = text.replace(".", "").lstrip("-0")
    return float(text) if len(digits) <= EXACT_DIGITS and digits.isdecimal() | (not digits) else text


def _day(cell: date) -> date | str:
    return cell if cell.year >= _FIRST_YEAR else cell.isoformat()


def _moment(cell: datetime) -> datetime | str:
    wall = cell.replace(tzinfo=None)
    return wall if wall.year >= _FIRST_YEAR else wall.isoformat(" ")


def _plain(cell: object) -> object:
    if isinstance(cell, int):
        return cell if abs(cell) < 10**EXACT_DIGITS else str(cell)
    return cell if isinstance(cell, float | str) else str(cell)


_CONVERSIONS: Final[dict[str, Callable[[Any], object]]] = {"date": _day, "datetime": _moment, "timestamp": _moment}


def _too_large(detail: str) -> RequestError:
    return RequestError("export_too_large", f"{detail} Ask for CSV, or for less.", parameter="format")
