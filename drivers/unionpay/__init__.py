"""UnionPay Business pads behind a vendor library: records of fixed width."""
