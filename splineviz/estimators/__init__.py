"""Fast estimators of local complexity and its relatives; none sees an arrangement, whose counts are there to
judge them."""
