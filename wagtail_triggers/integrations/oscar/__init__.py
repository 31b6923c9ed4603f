"""django-oscar: its signals and saves become events, and it is asked before a send."""
