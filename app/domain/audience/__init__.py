"""The language that says which people are meant, and how some of them are drawn."""
