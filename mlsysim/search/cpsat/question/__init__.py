"""What is asked, traced."""
