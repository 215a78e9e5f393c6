"""Rows -> bytes of CSV, NDJSON, XLSX, Parquet and Arrow: pure writers, which wait for nothing and know no HTTP."""
