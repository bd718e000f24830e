"""Social security cards (社保卡): the free fields of EF05 and EF06, and never a PIN."""
