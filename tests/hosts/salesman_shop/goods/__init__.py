"""What this shop sells: Salesman leaves products to the host."""
