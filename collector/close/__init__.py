"""The day's close: a day that is over becomes integers, and nothing else of it stays."""
