"""What operators see: logs, metrics, and the clock they are stamped with."""
