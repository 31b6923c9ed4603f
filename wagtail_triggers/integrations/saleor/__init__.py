"""Saleor, over webhooks: its events come in, and it is asked over GraphQL. See how-to/saleor."""
