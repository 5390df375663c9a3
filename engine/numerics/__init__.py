"""What the models share: digits, small networks, layer tables, randomness."""
