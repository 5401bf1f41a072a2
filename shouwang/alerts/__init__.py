"""From a finding to an alert: one open per kind and subject, with the fields of CAP 1.2, and the case that answers it."""
