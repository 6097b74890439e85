"""Letters as they are written and as they come back."""
