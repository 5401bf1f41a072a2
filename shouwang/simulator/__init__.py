"""A seeded city: invented people and homes, and meters that speak the outside protocols."""
