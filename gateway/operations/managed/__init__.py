"""Writes that are right for the CRM: one rule per managed table, pure, the same for every front end.

A rule says what it must read (at most two rounds) and, given those rows, which
columns and which further rows go with the write. Running is `operations.writes`'.
"""
