"""Promotion: plan, judge, copy, judge again at the destination, record, tag (DESIGN section 10)."""
