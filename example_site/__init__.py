"""Tern & Kettle: a small real shop that installs wagtail_triggers as any shop would.

``python3 -m example_site`` starts it, with a worker, a mail sink and a demo clock.
"""
