"""Model calls kept in a bundle, and served again from it without any model."""
