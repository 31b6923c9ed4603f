"""The HTTP API: events and people come in, journeys and what they did can be read."""
