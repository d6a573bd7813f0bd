"""Benchmarks: each module is one command that prints one line of JSON per row. Loopback only."""
