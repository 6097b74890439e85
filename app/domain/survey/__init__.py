"""What people are asked, in their language, and what counts as their answer."""
