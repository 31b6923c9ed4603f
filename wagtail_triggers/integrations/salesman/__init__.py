"""django-salesman (and -plus): its saves and its one signal become events."""
