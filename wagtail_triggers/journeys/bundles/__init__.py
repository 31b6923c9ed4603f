"""A journey with its templates as one JSON file, and the recipes that are such files."""
