"""What training reaches: the parts of the learning table."""
