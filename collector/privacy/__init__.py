"""What a data protection officer and the shop's own policy are told, from the live system."""
