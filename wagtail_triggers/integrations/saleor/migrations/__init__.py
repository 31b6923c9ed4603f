"""Migrations of the Saleor adapter."""
