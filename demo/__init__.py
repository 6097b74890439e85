"""The whole of Zeroten at work on a sample: `make demo`."""
