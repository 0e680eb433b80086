"""What is declared of a provider, and how the values of its options are found."""
