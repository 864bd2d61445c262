"""The operator's commands, and the socket over which they ask the running reports process."""
