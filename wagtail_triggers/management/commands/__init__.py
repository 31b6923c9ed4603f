"""Commands for hosts without beat, and for whoever must find out what is wrong."""
