"""What a user asks for: build, check, inspect, freeze."""
