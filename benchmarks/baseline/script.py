"""The plain script: pymysql and csv (or json), as one writes it to get a table out. It prints what it took."""

from __future__ import annotations

import csv
import json
import os
import resource
import sys
import time
from typing import Any, TextIO

import pymysql

from benchmarks.baseline.serving import TABLE, address, columns


def main(form: str) -> None:
    """Write all invoices to nowhere, in key order."""
    names = columns()
    chosen = ", ".join(f"`{name}`" for name in names)
    given: dict[str, Any] = {**address(), "charset": "utf8mb4"}
    rest_bytes, began_cpu, began = _most_bytes(), time.process_time(), time.perf_counter()
    connection = pymysql.connect(**given)
    try:
        with connection.cursor() as cursor, open(os.devnull, "w", encoding="utf-8", newline="") as target:
            cursor.execute(f"SELECT {chosen} FROM `{TABLE}` ORDER BY id")
            rows = _write_csv(cursor, names, target) if form == "csv" else _write_ndjson(cursor, names, target)
    finally:
        connection.close()
    told = {
        "rows": rows,
        "seconds": time.perf_counter() - began,
        "cpu_s": time.process_time() - began_cpu,
        "rest_bytes": rest_bytes,
        "peak_bytes": _most_bytes(),
    }
    print(json.dumps(told))


def _write_csv(cursor: Any, names: tuple[str, ...], target: TextIO) -> int:
    writer = csv.writer(target)
    writer.writerow(names)
    writer.writerows(cursor)
    return int(cursor.rowcount)


def _write_ndjson(cursor: Any, names: tuple[str, ...], target: TextIO) -> int:
    for row in cursor:
        target.write(json.dumps(dict(zip(names, row, strict=True)), default=str) + "\n")
    return int(cursor.rowcount)


def _most_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main(sys.argv[1])
