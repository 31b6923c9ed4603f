"""Carry it out: route events, move runs, plan messages, recover from whatever died."""
