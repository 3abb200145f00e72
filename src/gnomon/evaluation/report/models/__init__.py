"""The part of a report that is about models: what they were made of, and what was measured of them."""
