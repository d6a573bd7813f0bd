"""Benchmarks: each module that has a command prints one line of JSON per row. Loopback only."""
