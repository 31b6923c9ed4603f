"""What only a demonstration needs: a clock that can be moved on, a mail sink, an inbox page."""
