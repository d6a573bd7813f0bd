"""The async task pool that produces replies: claim, run, stream, lease, stop, drain."""
