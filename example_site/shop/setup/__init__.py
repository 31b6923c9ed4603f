"""What `manage.py setup_demo` puts into an empty shop. Running it again changes nothing."""
