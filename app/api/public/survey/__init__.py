"""The page behind a personal link, step by step."""
