"""The Saleor adapter, on bodies that a real Saleor 3.24 signed and sent."""
