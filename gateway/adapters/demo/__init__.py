"""A small hospital as product code: departments, people, bills, reports and a payment provider."""
