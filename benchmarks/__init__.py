"""How fast the gateway is, beside a plain way of doing the same, two peers and the database alone.

``python -m benchmarks`` starts everything itself and writes ``benchmarks/RESULTS.md``.
"""
