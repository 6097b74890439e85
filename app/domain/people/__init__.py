"""Recipients and accounts: who is who, and how they are read from files."""
