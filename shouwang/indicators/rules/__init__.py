"""Rules of indicators: what one case amounts to, and how a figure is made of many."""
