"""Rules and passes, one file for each family."""
