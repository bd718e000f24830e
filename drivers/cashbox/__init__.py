"""Bill validators with escrow over ccTalk."""
