"""Comma, tab and pipe separated values: a list of objects, with the first row as names."""

from __future__ import annotations

import csv
import io

from naftiko.formats.base import Check, Format, text_of
from naftiko.values.expressions import as_text


def _reader(delimiter: str, name: str, accept: str) -> Format:
    def decode(data: bytes, charset: str, check: Check) -> object:
        text = text_of(data, charset).lstrip("\ufeff")
        try:
            rows: list[list[str]] = []
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
                if not len(rows) & 1023:
                    check()
                rows.append(row)
        except csv.Error as error:
            raise ValueError(f"not {name}: {error}") from error
        if not rows:
            return []
        names = rows[0]
        return [dict(zip(names, row, strict=False)) for row in rows[1:] if row]

    def encode(value: object) -> bytes:
        rows = [row for row in (value if isinstance(value, list) else [value]) if isinstance(row, dict)]
        names = list(dict.fromkeys(str(name) for row in rows for name in row))
        out = io.StringIO()
        writer = csv.DictWriter(out, names, restval="", delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows({str(name): as_text(cell) for name, cell in row.items()} for row in rows)
        return out.getvalue().encode()

    return Format(name, accept, "text/csv", encode, decode)


CSV = _reader(",", "csv", "text/csv, */*;q=0.5")
TSV = _reader("\t", "tsv", "text/tab-separated-values, */*;q=0.5")
PSV = _reader("|", "psv", "text/plain, */*;q=0.5")
