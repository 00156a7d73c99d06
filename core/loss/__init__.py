"""What a loss counts, and the exact mean of it over a split."""
