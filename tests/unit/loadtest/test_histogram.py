"""Percentiles are right within 1 %, in memory that does not grow with what is counted."""

from hypothesis import given
from hypothesis import strategies as st

from chatserver.loadtest.histogram import Histogram


def filled(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


@given(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=200), st.sampled_from([50, 99, 99.9, 100])
)
def test_a_percentile_is_never_too_low_and_at_most_1_percent_too_high(
    values: list[int], percent: float
) -> None:
    ordered = sorted(values)
    rank = next(n for n in range(1, len(values) + 1) if n >= len(values) * percent / 100)
    found = filled(values).percentile(percent)
    assert found is not None
    assert ordered[rank - 1] <= found <= ordered[rank - 1] * 1.01


def test_merged_histograms_count_as_one() -> None:
    one, other = filled([1_000] * 99), filled([5_000_000])
    one.merge([other])
    assert one.count == 100
    assert one.percentile(99) == 1_003
    assert one.percentile(100) == 5_000_000


def test_an_empty_histogram_has_no_percentiles() -> None:
    assert Histogram().percentile(50) is None
    assert Histogram().milliseconds(50) is None


def test_a_clock_that_runs_backwards_counts_as_zero() -> None:
    assert filled([-5]).percentile(50) == 0


def test_a_million_different_latencies_fit_in_few_buckets() -> None:
    histogram = filled(list(range(0, 100_000_000, 100)))
    assert len(histogram._counts) < 5_000
