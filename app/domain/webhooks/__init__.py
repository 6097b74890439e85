"""What receivers are sent, where it may go, and what their replies mean."""
