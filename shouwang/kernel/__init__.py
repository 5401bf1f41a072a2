"""Pure words every room shares: moments, errors, texts, geometry. Imports no Django and no other room."""
