"""What stands between a request and the house: addresses, keys, limits, headers."""
