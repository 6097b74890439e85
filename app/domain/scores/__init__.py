"""Metrics, and the statistics that stand beside them."""
