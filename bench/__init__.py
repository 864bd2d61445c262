"""Benchmarks: ratios within one run, because machines differ and drift."""
