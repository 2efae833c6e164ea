"""What agents know and say: how the words of an article are compared, and scripts whose steps branch."""
