"""Whether a domain is set up so that mail services take our mail from it."""
