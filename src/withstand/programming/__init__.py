"""Linear programmes as sparse matrices, handed to HiGHS in one call."""
