"""The pages that a customer and a partner click."""
