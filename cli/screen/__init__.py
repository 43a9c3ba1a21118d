"""What a terminal is shown: tables, the bar, and amounts and times as people read them."""
