"""Commands of the Saleor adapter."""
